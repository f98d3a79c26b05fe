"""The best of k from recorded draws, against every subset counted one by one."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from support.lab_evidence import evidence, path, run

from engine.runs.lab.best_of_k import Pool, by_max, by_vote, curve, pools
from engine.runs.statistics.resampling import holm, kendall, ranks, spearman


def _pool(*draws: tuple[float, bool]) -> Pool:
    paths = [path(leaf, [score], "r" if right else "w") for leaf, (score, right) in enumerate(draws)]
    return pools(evidence(run("p", *paths)))[0]


def _best(subset: tuple[tuple[float, bool], ...]) -> float:
    top = max(score for score, _ in subset)
    winners = [right for score, right in subset if score == top]
    return sum(winners) / len(winners)


@pytest.mark.parametrize("k", [1, 2, 3, 5, 6])
def test_it_is_the_mean_over_all_subsets(k: int) -> None:
    draws = [(0.9, False), (0.8, True), (0.8, False), (0.5, True), (0.8, True), (0.1, True)]
    subsets = list(combinations(draws, k))
    assert by_max(_pool(*draws), [k])[0] == pytest.approx(sum(map(_best, subsets)) / len(subsets))


def test_a_vote_of_all_is_exact_and_of_one_is_chance() -> None:
    draws = [(0.9, False), (0.5, True), (0.6, True), (0.2, False)]
    voted = by_vote(_pool(*draws), [1, 4])
    assert voted[1] == 1  # 0.5 + 0.6 for the right answer against 0.9 for a wrong one
    assert voted[0] == pytest.approx(0.5, abs=0.2)


def test_a_completion_without_an_answer_is_never_the_best() -> None:
    unanswered = path(2, [0.99], "r", correct=False)
    nothing = type(unanswered)(unanswered.leaf, unanswered.steps, 10, 1, False, None)
    pool = pools(evidence(run("p", path(1, [0.1]), nothing)))[0]
    assert by_max(pool, [1, 2]).tolist() == [0.5, 1.0]


def test_copies_are_draws_and_runs_that_share_a_seed_share_draws() -> None:
    short, long = run("p", path(1, [0.5])), run("p", path(1, [0.5], copies=2), path(2, [0.4], "w"))
    assert [pool.size for pool in pools(evidence(short, long))] == [3]
    other = run("p", path(3, [0.5]), seed=1)
    assert [pool.size for pool in pools(evidence(short, long, other))] == [4]


def test_the_best_k_of_a_judge_that_is_fooled() -> None:
    """A wrong draw that the judge likes best is found more and more often."""
    fooled = [
        run(f"p{place}", path(0, [0.99], "w"), *(path(leaf, [0.5 + leaf / 100], "r") for leaf in range(1, 8)))
        for place in range(20)
    ]
    measured = curve(pools(evidence(*fooled)))
    assert measured and measured.best == 1 and measured.ks == (1, 2, 4, 8)
    assert [round(each.mean, 3) for each in measured.accuracy] == [0.875, 0.75, 0.5, 0.0]
    assert measured.best_interval().high == 1


def test_rank_statistics_by_hand() -> None:
    assert ranks([3.0, 1.0, 3.0, 2.0]).tolist() == [3.5, 1, 3.5, 2]
    assert spearman([1, 2, 3, 4], [1, 3, 2, 4]) == pytest.approx(0.8)
    assert spearman([1, 2], [1, 1]) is None
    assert kendall([1, 2, 3, 4], [1, 2, 4, 3]) == pytest.approx(4 / 6)
    assert kendall([1, 2, 3], [1, 1, 2]) == pytest.approx(2 / np.sqrt(3 * 2))
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
