"""A judge reads trees that are there already: each step once, with a bill of its own.

What a run was decided on stays as it was; see `engine.store.scorings`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from engine.errors import InvalidInput
from engine.search.cost import Meter
from engine.search.events import ModelInfo, StepScored, Usage
from engine.search.policy import DELIMITER
from engine.search.prm_window import WindowedScore, WindowedScorer
from engine.search.scorer import Forecaster, Scorer
from engine.search.tree import Node, Tree
from engine.store import ScoringRecord, Store

#: Runs that are read at once: a local judge puts the steps of all of them into its batches.
_AT_ONCE = 16

_NO_POLICY = ModelInfo("", 0, 0)

S = TypeVar("S")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class TreeScores:
    """What a judge says of a tree, what that took, and how many steps did not fit its window."""

    scores: tuple[StepScored, ...]
    usage: Usage
    too_long: int


class Sitting:
    """A judge at work on one tree, which may grow meanwhile: what it has read before is not read again."""

    def __init__(self, tree: Tree, scorer: Scorer) -> None:
        self._tree, self._scorer = tree, scorer
        self._session = scorer.session(tree.root.text)
        self._windowed = WindowedScorer(self._session, scorer.info)

    async def score(self, due: Sequence[Node]) -> TreeScores:
        """Score these steps, whose scores are counted from 1 in the order of depth and id.

        Whole stretches without a branching are read at once: a causal judge has the scores of all their steps then, so
        that the others, which are asked for last, cost nothing.
        """
        meter = Meter(_NO_POLICY, self._scorer.info)
        values: dict[int, WindowedScore] = {}
        for nodes in _turns(self._tree, due):
            judged = await self._windowed.score([self._tree.path(node) for node in nodes], meter.scorer_cost)
            values |= {node.id: score for node, score in zip(nodes, judged, strict=True)}
        name, scores = self._scorer.info.name, list[StepScored]()
        for node in sorted(due, key=lambda node: (node.depth, node.id)):
            if (value := values[node.id].value) is not None:
                critique = values[node.id].critique
                scores.append(StepScored(len(scores) + 1, node.id, name, value, critique=critique))
        return TreeScores(tuple(scores), meter.usage(), len(due) - len(scores))

    def close(self) -> None:
        self._session.close()


def _turns(tree: Tree, due: Sequence[Node]) -> Iterator[list[Node]]:
    """The steps in the order in which they are asked for: the ends of stretches, those nearest to the root first, then
    all others."""
    wanted = {node.id for node in due}
    turns: dict[int, list[Node]] = {}
    before = [0] * len(tree)  # ends on the way to each node, itself included
    inside = []
    for node in tree.nodes[1:]:
        assert node.parent is not None
        before[node.id] = before[node.parent]
        if node.id in wanted:
            if sum(child in wanted for child in node.children) == 1:
                inside.append(node)
            else:
                before[node.id] += 1
                turns.setdefault(before[node.id], []).append(node)
    yield from (turns[turn] for turn in sorted(turns))
    if inside:
        yield inside


async def score_tree(tree: Tree, scorer: Scorer, *, known: Collection[int] = ()) -> TreeScores:
    """Score every step that can be judged, but those that are `known`; the seqs of the scores count from 1."""
    sitting = Sitting(tree, scorer)
    try:
        return await sitting.score([node for node in tree.nodes[1:] if node.scorable and node.id not in known])
    finally:
        sitting.close()


async def score_trees(
    trees: Sequence[Tree], scorer: Scorer, progress: Callable[[TreeScores], object] = lambda _: None
) -> list[TreeScores]:
    """Every tree, several at once, in their order; `progress` is told of each."""
    return await _several(trees, lambda tree: score_tree(tree, scorer), progress)


async def _several(items: Sequence[S], work: Callable[[S], Awaitable[T]], progress: Callable[[T], object]) -> list[T]:
    """`work` on each, `_AT_ONCE` at a time; what comes of them, in their order."""
    room = asyncio.Semaphore(_AT_ONCE)

    async def one(item: S) -> T:
        async with room:
            done = await work(item)
        progress(done)
        return done

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(one(item)) for item in items]
    return [task.result() for task in tasks]


def positions_about(tree: Tree, scorer: Scorer) -> int:
    """About how many positions `score_tree` will compute: the judge's own for the problem, the policy's tokens for the
    steps, where they are known, else the judge's and one a step for its mark; what a `Forecaster` says they take."""
    problem, steps = tree.root.text, [node for node in tree.nodes[1:] if node.scorable]
    told, untold = [node.tokens for node in steps], [node.text for node in steps if not node.tokens]
    read = scorer.positions_about(told) if isinstance(scorer, Forecaster) else sum(told)
    return scorer.prompt_tokens(problem) + read + tokens_about(scorer, problem, untold)


def tokens_about(scorer: Scorer, problem: str, steps: Sequence[str]) -> int:
    """About how many positions these steps take, counted with the judge's own tokenizer; one more a step for its
    mark."""
    if not steps:
        return 0
    text = "".join(f"{DELIMITER}{step}" for step in steps)
    return scorer.prompt_tokens(problem + text) - scorer.prompt_tokens(problem) + len(steps)


@dataclass(frozen=True, slots=True)
class Rescored:
    """What became of one run: the scoring that was added, or in `refused` why there is none."""

    run_id: str
    scoring: ScoringRecord | None = None
    steps: int = 0
    too_long: int = 0
    refused: str | None = None


async def rescore(
    store: Store, run_ids: Sequence[str], scorer: Scorer, progress: Callable[[Rescored], object] = lambda _: None
) -> list[Rescored]:
    """Add a judge's scores to recorded runs; what it has scored already is left as it is.

    `progress` is told of each run when its scores are committed, so that cancelling loses only those under way. In the
    order of `run_ids`.
    """

    async def one(run_id: str) -> Rescored:
        try:
            return await _rescore_one(store, run_id, scorer)
        except InvalidInput as error:
            return Rescored(run_id, refused=error.message)

    return await _several(run_ids, one, progress)


async def _rescore_one(store: Store, run_id: str, scorer: Scorer) -> Rescored:
    record, events = await asyncio.to_thread(store.read, run_id)
    name = scorer.info.name
    if record.judge == name:
        return Rescored(run_id, refused=f"{name} decided this run, so its scores are there")
    if record.status == "running":
        return Rescored(run_id, refused="the run is still running; score it when it has ended")
    tree = await asyncio.to_thread(Tree.from_events, events)
    known = {node.id for node in tree.nodes if name in node.scores}
    read = await score_tree(tree, scorer, known=known)
    if not read.scores:
        why = f"{name} has scored its steps already" if known else "it has no step that can be scored"
        return Rescored(run_id, too_long=read.too_long, refused=why)
    scoring = await asyncio.to_thread(store.add_scoring, run_id, scorer.info, "measured", read.scores, read.usage)
    return Rescored(run_id, scoring, len(read.scores), read.too_long)
