"""The figures that the lessons show: measured by `make lessons`, kept in `assets/lessons/effects.json`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Literal

from engine.assets import assets
from engine.search.interval import Interval
from tts_ui.words import numbers
from tts_ui.words.counting import counted

#: What a figure is: a share of problems or steps; a difference of two shares on the same problems; how many times one
#: amount is another; a mean amount a problem.
Kind = Literal["share", "difference", "ratio", "tokens", "flops"]


@dataclass(frozen=True, slots=True)
class Effect:
    """One figure with its 95 % interval over `problems` problems; amounts have none: `low` and `high`
    repeat the mean."""

    kind: Kind
    mean: float
    low: float
    high: float
    problems: int

    @classmethod
    def of(cls, kind: Kind, interval: Interval, problems: int) -> Effect:
        mean, low, high = (round(value, 6) for value in (interval.mean, interval.low, interval.high))
        return cls(kind, mean, low, high, problems)

    @property
    def excludes_zero(self) -> bool:
        return self.low > 0 or self.high < 0

    def said(self, *, interval: bool = False) -> str:
        """The figure in words: a share out of 100, a difference in points, an amount with its unit."""
        match self.kind:
            case "share":
                within = f" [{100 * self.low:.1f}, {100 * self.high:.1f}]" if interval else ""
                return f"{100 * self.mean:.1f}{within}"
            case "difference":
                within = f" [{100 * self.low:+.1f}, {100 * self.high:+.1f}]" if interval else ""
                return f"{100 * self.mean:+.1f}{within}"
            case "ratio":
                return f"{self.mean:.1f}" + (f" [{self.low:.1f}, {self.high:.1f}]" if interval else "")
            case "tokens":
                return counted("tokens", round(self.mean))
            case "flops":
                return numbers.flops(self.mean)


@dataclass(frozen=True, slots=True)
class Effects:
    """All figures by name, the problem set they were measured on, and how many of its first problems."""

    problem_set: str
    problems: int
    by_name: Mapping[str, Effect]

    def write(self, file: Path) -> None:
        figures = {name: asdict(effect) for name, effect in self.by_name.items()}
        lines = ",\n".join(f"  {json.dumps(name)}: {json.dumps(figure)}" for name, figure in figures.items())
        head = f'"problem_set": {json.dumps(self.problem_set)}, "problems": {self.problems}'
        file.write_text(f'{{{head}, "figures": {{\n{lines}\n}}}}\n', encoding="utf-8")


def lessons_folder() -> Path:
    return assets() / "lessons"


@cache
def effects() -> Effects:
    """The committed figures."""
    read = json.loads((lessons_folder() / "effects.json").read_text(encoding="utf-8"))
    return Effects(
        read["problem_set"], read["problems"], {name: Effect(**figure) for name, figure in read["figures"].items()}
    )
