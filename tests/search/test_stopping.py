"""Stopping early: the Beta criterion, and that a stopped run is the beginning of the one that drew all N."""

from __future__ import annotations

import math
from collections import Counter
from random import Random

import pytest
from support.recorded import Recorded, solve, solve_with
from support.scripted import ScriptedPolicy, ScriptedScorer

from engine.errors import InvalidInput
from engine.models.catalogue.catalogue import Models
from engine.search.domain import Domain
from engine.search.events import Decision, Finish
from engine.search.params import RunParams
from engine.search.stopping import certainty, least_more, sure, threshold_of


def test_the_criterion_is_the_tail_of_the_beta_distribution() -> None:
    """Against the integral of the density above a half, by the midpoint rule."""
    for first, second in [(1, 0), (4, 0), (3, 1), (7, 2), (20, 19)]:
        xs = [0.5 + (i + 0.5) / 20_000 for i in range(10_000)]
        beta = math.factorial(first) * math.factorial(second) / math.factorial(first + second + 1)
        tail = sum(x**first * (1 - x) ** second for x in xs) / 20_000 / beta
        assert certainty(first, second) == pytest.approx(tail, abs=1e-6)
    assert certainty(4, 0) == pytest.approx(0.96875)
    assert certainty(6, 6) == pytest.approx(0.5)


def test_unanimous_answers_stop_at_four() -> None:
    assert [sure(Counter({"a": n}), 0.95) for n in range(1, 6)] == [False, False, False, True, True]
    assert not sure(Counter({"a": 1}), 0.5)  # one always agrees with itself
    assert sure(Counter({"a": 2}), 0.5)


def test_a_wave_is_never_longer_than_a_search_that_looks_after_every_draw() -> None:
    dice = Random(3)
    for _ in range(300):
        threshold, share = dice.choice([0.5, 0.8, 0.95, 0.99]), dice.choice([0.3, 0.5, 0.7, 0.95])
        draws = ["a" if dice.random() < share else dice.choice("bcd") for _ in range(64)]
        one_by_one = next((m for m in range(65) if sure(Counter(draws[:m]), threshold)), 64)
        drawn = 0
        while drawn < 64 and not sure(Counter(draws[:drawn]), threshold):
            drawn += least_more(Counter(draws[:drawn]), threshold, 64 - drawn)
        assert drawn == one_by_one


@pytest.mark.parametrize("wrong", ["0.95", "beta", "beta:", "beta:1", "beta:0.3", "beta:nan", "gamma:0.9", ""])
def test_what_is_no_rule_is_refused_by_name(wrong: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        RunParams("majority_vote", stop=wrong)
    assert refused.value.argument == "stop" and "beta:0.95" in refused.value.message
    assert RunParams("beam_search", stop=wrong)  # it means nothing there
    assert threshold_of(" beta:0.5 ") == 0.5


def chains(run: Recorded) -> Counter[tuple[str, ...]]:
    """The draws that ended, as the texts of their steps."""
    tree = run.tree
    return Counter(
        {tuple(step.text for step in tree.path(leaf)): leaf.copies for leaf in tree.completions()}
    )  # fmt: skip


@pytest.mark.parametrize("strategy", ["majority_vote", "best_of_n"])
@pytest.mark.parametrize("seed", range(4))
async def test_a_stopped_run_is_the_beginning_of_the_whole_one(
    models: Models, maths: Domain, strategy: str, seed: int
) -> None:
    run = await solve(models, maths, strategy=strategy, n=32, seed=seed, temperature=1.2, stop="beta:0.9")
    drawn = sum(node.copies for node in run.tree.children(run.tree.root))
    first = await solve(models, maths, strategy=strategy, n=drawn, seed=seed, temperature=1.2)
    assert chains(run) == chains(first)
    whole = await solve(models, maths, strategy=strategy, n=32, seed=seed, temperature=1.2)
    assert chains(run) <= chains(whole)
    assert run.usage.generated_tokens == sum(node.tokens * node.copies for node in run.tree.nodes[1:])
    stops = [event for event in run.events if isinstance(event, Decision) and event.reason == "beta_stop"]
    if drawn == 32:
        assert not stops and run.last.stop_reason is None
    else:
        (stop,) = stops
        assert run.last.stop_reason == "agreement"
        assert stop.numbers["drawn"] == drawn and stop.numbers["probability"] >= 0.9
        before = stop.numbers["leading"] - 1  # without the last draw, which gave the leading answer, it was not sure
        assert certainty(int(before), int(stop.numbers["second"])) < 0.9 or before + stop.numbers["second"] < 2


async def test_equal_spellings_are_one_answer_and_no_answer_is_no_vote(maths: Domain) -> None:
    said = [r"\boxed{0.5}", r"\boxed{ 0.5 }", "I do not know", r"\boxed{0.5\ }", r"\boxed{0.5}"]

    def script(path: str, index: int) -> tuple[str, Finish]:
        return said[index % len(said)], "eos"

    run = await solve_with(
        ScriptedPolicy(script), ScriptedScorer(lambda path: 0.5), maths, strategy="best_of_n", n=16, problem="p",
        stop="beta:0.95",
    )  # fmt: skip
    (stop,) = [event for event in run.events if isinstance(event, Decision) and event.reason == "beta_stop"]
    assert {key: stop.numbers[key] for key in ("leading", "second", "votes", "drawn")} == {
        "leading": 4, "second": 0, "votes": 4, "drawn": 5,
    }  # fmt: skip
    assert len(run.scored) == len({event.node for event in run.scored}) > 0


async def test_a_budget_ends_a_search_that_would_go_on(models: Models, maths: Domain) -> None:
    run = await solve(models, maths, strategy="majority_vote", n=64, stop="beta:0.999999", max_tokens_total=150)
    assert (run.last.stop_reason, run.usage.generated_tokens) == ("budget", 150)
