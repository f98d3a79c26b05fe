"""Rollouts: how often a run's own policy comes to the right answer from a step of its tree.

Below a step `k` completions are drawn, each graded against the reference answer; the share that is right, with Wilson's
interval, is the step's *estimated* value (Math-Shepherd, arXiv 2312.08935). A rollout is a search that goes on from the
step, as a fork's is (`engine.runs.fork`), but for its tree, of which only that share is kept. All rollouts of a run
share one session of the policy, so what their paths have in common is read once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from engine.errors import InvalidInput
from engine.runs.fork import Fork
from engine.runs.run import ROLLOUTS
from engine.search import Search
from engine.search.cost import Meter
from engine.search.domain import Domain
from engine.search.events import ModelInfo, StepScored, Usage
from engine.search.params import RunParams
from engine.search.policy import Policy, PolicySession, Sampling
from engine.search.tree import Node, Tree
from engine.store import RunRecord, ScoringRecord, Store

#: Steps whose rollouts are drawn at a time: a local policy puts the draws of all of them into its batches.
_AT_ONCE = 16
#: Rollouts below a step, at most.
MOST = 256

Which = Literal["step", "path", "all"]


@dataclass(frozen=True, slots=True)
class RolledOut:
    """The estimates, their seqs from 1, and what they took."""

    scores: tuple[StepScored, ...]
    usage: Usage


def due(record: RunRecord, tree: Tree, which: Which, selected: int, k: int) -> list[Node]:
    """The steps that are to be estimated: those that have no estimate yet and from which something can follow, or that
    ended an answer. Raises `InvalidInput`."""
    if record.reference_answer is None:
        raise InvalidInput("reference", "this run has no reference answer, so rollouts cannot be graded")
    if record.status == "running":
        raise InvalidInput("run", "the run is still going on; estimate its steps when it has ended")
    if not 1 <= k <= MOST:
        raise InvalidInput("rollouts", f"give 1 to {MOST} rollouts a step")
    if which == "path" and tree.chosen is None:
        raise InvalidInput("which", "no answer was chosen, so there is no chosen path; estimate this step or all")
    end = tree[selected] if which == "step" else tree[tree.chosen or 0]
    asked = tree.nodes[1:] if which == "all" else tree.path(end) if which == "path" else [end][: end.depth]
    if not asked:
        raise InvalidInput("step", "select a step of the tree first")
    steps = [node for node in asked if node.finish in ("step", "eos") and node.text.strip()]
    fresh = [node for node in steps if ROLLOUTS not in node.scores]
    if not fresh:
        known = "this step has its estimate already" if which == "step" else "these steps have their estimates already"
        raise InvalidInput("step", known if steps else "nothing can follow here: the step was cut")
    return fresh


def tokens_about(tree: Tree, nodes: Sequence[Node], k: int) -> int:
    """About how many tokens the rollouts will write: as long as the run's own completions were from there on."""
    lengths = [sum(step.tokens for step in tree.path(leaf)) for leaf in tree.completions()]
    usual = sum(lengths) / len(lengths) if lengths else 0.0
    left = (usual - sum(step.tokens for step in tree.path(node)) for node in nodes if not node.terminal)
    return round(sum(k * max(1.0, each) for each in left))


async def roll_out(
    record: RunRecord, tree: Tree, nodes: Sequence[Node], k: int, policy: Policy, domain: Domain, params: RunParams,
    progress: Callable[[int], object] = lambda _: None,
) -> RolledOut:  # fmt: skip
    """`k` rollouts below each of `nodes`, sampled as `params` say; `progress` hears of how many steps are done."""
    assert record.reference_answer is not None
    meter = Meter(policy.info, None)
    session = policy.session(record.problem)
    room, done = asyncio.Semaphore(_AT_ONCE), 0

    async def one(node: Node) -> StepScored | None:
        nonlocal done
        async with room:
            score = await _estimate(record, tree, node, k, policy, session, domain, params, meter)
        done += 1
        progress(done)
        return score

    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one(node)) for node in nodes]
    finally:
        session.close()
    scores = [score for task in tasks if (score := task.result()) is not None]
    return RolledOut(tuple(replace(score, seq=seq) for seq, score in enumerate(scores, 1)), meter.usage())


async def _estimate(
    record: RunRecord, tree: Tree, node: Node, k: int, policy: Policy, session: PolicySession, domain: Domain,
    params: RunParams, meter: Meter,
) -> StepScored | None:  # fmt: skip
    """None where no rollout can be decided. A step that ended an answer needs none: it is right or wrong."""
    if node.terminal:
        grade = record.grades.get(node.answer) if node.answer is not None else None
        correct = grade.correct if grade else (False if node.answer is None else None)
        value = float(bool(correct))
        ended = StepScored(0, node.id, ROLLOUTS, value, "estimated", 1, value, value)
        return None if correct is None else ended
    sampling = Sampling(params.temperature, params.top_p, max_tokens=params.max_tokens)
    search = Search(
        record.problem, session, None, domain, meter, lambda events, usage: None, sampling=sampling, seed=params.seed,
        n=k, max_steps=params.max_steps,
    )  # fmt: skip
    drawn = sum(child.copies for child in tree.children(node))
    fork = Fork(record.id, node.id, tuple(tree.path(node)), record.policy, drawn=drawn)
    search.plant(fork.planted(policy), drawn)
    await search.complete(k)
    leaves = list(search.tree.completions())
    grades = await domain.grades({leaf.answer for leaf in leaves if leaf.answer is not None}, record.reference_answer)
    outcomes = [(grades[leaf.answer].correct if leaf.answer is not None else False, leaf.copies) for leaf in leaves]
    undecided = sum(copies for correct, copies in outcomes if correct is None)
    right = sum(copies for correct, copies in outcomes if correct)
    return StepScored.estimate(0, node.id, ROLLOUTS, right, k - undecided) if k > undecided else None


async def roll_out_recorded(
    store: Store, record: RunRecord, tree: Tree, nodes: Sequence[Node], k: int, policy: Policy, domain: Domain,
    params: RunParams, progress: Callable[[int], object] = lambda _: None,
) -> ScoringRecord:  # fmt: skip
    """As `roll_out`, and add what came of it to the recorded run, with its bill. Raises `InvalidInput`."""
    rolled = await roll_out(record, tree, nodes, k, policy, domain, params, progress)
    if not rolled.scores:
        raise InvalidInput("step", "no rollout could be graded")
    judge = ModelInfo(ROLLOUTS, policy.info.parameters, policy.info.context_window, policy.info.digest)
    return await asyncio.to_thread(store.add_scoring, record.id, judge, "estimated", rolled.scores, rolled.usage)
