"""Intervals for accuracies over problems: the paired bootstrap. Wilson's, for one proportion, is in `engine.search`."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from engine.search.interval import Interval

RESAMPLES = 10_000


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
