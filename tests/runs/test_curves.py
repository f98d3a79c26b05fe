"""Points, ceilings, difficulty and envelopes computed from rows; the arithmetic by hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from engine.runs.statistics.accuracies import bootstrap
from engine.runs.sweeps.curves import Among, ceiling, compared, difficulties, grouped, points, shared_problems
from engine.runs.sweeps.envelope import flattering, halved
from engine.runs.sweeps.measured import Configuration, Measured
from engine.runs.sweeps.published import AIME, MATH, of_table

BEAM = Configuration("xs", "prm", "beam_search", "prm_last_vote", 4)
MAJORITY = Configuration("xs", None, "majority_vote", "majority_vote", 4)


def row(of: Configuration, problem: str, right: float, seed: int = 0, tokens: float = 100.0) -> Measured:
    return Measured(
        sweep="s", run_id=f"{of.strategy}-{of.n}-{problem}-{seed}", problem=problem, configuration=of, seed=seed,
        right=right, pass_any=None, drawn_right=None, drawn=None, policy_parameters=10, generated_tokens=tokens,
        prefilled_tokens=5.0, scored_tokens=tokens, flops_policy=20 * tokens, flops_all=50 * tokens,
        wall_s=tokens / 100,
    )  # fmt: skip


def rows(of: Configuration, rights: Sequence[float], **more: float) -> list[Measured]:
    return [row(of, f"p{place:03}", right, **more) for place, right in enumerate(rights)]  # type: ignore[arg-type]


def drawn(of: Configuration, problem: str, right: int, of_drawn: int, pass_any: float) -> Measured:
    return replace(row(of, problem, 0.0), drawn_right=right, drawn=of_drawn, pass_any=pass_any)


def test_a_problem_counts_once_however_many_seeds_it_has() -> None:
    measured = [row(BEAM, "a", 1.0), row(BEAM, "a", 0.0, seed=1), row(BEAM, "a", 0.0, seed=2), row(BEAM, "b", 1.0)]
    [point] = points(grouped(measured))
    assert list(point.right) == pytest.approx([1 / 3, 1.0])
    assert point.accuracy.mean == pytest.approx(2 / 3)
    assert point.seeds == 3


def test_costs_are_means_over_problems_of_means_over_seeds() -> None:
    measured = [
        row(BEAM, "a", 1.0, tokens=100.0), row(BEAM, "a", 1.0, seed=1, tokens=300.0), row(BEAM, "b", 0.0, tokens=400.0),
    ]  # fmt: skip
    [point] = points(grouped(measured))
    assert point.costs == {"n": 4.0, "tokens": 300.0, "flops_policy": 6000.0, "flops_all": 15000.0, "seconds": 3.0}


def test_the_interval_is_the_bootstraps_over_problems() -> None:
    rights = [float(place % 3 > 0) for place in range(150)]
    [point] = points(grouped(rows(BEAM, rights)))
    one_by_one = bootstrap(rights)
    assert point.accuracy.mean == pytest.approx(one_by_one.mean)
    assert (point.accuracy.low, point.accuracy.high) == pytest.approx((one_by_one.low, one_by_one.high), abs=1 / 150)


def test_points_can_be_held_to_the_problems_that_all_of_them_have() -> None:
    groups = grouped([*rows(BEAM, [1, 1, 0]), *rows(MAJORITY, [0, 1])])
    names = shared_problems(groups)
    assert names == {"p000", "p001"}
    assert {point.configuration: point.accuracy.mean for point in points(groups, Among(names))} == {
        BEAM: 1.0, MAJORITY: 0.5,
    }  # fmt: skip


def test_the_bin_is_that_of_the_policys_own_draws_and_the_most_of_them() -> None:
    few = replace(MAJORITY, n=4)
    many = replace(MAJORITY, n=64)
    groups = grouped([
        drawn(few, "a", 4, 4, 1.0), drawn(many, "a", 6, 64, 0.9), drawn(many, "b", 32, 64, 1.0),
        drawn(many, "c", 7, 64, 0.9), row(BEAM, "d", 1.0),
    ])  # fmt: skip
    assert difficulties(groups) == {"xs": {"a": "hard", "b": "easy", "c": "medium"}}


def test_only_the_problems_of_a_bin_count_where_one_is_asked_for() -> None:
    bins = {"xs": {"p000": "hard", "p001": "easy"}}
    [point] = points(grouped(rows(BEAM, [1.0, 0.0, 0.0])), Among(bin="hard", bins=bins))
    assert (point.problems, point.accuracy.mean, point.bin) == (("p000",), 1.0, "hard")


def test_the_ceiling_is_pass_at_n_once_whoever_judged_the_draws() -> None:
    judged = [replace(BEAM, strategy="best_of_n", scorer=judge) for judge in ("prm", "weak")]
    shares = {"a": 1.0, "b": 0.5}
    measured = [drawn(of, name, 1, 4, share) for of in (*judged, MAJORITY) for name, share in shares.items()]
    [point] = ceiling(grouped([*measured, row(BEAM, "a", 0.0)]))
    assert (point.configuration, point.accuracy.mean) == (MAJORITY, 0.75)


def test_the_envelope_on_the_same_problems_only_rises() -> None:
    cheap, dear, dearest = (replace(BEAM, n=n) for n in (4, 16, 64))
    measured = [
        *rows(cheap, [1, 0, 0, 0], tokens=10.0), *rows(dear, [1, 1, 1, 0], tokens=40.0),
        *rows(dearest, [1, 1, 0, 0], tokens=160.0),
    ]  # fmt: skip
    best = flattering(points(grouped(measured)), "tokens")
    assert [(each.budget, each.accuracy.mean, each.chosen) for each in best] == [
        (10.0, 0.25, (cheap,)), (40.0, 0.75, (dear,)),
    ]  # fmt: skip


def test_chosen_on_halves_the_envelope_does_not_flatter_itself() -> None:
    """Twenty configurations that are right by chance: the best of them seems better than it is."""
    random = np.random.default_rng(1)
    made = [
        point for n in range(1, 21)
        for point in points(grouped(rows(replace(BEAM, n=n), list(random.integers(0, 2, 60).astype(float)))))
    ]  # fmt: skip
    alike = [replace(point, costs={**point.costs, "n": 1.0}) for point in made]
    same, fair = flattering(alike, "n")[-1], halved(alike, "n")[-1]
    assert same.accuracy.mean > 0.58
    assert fair.accuracy.mean < same.accuracy.mean - 0.05
    assert fair.accuracy.low < 0.5 < fair.accuracy.high


def test_on_halves_the_clear_winner_is_chosen_and_ties_go_to_the_cheaper() -> None:
    good, bad = replace(BEAM, n=4), replace(BEAM, n=8)
    made = points(grouped([*rows(good, [1.0] * 20), *rows(bad, [1.0] * 20)]))
    assert [(each.budget, each.chosen, each.accuracy.mean) for each in halved(made, "n")] == [(4.0, (good,), 1.0)]
    made = points(grouped([*rows(good, [0.0] * 20), *rows(bad, [1.0] * 20)]))
    assert [(each.budget, each.chosen) for each in halved(made, "n")] == [(4.0, (good,)), (8.0, (bad,))]


def test_two_points_are_compared_over_the_problems_they_share() -> None:
    groups = grouped([*rows(BEAM, [1.0, 1.0, 1.0, 0.0, 1.0]), *rows(MAJORITY, [0.0, 0.0, 1.0, 1.0])])
    beam, majority = (next(each for each in points(groups) if each.configuration == of) for of in (BEAM, MAJORITY))
    said = compared(beam, majority, groups)
    assert said is not None
    assert (said.problems, said.first_better, said.second_better) == (4, 2, 1)
    assert said.interval.mean == pytest.approx(0.25)
    assert said.mcnemar is not None and said.mcnemar.p == pytest.approx(1.0)
    assert said.detectable == pytest.approx(2.801585 * np.std([1, 1, 0, -1], ddof=1) / 2)
    elsewhere = grouped([row(BEAM, "a", 1.0), row(MAJORITY, "z", 1.0)])
    first, second = points(elsewhere)
    assert compared(first, second, elsewhere) is None


def test_published_numbers_are_those_of_the_tables() -> None:
    table_5 = {(each.model, each.method): each.accuracy for each in of_table(5, MATH)}
    assert len(table_5) == 30
    assert table_5["Llama-3.2-1B", "compute-optimal"] == 66.2
    assert table_5["Qwen2.5-72B", "majority vote"] == 87.2
    assert {each.model: each.accuracy for each in of_table(3, AIME)}["DeepSeek-R1"] == 79.8
    assert {each.model: each.accuracy for each in of_table(6, MATH)}["Qwen2.5-7B, 72B PRM"] == 91.0
    assert of_table(5, AIME) == []
