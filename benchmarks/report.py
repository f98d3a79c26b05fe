"""How a benchmark reports: a titled table of named figures."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured value, as it is printed; `goal` is what it should be, empty if nothing is promised."""

    name: str
    value: str
    goal: str = ""
