"""How often a method is right, over problems: Wilson's interval where each is right or wrong, else a bootstrap."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.runs.statistics.resampling import drawn, percentiles
from engine.search.interval import Interval, wilson

RESAMPLES = 10_000
#: Resamples that are drawn at a time, for many problems.
_AT_ONCE = 500


def bootstrap(values: Sequence[float], seed: int = 0, resamples: int = RESAMPLES) -> Interval:
    """The mean of one value per problem, resampled over problems (percentile interval).

    For a paired comparison give the differences, problem by problem.
    """
    if not values:
        return Interval(float("nan"), float("nan"), float("nan"))
    measured = np.asarray(values, dtype=np.float64)
    draws = drawn(len(measured), seed, resamples)
    return percentiles(float(measured.mean()), draws @ measured / len(measured))


def paired(first: Sequence[float], second: Sequence[float], seed: int = 0) -> Interval:
    """Mean of `first` - `second` over the same problems."""
    return bootstrap([a - b for a, b in zip(first, second, strict=True)], seed)


def accuracies(values: npt.NDArray[Any]) -> list[Interval]:
    """The mean of each column, one value per problem (row), with its interval: Wilson's where each is right or wrong,
    which stays honest where all are; over several seeds or subsets of draws the bootstrap."""
    means = _weights(len(values)) @ values.astype(np.float32)
    low, high = np.quantile(means, [0.025, 0.975], axis=0)
    verdicts = np.all((values == 0) | (values == 1), axis=0)
    return [
        wilson(float(column.sum()), len(values)) if verdict else Interval(float(column.mean()), float(a), float(b))
        for column, verdict, a, b in zip(values.T, verdicts, low, high, strict=True)
    ]


@lru_cache(maxsize=8)
def _weights(problems: int) -> npt.NDArray[np.float32]:
    """How often each problem is in each resample, over their number: [resamples, problems]."""
    random = np.random.default_rng(0)
    weights = np.empty((RESAMPLES, problems), dtype=np.float32)
    for first in range(0, RESAMPLES, _AT_ONCE):
        rows = len(weights[first : first + _AT_ONCE])
        places = random.integers(problems, size=(rows, problems)) + np.arange(rows)[:, None] * problems
        counts = np.bincount(places.ravel(), minlength=rows * problems).reshape(rows, problems)
        weights[first : first + rows] = counts / problems
    return weights
