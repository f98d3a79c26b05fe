"""The two small charts, as inline SVG: drawn with the page's own colours in both modes, and redrawn while runs grow.

Lines are in an SVG that is stretched to its frame; all text is HTML next to or over it, positioned in per cent, so it
keeps its size on a phone and grows on a projector.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from tts_ui.web.compare.curves import Curve
from tts_ui.words import numbers
from tts_ui.words.interface import say
from tts_ui.words.interface.markup import marked
from tts_ui.words.parameters import LETTERS

#: Height of a letter next to a chart, in per cent of the chart's.
_LETTER = 10


@dataclass(frozen=True, slots=True)
class Line:
    """One run's line; `place` is the run's place in the comparison, from 0, and gives it its colour."""

    place: int
    label: str
    curve: Curve
    spent: int


def chart(title: str, note: str, lines: Sequence[Line]) -> str:
    """One chart: generated tokens to the right, 0 to 1 upwards. Lines without points are listed with the reason."""
    ticks = token_ticks(max((line.spent for line in lines), default=0))
    drawn = [line for line in lines if line.curve.points]
    absent = [f"{LETTERS[line.place]} {line.label}: {line.curve.lacks}" for line in lines if not line.curve.points]
    missing = marked("compare.not_drawn", lines=escape("; ".join(absent))) if absent else ""
    missing = f'<p class="facts">{missing}</p>' if absent else ""
    return (
        f'<figure class="chart"><figcaption><b>{escape(title)}</b> <span>{escape(note)}</span></figcaption>'
        f'<div class="plot">{_frame(ticks)}{_lines(drawn, ticks[-1])}{_ends(drawn)}</div>'
        f'<p class="axis">{marked("compare.axis")}</p>{missing}</figure>'
    )


def token_ticks(most: int) -> list[int]:
    """Round numbers from 0 to at least `most`, about five of them."""
    rough = max(1, most) / 4
    magnitude = 10 ** math.floor(math.log10(rough))
    step = max(1, int(next(m for m in (1, 2, 2.5, 5, 10) if m * magnitude >= rough) * magnitude))
    return [step * i for i in range(math.ceil(max(1, most) / step) + 1)]


def _frame(ticks: Sequence[int]) -> str:
    across = "".join(f'<i class="y" style="bottom:{25 * i}%"><span>{0.25 * i:g}</span></i>' for i in range(5))
    last = ticks[-1]
    down = "".join(
        f'<i class="x" style="left:{100 * t / last:.2f}%"><span>{numbers.count(t)}</span></i>' for t in ticks
    )
    return across + down


def _lines(lines: Sequence[Line], last: int) -> str:
    """A stair per run, with a dot where it rises or falls: each value holds until the next, or the run's last token."""
    paths = ""
    for line in lines:
        points = [(1000 * x / last, 1000 * (1 - y)) for x, y in line.curve.points]
        (x, y), rest = points[0], points[1:]
        stair = f"M{x:.1f} {y:.1f}" + "".join(f"H{x:.1f}V{y:.1f}" for x, y in rest)
        stair += f"H{max(points[-1][0], 1000 * line.spent / last):.1f}"
        dots = "".join(f"M{x:.1f} {y:.1f}h0" for x, y in points)
        kind = f"run-{LETTERS[line.place].lower()}"
        paths += (
            f'<g class="{kind}"><title>{escape(_says(line))}</title><path d="{stair}"/>'
            f'<path class="dots" d="{dots}"/></g>'
        )
    label = escape("; ".join(_says(line) for line in lines))
    return f'<svg viewBox="0 0 1000 1000" preserveAspectRatio="none" role="img" aria-label="{label}">{paths}</svg>'


def _says(line: Line) -> str:
    (x, first), (_, last) = line.curve.points[0], line.curve.points[-1]
    name = f"{LETTERS[line.place]} {line.label}"
    after, spent = numbers.count(x), numbers.count(line.spent)
    return say("compare.line", name=name, first=f"{first:.2f}", after=after, last=f"{last:.2f}", spent=spent)


def _ends(lines: Sequence[Line]) -> str:
    """The letters of the runs in the right margin, at the height where their lines end, or as near as there is room."""
    spots = ""
    below = -float(_LETTER)
    for line in sorted(lines, key=lambda line: line.curve.points[-1][1]):
        below = max(100 * line.curve.points[-1][1], below + _LETTER)
        letter = LETTERS[line.place]
        spots += f'<b class="badge run-{letter.lower()}" style="bottom:{below:.1f}%">{letter}</b>'
    return spots
