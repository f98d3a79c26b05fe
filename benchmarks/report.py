"""How a benchmark reports: a titled table of named figures, and percentages with their intervals."""

from __future__ import annotations

from dataclasses import dataclass

from engine.search.interval import Interval


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured value, as it is printed; `goal` is what it should be, empty if nothing is promised."""

    name: str
    value: str
    goal: str = ""


def percent(interval: Interval, form: str = ".1f") -> str:
    """ "57.5 [54.2, 60.8]"; nothing is minus zero."""
    mean, low, high = (
        format(round(100 * each, 9) + 0.0, form) for each in (interval.mean, interval.low, interval.high)
    )
    return f"{mean} [{low}, {high}]"
