"""How small a difference a number of problems can show, and how many problems a difference needs.

With d_i the difference at problem i and s its standard deviation over problems, the mean of n of them has the standard
error s / sqrt(n). A two-sided test at the 5 % level finds a difference of D with a chance of 80 % where

    D = (z_0.975 + z_0.8) s / sqrt(n),   so   n = ((z_0.975 + z_0.8) s / D)^2     (Miller 2024, section 5).

Pairing is in s: methods that solve the same problems have a small one. Of m pairs that are tested together each has to
pass 5 % / m, the level at which Holm's procedure begins, so that D is that much larger.
"""

from __future__ import annotations

from math import ceil, sqrt
from statistics import NormalDist

LEVEL, POWER = 0.05, 0.8


def _reach(pairs: int) -> float:
    """How many standard errors a difference must be large."""
    return NormalDist().inv_cdf(1 - LEVEL / pairs / 2) + NormalDist().inv_cdf(POWER)


def detectable(spread: float, problems: int, pairs: int = 1) -> float | None:
    """The smallest difference that can be shown; `spread` is the standard deviation of the differences. None if 0."""
    return _reach(pairs) * spread / sqrt(problems) if spread and problems else None


def problems_for(difference: float, spread: float) -> int | None:
    """How many problems show such a difference; None if it is 0."""
    return ceil((_reach(1) * spread / difference) ** 2) if difference else None
