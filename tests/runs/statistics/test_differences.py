"""Tests hold their level where there is no difference, and find one where there is; cases worked out by hand."""

from __future__ import annotations

from math import comb

import numpy as np
import pytest

from engine.runs.statistics.differences import difference, over_problems
from engine.runs.statistics.mcnemar import binomial_p, mcnemar
from engine.runs.statistics.power import detectable, problems_for
from engine.runs.statistics.resampling import Floats
from engine.runs.statistics.subsets import left_out, pass_at_k
from engine.runs.statistics.ties import ranked

SIMULATIONS, PROBLEMS = 4000, 150


def no_difference(seeds: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Right or wrong [problems, seeds] of two methods that are equally good overall.

    Problems differ in how hard they are, and each method is luckier at some of them than at others.
    """
    hardness = rng.normal(0, 1.5, (PROBLEMS, 1))
    first, second = (1 / (1 + np.exp(-hardness - rng.normal(0, 0.8, (PROBLEMS, 1)))) for _ in range(2))
    return tuple((rng.random((PROBLEMS, seeds)) < chance).astype(float) for chance in (first, second))  # type: ignore[return-value]


def rejected(ps: list[float]) -> float:
    return float(np.mean([p < 0.05 for p in ps]))


@pytest.mark.parametrize("seeds", [1, 8])
def test_between_4_and_6_of_100_comparisons_of_equals_are_called_different(seeds: int) -> None:
    rng = np.random.default_rng(seeds)
    found = []
    for _ in range(SIMULATIONS):
        first, second = no_difference(seeds, rng)
        found.append(over_problems(first.mean(1) - second.mean(1)))
    assert 0.04 < rejected([p for _, p in found]) < 0.06
    assert 0.04 < np.mean([interval.excludes_zero for interval, _ in found]) < 0.06


def test_resampling_runs_instead_of_problems_calls_equals_different_far_too_often() -> None:
    rng = np.random.default_rng(1)
    naive, clustered, one_seed = [], [], []
    for _ in range(400):
        first, second = no_difference(8, rng)
        naive.append(over_problems((first - second).ravel())[1])
        clustered.append(difference(first.tolist(), second.tolist()).p)
        one_seed.append(difference(first[:, :1].tolist(), second[:, :1].tolist()).p)
    assert rejected(naive) > 0.12
    assert rejected(clustered) < 0.08
    assert rejected(one_seed) < 0.08


def test_mcnemar_is_exact_and_so_rejects_no_more_than_5_of_100() -> None:
    rng = np.random.default_rng(2)
    ps = []
    for _ in range(SIMULATIONS):
        first, second = (outcomes[:, 0] == 1 for outcomes in no_difference(1, rng))
        ps.append(mcnemar(first.tolist(), second.tolist()).p)
    assert 0.02 < rejected(ps) <= 0.05


def test_mcnemar_by_hand() -> None:
    """2 against 8: twice the chance of at most 2 heads of 10, 2 (1 + 10 + 45) / 1024."""
    assert binomial_p(2, 8) == pytest.approx(112 / 1024)
    assert binomial_p(8, 2) == binomial_p(2, 8)
    assert (binomial_p(0, 0), binomial_p(5, 5)) == (1.0, 1.0)
    assert binomial_p(0, 6) == pytest.approx(2 / 64)
    assert binomial_p(400, 700) < 1e-15  # large counts neither overflow nor fail
    found = mcnemar([True, True, False, False, True], [True, False, False, True, False])
    assert (found.only_first, found.only_second, found.p) == (2, 1, 1.0)


def test_mcnemar_stands_beside_only_where_every_problem_has_one_outcome() -> None:
    right, wrong = [[1.0]] * 10, [[0.0]] * 10
    assert difference(right, wrong).mcnemar is not None
    assert difference([[1.0, 0.0]] * 10, [[0.0, 0.0]] * 10).mcnemar is None
    assert difference([[0.5]] * 10, wrong).mcnemar is None


def test_a_problem_counts_once_however_many_seeds_it_has() -> None:
    first = [[1.0] * 9] + [[0.0]] * 8
    found = difference(first, [[0.0]] * 9)
    assert found.interval.mean == pytest.approx(1 / 9)
    assert found.problems == 9


def test_a_difference_that_can_just_be_shown_is_shown_in_80_of_100_repetitions() -> None:
    rng, spread, problems = np.random.default_rng(3), 0.6, 100
    gap = detectable(spread, problems)
    assert gap is not None and problems_for(gap, spread) in (problems, problems + 1)
    ps = [over_problems(rng.normal(gap, spread, problems))[1] for _ in range(2000)]
    assert 0.77 < rejected(ps) < 0.83


def test_how_many_more_problems_a_difference_needs() -> None:
    """Of 100 problems 10 are won and 6 lost: s^2 = (0.16 - 0.04^2) 100 / 99, n = 2.8016^2 s^2 / 0.04^2 = 785."""
    first = [[1.0]] * 10 + [[0.0]] * 90
    second = [[0.0]] * 10 + [[1.0]] * 6 + [[0.0]] * 84
    found = difference(first, second)
    assert found.p > 0.05 and found.interval.mean == pytest.approx(0.04)
    assert found.detectable == pytest.approx(0.112, abs=1e-3)
    assert (found.needed, found.more) == (785, 685)
    same = difference(first, first)
    assert (same.p, same.detectable, same.needed, same.more) == (1.0, None, None, None)


def test_equals_are_tied_and_the_worse_is_not() -> None:
    rng = np.random.default_rng(4)
    hard = rng.random((300, 1))
    table = (rng.random((300, 4)) < hard + np.array([0.2, 0.2, 0.2, -0.2])).astype(float)
    found = ranked(table, prices=[3, 1, 2, 0])
    assert found.groups[0][0] == found.order[0] and set(found.groups[0]) == {0, 1, 2}
    assert found.groups[1] == (3,)
    assert all(p < 0.05 for pair, p in found.p.items() if 3 in pair)


def test_of_equal_methods_the_cheapest_comes_first() -> None:
    table = np.tile((np.arange(20) % 2)[:, None], (1, 3)).astype(float)
    found = ranked(table, prices=[3, 1, 2])
    assert (found.order, found.groups) == ((1, 2, 0), ((1, 2, 0),))


def test_five_equal_methods_are_seldom_separated() -> None:
    """The best of several equals looks better than it is: the correction must be over all pairs."""
    rng = np.random.default_rng(5)
    apart = 0
    for _ in range(600):
        chances = rng.random((PROBLEMS, 1))
        apart += len(ranked((rng.random((PROBLEMS, 5)) < chances).astype(float)).groups) > 1
    assert apart / 600 < 0.07


def test_pass_at_k_by_hand_and_over_all_subsets() -> None:
    assert pass_at_k(1, 4, 1) == pytest.approx(0.25)
    assert pass_at_k(2, 4, 2) == pytest.approx(1 - 1 / 6)
    assert (pass_at_k(0, 9, 5), pass_at_k(5, 9, 5)) == (0.0, 1.0)
    assert left_out(3, 10, 4) == pytest.approx(comb(7, 4) / comb(10, 4))
    with pytest.raises(ValueError, match="5 of 4 draws"):
        pass_at_k(1, 4, 5)
