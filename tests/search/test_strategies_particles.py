"""Particle filtering: how chances follow from scores, and particles from chances."""

from __future__ import annotations

import math
from random import Random

import pytest
from support.recorded import solve, solve_with
from support.scripted import ScriptedPolicy, ScriptedScorer

from engine.models.catalogue.catalogue import Models
from engine.search.domain import Domain
from engine.search.draws import chance
from engine.search.events import Decision, Finish
from engine.search.strategies.particle_filtering import log_odds, systematic, tempered


def test_weights_are_log_odds_that_stay_finite() -> None:
    assert log_odds(0.5) == 0
    assert log_odds(0.9) == pytest.approx(math.log(9))
    assert [log_odds(1), log_odds(0)] == pytest.approx([16.118, -16.118], abs=1e-3)


def test_systematic_resampling_rounds_every_share_up_or_down() -> None:
    dice = Random(5)
    for _ in range(500):
        n, sizes = dice.randint(1, 64), [dice.random() ** 4 for _ in range(dice.randint(1, 20))]
        chances = [size / sum(sizes) for size in sizes]
        drawn = systematic(chances, n, dice.random())
        assert sum(drawn) == n
        for count, p in zip(drawn, chances, strict=True):
            assert math.floor(n * p - 1e-9) <= count <= math.ceil(n * p + 1e-9)


def test_over_all_starting_points_each_gets_its_share() -> None:
    chances, steps = [0.5, 0.3, 0.15, 0.05], 1000
    totals = [0, 0, 0, 0]
    for step in range(steps):
        for place, count in enumerate(systematic(chances, 8, step / steps)):
            totals[place] += count
    assert [total / steps for total in totals] == pytest.approx([8 * p for p in chances], abs=0.01)


def test_a_temperature_keeps_few_heavy_particles_from_taking_all_early_on() -> None:
    weights = [4.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]
    held = [1] * 8
    early, share, temperature = tempered(weights, held, 0.1)
    assert share < 0.5 and temperature == pytest.approx(0.9 / share)
    late, same, one = tempered(weights, held, 0.5)
    assert (same, one) == (share, 1.0)
    assert early[0] < late[0] == pytest.approx(math.exp(4) / (math.exp(4) + 7))
    assert sum(early) == pytest.approx(1) == sum(late)


def test_equal_particles_are_one_with_their_sum() -> None:
    apart, share, heat = tempered([2.0, 2.0, 2.0, 0.0], [1, 1, 1, 1], 0.9)
    together, same, heats = tempered([2.0, 0.0], [3, 1], 0.9)
    assert together == pytest.approx([sum(apart[:3]), apart[3]])
    assert (same, heats) == pytest.approx((share, heat))


def test_chance_depends_on_the_seed_and_the_step_alone() -> None:
    assert chance(7, 1) == chance(7, 1)
    assert len({chance(seed, step) for seed in range(20) for step in range(20)}) == 400
    assert all(0 <= chance(seed, 0) < 1 for seed in range(100))


async def test_what_ended_keeps_its_weight_and_the_poor_lose_their_place(maths: Domain) -> None:
    def script(path: str, index: int) -> tuple[str, Finish]:
        if not path:
            return (r"\boxed{7}", "eos") if index == 0 else (f"{'abcd'[index]}\n\n", "step")
        return (rf"\boxed{{{index}}}", "eos") if path.count("\n\n") == 3 else ("so\n\n", "step")

    values = {"\\": 0.9, "b": 0.9, "c": 0.001, "d": 0.001}
    run = await solve_with(
        ScriptedPolicy(script), ScriptedScorer(lambda path: values[path[0]]), maths,
        strategy="particle_filtering", n=4, max_steps=8, problem="p",
    )  # fmt: skip
    first = {node.text[0]: node for node in run.tree.children(run.tree.root)}
    assert {text: node.status for text, node in first.items()} == {
        "\\": "finished", "b": "kept", "c": "pruned", "d": "pruned",
    }  # fmt: skip
    assert len([d for d in first["\\"].decisions if d.reason == "resampled"]) == 3  # until the others ended, too
    for decision in (d for node in run.tree.nodes for d in node.decisions if d.reason == "resampled"):
        assert (decision.numbers["resampled"] > 0) == (decision.action == "keep")


@pytest.mark.parametrize("seed", range(3))
async def test_there_are_n_particles_at_every_step(models: Models, maths: Domain, seed: int) -> None:
    run = await solve(models, maths, strategy="particle_filtering", n=16, seed=seed, temperature=1.2)
    steps: dict[float, list[Decision]] = {}
    for event in run.events:
        if isinstance(event, Decision) and event.reason == "resampled":
            steps.setdefault(event.numbers["step"], []).append(event)
    assert steps
    for decisions in steps.values():
        assert sum(d.numbers["particles"] for d in decisions) == sum(d.numbers["resampled"] for d in decisions) == 16
        assert sum(d.numbers["probability"] for d in decisions) == pytest.approx(1)
        heaviest = max(decisions, key=lambda d: d.numbers["probability"])
        assert heaviest.action == "keep"
    assert run.last.answer is not None
