"""A mean and how sure of it one can be: Wilson's interval of a proportion."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

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


def wilson(right: float, drawn: int) -> Interval:
    """The 95 % score interval of a proportion (Wilson 1927), within [0, 1]."""
    if drawn == 0:
        return Interval(float("nan"), 0.0, 1.0)
    share, square = right / drawn, _Z * _Z
    centre = (share + square / (2 * drawn)) / (1 + square / drawn)
    spread = _Z / (1 + square / drawn) * sqrt(share * (1 - share) / drawn + square / (4 * drawn * drawn))
    return Interval(share, max(0.0, min(share, centre - spread)), min(1.0, max(share, centre + spread)))  # rounding
