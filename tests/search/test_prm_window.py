"""A path too long for the PRM: not scored, scored on its last steps, or the end of the run; always recorded."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from support.recorded import Recorded, solve_with
from support.scripted import ScriptedPolicy, ScriptedScorer, letters

from engine.errors import InvalidInput
from engine.search.domain import Domain
from engine.search.params import RunParams
from engine.search.strategies import STRATEGIES
from engine.search.tree import Node

SCORED = [name for name, strategy in STRATEGIES.items() if strategy.scored]
#: Of a chain like `a`, `b`, `\boxed{c}` (3 + 3 + 9 characters) the last two steps fit.
WINDOW = 12


def value(path: str) -> float:
    return (sum(map(ord, path)) % 97) / 97


async def search(maths: Domain, scorer: ScriptedScorer, strategy: str, **params: Any) -> Recorded:
    asked = {"n": 8, "width": 4} | params
    return await solve_with(ScriptedPolicy(letters()), scorer, maths, strategy=strategy, problem="p", **asked)


def leaves(run: Recorded) -> list[Node]:
    found = [node for node in run.tree.nodes if node.depth == 3]
    assert found
    return found


@pytest.mark.parametrize("strategy", SCORED)
async def test_skip_is_the_default_and_scores_what_fits(maths: Domain, strategy: str) -> None:
    scorer = ScriptedScorer(value, WINDOW)
    run = await search(maths, scorer, strategy)
    assert run.last.status == "done"
    for node in leaves(run):
        assert node.scores == {}
        judged = [decision for decision in node.decisions if decision.reason == "prm_window"]
        assert [(each.action, each.numbers) for each in judged] == [
            ("expand", {"tokens": 15, "window": WINDOW, "steps": 3, "read": 0})
        ]
    assert all(node.scores and node.too_long is None for node in run.tree.nodes[1:] if node.depth < 3)
    assert set(Counter(scorer.asked).values()) == {1}  # nor is a path that does not fit asked for again


@pytest.mark.parametrize("strategy", SCORED)
async def test_left_reads_as_many_of_the_last_steps_as_fit(maths: Domain, strategy: str) -> None:
    run = await search(maths, ScriptedScorer(value, WINDOW), strategy, prm_window="left")
    assert run.last.status == "done"
    for node in leaves(run):
        kept = "".join(step.text for step in run.tree.path(node)[1:])
        assert node.scores == {"judge": value(kept)}
        assert node.too_long and node.too_long.numbers == {"tokens": 15, "window": WINDOW, "steps": 3, "read": 2}


async def test_a_path_leaves_out_no_fewer_steps_than_the_one_it_continues(maths: Domain) -> None:
    """Whole paths are asked for first; what is left out above is not tried again below."""
    scorer = ScriptedScorer(value, 4)
    run = await solve_with(
        ScriptedPolicy(letters(5)), scorer, maths, strategy="best_of_n", n=1, problem="p", prm_window="left"
    )
    a = "a\n\n"
    assert scorer.asked[:6] == [a, a * 2, a, a * 3, a * 2, a]
    assert scorer.asked[6:9] == [a * 4, a * 2, a]  # not `a * 3`
    assert [bool(node.scores) for node in run.tree.nodes[1:]] == [True] * 4 + [False]
    assert run.tree.nodes[-1].too_long and run.tree.nodes[-1].too_long.numbers["read"] == 0  # alone it is too long


@pytest.mark.parametrize("strategy", SCORED)
async def test_refuse_ends_the_run_and_keeps_its_tree(maths: Domain, strategy: str) -> None:
    run = await search(maths, ScriptedScorer(value, WINDOW), strategy, prm_window="refuse")
    assert run.last.status == "failed"
    assert run.last.error == (
        "a path of 15 tokens does not fit the window of judge (12); limit max_tokens, or give prm_window skip or left"
    )
    assert any(node.too_long for node in leaves(run))
    assert run.scored


@pytest.mark.parametrize("prm_window", ["skip", "left", "refuse"])
async def test_what_fits_is_the_same_under_all_of_them(maths: Domain, prm_window: str) -> None:
    run = await search(maths, ScriptedScorer(value, 15), "beam_search", prm_window=prm_window)
    same = await search(maths, ScriptedScorer(value), "beam_search")
    assert run.last.status == "done"
    assert [node.scores for node in run.tree.nodes] == [node.scores for node in same.tree.nodes]
    assert not any(node.too_long for node in run.tree.nodes)
    assert run.usage.scored_tokens == same.usage.scored_tokens


def test_it_is_a_parameter_of_runs_with_a_prm_and_recorded_where_it_was_asked_for() -> None:
    assert RunParams("best_of_n", prm_window="left").recorded()["prm_window"] == "left"
    assert "prm_window" not in RunParams("best_of_n").recorded()
    assert "prm_window" not in RunParams("majority_vote", prm_window="left").recorded()
    with pytest.raises(InvalidInput, match="prm_window: unknown PRM window 'right'; choose one of skip, left, refuse"):
        RunParams(prm_window="right")
