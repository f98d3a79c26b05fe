"""Cohen's kappa against tables worked out by hand."""

from __future__ import annotations

from math import sqrt

import pytest

from engine.runs.statistics.kappa import Kappa, cohen

YES_NO = ("no", "yes")
RATINGS = (-1, 0, 1)


def pairs(table: dict[tuple[object, object], int]) -> list[tuple[object, object]]:
    return [pair for pair, count in table.items() for _ in range(count)]


def test_two_raters_of_fifty_proposals() -> None:
    """p_o = 35/50 = 0.7; p_e = 0.5 * 0.6 + 0.5 * 0.4 = 0.5; kappa = 0.2 / 0.5 = 0.4.

    For the variance: the first rater's margins are 0.5 and 0.5, the second's 0.6 and 0.4 (yes, no), 1 - kappa = 0.6.
    The terms are 0.4 (1 - 1.1 * 0.6)^2 = 0.04624, 0.3 (1 - 0.9 * 0.6)^2 = 0.06348, 0.1 (1.1 * 0.6)^2 = 0.04356 and
    0.2 (0.9 * 0.6)^2 = 0.05832; minus (0.4 - 0.5 * 0.6)^2 = 0.01; in all 0.2016, over 50 * 0.25.
    """
    table = pairs({("yes", "yes"): 20, ("yes", "no"): 5, ("no", "yes"): 10, ("no", "no"): 15})
    found = cohen(table, YES_NO)
    assert found.n == 50 and found.agreement == pytest.approx(0.7) and found.kappa == pytest.approx(0.4)
    assert found.low is not None and found.high is not None
    reach = (found.high - found.low) / 2
    variance = (0.04624 + 0.06348 + 0.04356 + 0.05832 - 0.01) / (50 * 0.25)
    assert reach == pytest.approx(1.959964 * sqrt(variance), abs=1e-9)


def test_linear_weights_count_a_neighbour_half() -> None:
    """10 items: 4 (+1, +1), 2 (0, 0), 2 (-1, -1), 1 (+1, 0), 1 (+1, -1). With weights 1, 0.5, 0: p_o = 0.8 + 0.05.
    Rows (-1, 0, +1): 0.2, 0.2, 0.6; columns: 0.3, 0.3, 0.4. p_e = 0.2 (0.3 + 0.15) + 0.2 (0.15 + 0.3 + 0.2)
    + 0.6 (0.15 + 0.4) = 0.09 + 0.13 + 0.33 = 0.55; kappa = 0.3 / 0.45 = 2/3."""
    table = pairs({(1, 1): 4, (0, 0): 2, (-1, -1): 2, (1, 0): 1, (1, -1): 1})
    found = cohen(table, RATINGS, linear=True)
    assert found.kappa == pytest.approx(2 / 3) and found.agreement == pytest.approx(0.8)
    plain = cohen(table, RATINGS)  # p_e = 0.06 + 0.06 + 0.24 = 0.36
    assert plain.kappa == pytest.approx((0.8 - 0.36) / 0.64)


def test_its_ends() -> None:
    perfect = cohen([(1, 1), (-1, -1)] * 5, RATINGS)
    assert (perfect.kappa, perfect.low, perfect.high) == pytest.approx((1, 1, 1))
    assert cohen([(1, -1), (-1, 1)] * 5, RATINGS).kappa == pytest.approx(-1)
    assert cohen([], RATINGS) == Kappa(0, None, None, None, None)
    assert cohen([(1, 1)] * 7, RATINGS) == Kappa(7, 1.0, None, None, None)
    with pytest.raises(ValueError, match="none of the categories"):
        cohen([(1, 2)], RATINGS)
