"""Intervals and tests over problems: steps and draws of one problem are not independent, so problems are resampled.

A problem brings a numerator and a denominator; what is estimated is the ratio of their sums (a mean over steps, say).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from engine.search.interval import Interval

Floats = npt.NDArray[np.float64]

RESAMPLES = 2000
#: With fewer problems an interval says little, and no verdict is given.
FEWEST = 8


def drawn(problems: int, seed: int = 0, resamples: int = RESAMPLES) -> Floats:
    """How often each problem is in each resample [resamples, problems]."""
    shares = np.full(problems, 1 / problems)
    return np.random.default_rng(seed).multinomial(problems, shares, resamples).astype(np.float64)


@lru_cache(maxsize=8)
def resampled(problems: int) -> Floats:
    """The same resamples for all that is compared over so many problems: see `drawn`."""
    return drawn(problems)


def percentiles(estimate: float, resamples: Floats) -> Interval:
    """The 95 % percentile interval; resamples in which nothing could be estimated are left out."""
    known = resamples[np.isfinite(resamples)]
    if math.isnan(estimate) or not len(known):
        return Interval(estimate, math.nan, math.nan)
    low, high = np.quantile(known, [0.025, 0.975])
    return Interval(estimate, float(low), float(high))


def ratio(top: Sequence[float] | Floats, bottom: Sequence[float] | Floats) -> Interval:
    """Sum of `top` over sum of `bottom`, one of each per problem, with its interval over problems."""
    tops, bottoms = np.asarray(top, dtype=np.float64), np.asarray(bottom, dtype=np.float64)
    if not bottoms.sum():
        return Interval(math.nan, math.nan, math.nan)
    return percentiles(float(tops.sum() / bottoms.sum()), _ratios(tops, bottoms))


def _ratios(tops: Floats, bottoms: Floats) -> Floats:
    weights = resampled(len(tops))
    with np.errstate(invalid="ignore", divide="ignore"):
        shares: Floats = (weights @ tops) / (weights @ bottoms)
    return shares


@dataclass(frozen=True, slots=True)
class Tested:
    """An estimate against the value `null` that it has where there is no effect. `p` says how likely one as far above
    is without an effect (as far from it, where both sides count): normal, with the error that the resamples have."""

    interval: Interval
    null: float
    p: float
    n: int
    problems: int


def tested(estimate: float, resamples: Floats, null: float, n: int, problems: int, *, both: bool = False) -> Tested:
    interval, known = percentiles(estimate, resamples), resamples[np.isfinite(resamples)]
    away = abs(estimate - null) if both else estimate - null
    if problems < FEWEST or len(known) < len(resamples) / 2:
        return Tested(interval, null, 1.0, n, problems)
    error = float(known.std())
    if error < 1e-9:
        return Tested(interval, null, 0.0 if away > 1e-9 else 1.0, n, problems)
    tail = 0.5 * math.erfc(away / error / math.sqrt(2))
    return Tested(interval, null, min(1.0, tail * (1 + both)), n, problems)


def test_ratio(
    top: Sequence[float], bottom: Sequence[float], null: float, n: int, *, both: bool = False
) -> Tested:  # fmt: skip
    """The ratio of the sums of `top` and `bottom`, one of each per problem, against `null`."""
    tops, bottoms = np.asarray(top, dtype=np.float64), np.asarray(bottom, dtype=np.float64)
    if not bottoms.sum():
        return Tested(Interval(math.nan, math.nan, math.nan), null, 1.0, n, 0)
    return tested(
        float(tops.sum() / bottoms.sum()), _ratios(tops, bottoms), null, n, int((bottoms > 0).sum()), both=both
    )


def holm(ps: Sequence[float]) -> list[float]:
    """The p-values, corrected for there being many (Holm 1979), in their order."""
    order = sorted(range(len(ps)), key=lambda place: ps[place])
    corrected, running = [1.0] * len(ps), 0.0
    for rank, place in enumerate(order):
        running = max(running, min(1.0, (len(ps) - rank) * ps[place]))
        corrected[place] = running
    return corrected


def ranks(values: Sequence[float]) -> Floats:
    """Ranks from 1; those that are equal share their mean rank."""
    given = np.asarray(values, dtype=np.float64)
    _, inverse, counts = np.unique(given, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    middle: Floats = ends - (counts - 1) / 2
    return middle[inverse]


def spearman(one: Sequence[float], other: Sequence[float]) -> float | None:
    """Spearman's rank correlation; None where one of them does not vary."""
    a, b = ranks(one), ranks(other)
    a, b = a - a.mean(), b - b.mean()
    spread = math.sqrt(float((a**2).sum() * (b**2).sum()))
    return float((a * b).sum()) / spread if spread else None


def kendall(one: Sequence[float], other: Sequence[float]) -> float | None:
    """Kendall's tau-b, which allows for ties; None where one of them does not vary."""
    a, b = np.asarray(one, dtype=np.float64), np.asarray(other, dtype=np.float64)
    upper = np.triu_indices(len(a), 1)
    first, second = np.sign(np.subtract.outer(a, a))[upper], np.sign(np.subtract.outer(b, b))[upper]
    untied = math.sqrt(float((first != 0).sum()) * float((second != 0).sum()))
    return float((first * second).sum()) / untied if untied else None
