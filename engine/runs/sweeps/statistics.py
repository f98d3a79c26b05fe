"""Intervals for accuracies: paired bootstrap over problems, and Wilson's for a single proportion."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np

RESAMPLES = 10_000
#: The normal quantile of a two-sided 95 % interval.
_Z = 1.959964


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean and the ends of its 95 % interval."""

    mean: float
    low: float
    high: float

    @property
    def excludes_zero(self) -> bool:
        return self.low > 0 or self.high < 0


def bootstrap(values: Sequence[float], seed: int = 0, resamples: int = RESAMPLES) -> Interval:
    """The mean of one value per problem, resampled over problems (percentile interval).

    For a paired comparison give the differences, problem by problem.
    """
    if not values:
        return Interval(float("nan"), float("nan"), float("nan"))
    measured = np.asarray(values, dtype=np.float64)
    draws = np.random.default_rng(seed).multinomial(len(measured), np.full(len(measured), 1 / len(measured)), resamples)
    low, high = np.quantile(draws @ measured / len(measured), [0.025, 0.975])
    return Interval(float(measured.mean()), float(low), float(high))


def paired(first: Sequence[float], second: Sequence[float], seed: int = 0) -> Interval:
    """Mean of `first` - `second` over the same problems."""
    return bootstrap([a - b for a, b in zip(first, second, strict=True)], seed)


def wilson(right: float, drawn: int) -> Interval:
    """The 95 % score interval of a proportion (Wilson 1927)."""
    if drawn == 0:
        return Interval(float("nan"), 0.0, 1.0)
    share, square = right / drawn, _Z * _Z
    centre = (share + square / (2 * drawn)) / (1 + square / drawn)
    spread = _Z / (1 + square / drawn) * sqrt(share * (1 - share) / drawn + square / (4 * drawn * drawn))
    return Interval(share, centre - spread, centre + spread)
