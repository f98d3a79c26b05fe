"""VG-Search: beam search where g is 1, and an end that is seen at once where it is larger."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import pytest
from support.recorded import solve, solve_with
from support.scripted import ScriptedPolicy, ScriptedScorer

from engine.models.catalogue.catalogue import Models
from engine.search.domain import Domain
from engine.search.events import Decision, Event, Finish, RunStarted


def facts(events: list[Event]) -> list[dict[str, Any]]:
    return [asdict(event) for event in events if not isinstance(event, RunStarted)]


@pytest.mark.parametrize("finished", ["bank", "compete"])
@pytest.mark.parametrize("beams", ["draws", "distinct"])
@pytest.mark.parametrize("seed", range(3))
async def test_one_step_between_rankings_is_beam_search_event_for_event(
    models: Models, maths: Domain, seed: int, finished: str, beams: str
) -> None:
    asked = {"n": 16, "width": 4, "seed": seed, "finished": finished, "beams": beams, "temperature": 1.2}
    beam = await solve(models, maths, strategy="beam_search", **asked)
    vg = await solve(models, maths, strategy="vg_search", granularity=1, **asked)
    assert facts(vg.events) == facts(beam.events)


@pytest.mark.parametrize("granularity", [2, 3, 4])
async def test_beams_branch_at_every_gth_step_only(maths: Domain, granularity: int) -> None:
    def script(path: str, index: int) -> tuple[str, Finish]:
        depth = path.count("\n\n")
        return (rf"\boxed{{{index}}}", "eos") if depth == 9 else (f"{'abcdefgh'[index % 8]}\n\n", "step")

    run = await solve_with(
        ScriptedPolicy(script), ScriptedScorer(lambda path: 0.1 + sum(map(ord, path)) % 89 / 100), maths,
        strategy="vg_search", n=8, width=4, granularity=granularity, problem="p",
    )  # fmt: skip
    ranked = {run.tree[d.node].depth for d in run.events if isinstance(d, Decision) and d.reason == "rank"}
    assert ranked == set(range(1, 10, granularity))
    for node in run.tree.nodes[1:]:
        if node.children and node.depth in ranked:
            slots = node.decisions[-1].numbers["slots"]
            draws = sum(child.copies for child in run.tree.children(node))
            if granularity > 1:
                assert draws == slots  # one draw a beam, unless the next step is ranked
    branching = [node.depth for node in run.tree.nodes[1:] if len(node.children) > 2]
    assert set(branching) <= set(range(granularity, 10, granularity))


async def test_a_beam_that_ends_between_rankings_is_not_drawn_further(maths: Domain) -> None:
    def script(path: str, index: int) -> tuple[str, Finish]:
        return (r"\boxed{1}", "eos") if path else (f"{'ab'[index % 2]}\n\n", "step")

    policy = ScriptedPolicy(script)
    run = await solve_with(
        policy, ScriptedScorer(lambda path: 0.9 if path[0] == "a" else 0.2), maths,
        strategy="vg_search", n=4, width=2, granularity=4, problem="p",
    )  # fmt: skip
    assert run.last.answer == "1"
    assert len(policy.draws) == 4 + 2  # N first steps; then each of the K = 2 beams ends with its first step alone
    assert all(leaf.scores for leaf in run.tree.completions())


async def test_more_steps_between_rankings_cost_fewer_tokens(models: Models, maths: Domain) -> None:
    spent = []
    for granularity in (1, 2, 4):
        runs = [
            await solve(models, maths, strategy="vg_search", n=16, width=4, seed=seed, granularity=granularity)
            for seed in range(3)
        ]
        spent.append(sum(run.usage.generated_tokens for run in runs))
    assert spent == sorted(spent, reverse=True)
