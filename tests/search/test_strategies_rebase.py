"""REBASE: how the draws are shared, and that shares are what is drawn."""

from __future__ import annotations

import math

import pytest
from support.recorded import solve_with
from support.scripted import ScriptedPolicy, ScriptedScorer

from engine.search.domain import Domain
from engine.search.events import Finish
from engine.search.strategies.rebase import BALANCE, shares


@pytest.mark.parametrize("draws", [0, 1, 3, 7, 64])
@pytest.mark.parametrize("values", [[0.9], [0.9, 0.9, 0.9], [0.9, 0.8, 0.3], [1.0, 0.0], [0.5, 0.49, 0.48, 0.2, 0.1]])
def test_shares_are_the_softmax_in_whole_draws(values: list[float], draws: int) -> None:
    given = shares(values, draws)
    total = sum(math.exp(value / BALANCE) for value in values)
    assert sum(given) == draws
    assert given == sorted(given, reverse=True)
    for value, share in zip(values, given, strict=True):
        assert abs(share - draws * math.exp(value / BALANCE) / total) < 1


def test_nothing_open_takes_nothing() -> None:
    assert shares([], 8) == []
    assert shares([0.5], -1) == [0]


async def test_better_steps_get_more_draws(maths: Domain) -> None:
    values = {"a": 0.9, "b": 0.8, "c": 0.1, "d": 0.1}

    def script(path: str, index: int) -> tuple[str, Finish]:
        return (f"{'abcd'[index]}\n\n", "step") if not path else (rf"\boxed{{{index}}}", "eos")

    run = await solve_with(
        ScriptedPolicy(script), ScriptedScorer(lambda path: values[path[0]]), maths, strategy="rebase", n=4,
        problem="p",
    )  # fmt: skip
    drawn = {
        node.text[0]: (node.status, sum(child.copies for child in run.tree.children(node)))
        for node in run.tree.children(run.tree.root)
    }
    assert drawn == {"a": ("kept", 3), "b": ("kept", 1), "c": ("pruned", 0), "d": ("pruned", 0)}
    assert [node.decisions[0].numbers["k"] for node in run.tree.children(run.tree.root)] == [2] * 4
