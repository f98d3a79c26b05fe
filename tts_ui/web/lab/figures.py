"""Figures of the lab as inline SVG with HTML over it, and the lists behind their marks.

Each mark is a button that opens a list (a popover, which needs no script), and each entry of the list is a link to a
step of a tree: two clicks from a number to what it was counted from.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

from engine.search.interval import Interval
from tts_ui.web.lab.links import Place, listing
from tts_ui.words.counting import counted
from tts_ui.words.interface.markup import marked
from tts_ui.words.numbers import NOT_AVAILABLE


@dataclass(frozen=True, slots=True)
class Mark:
    """A point of a figure with its interval, all in 0 to 1 of the frame; `behind` is the id of the list behind it."""

    x: float
    y: float
    low: float
    high: float
    words: str
    behind: str | None = None
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """A line through points in 0 to 1 of the frame; `name` stands in the legend."""

    points: tuple[tuple[float, float], ...]
    name: str
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Axis:
    """Where its ticks are, in 0 to 1 of the frame, what they say, and what the axis measures."""

    title: str
    ticks: tuple[tuple[float, str], ...]


SHARES = tuple((place / 4, f"{place / 4:g}") for place in range(5))


def figure(title: str, note: str, marks: Sequence[Mark], lines: Sequence[Line], x: Axis, y: Axis) -> str:
    """A plot: lines, intervals and marks, with a legend of the lines that have a name."""
    across = "".join(f'<i class="y" style="bottom:{100 * at:.1f}%"><span>{escape(t)}</span></i>' for at, t in y.ticks)
    down = "".join(f'<i class="x" style="left:{100 * at:.2f}%"><span>{escape(t)}</span></i>' for at, t in x.ticks)
    drawn = "".join(
        f'<path class="{line.kind}" d="M{" L".join(f"{_far(px)} {_far(1 - py)}" for px, py in line.points)}"/>'
        for line in lines
    )
    drawn += "".join(
        f'<path class="whisker {mark.kind}" d="M{_far(mark.x)} {_far(1 - mark.low)}V{_far(1 - mark.high)}"/>'
        for mark in marks
        if mark.high > mark.low
    )
    legend = "".join(f'<span class="{line.kind}">{escape(line.name)}</span>' for line in lines if line.name)
    return (
        f'<figure class="lab-figure"><figcaption><b>{escape(title)}</b> <span>{escape(note)}</span></figcaption>'
        f'<p class="legend">{legend}</p><p class="axis">{escape(y.title)}</p>'
        f'<div class="plot">{across}{down}<svg viewBox="0 0 1000 1000" preserveAspectRatio="none" aria-hidden="true">'
        f'{drawn}</svg>{"".join(map(_mark, marks))}</div><p class="axis x">{escape(x.title)}</p></figure>'
    )


def _mark(mark: Mark) -> str:
    at = f'style="left:{100 * _held(mark.x):.2f}%;bottom:{100 * _held(mark.y):.2f}%" title="{escape(mark.words)}"'
    if mark.behind is None:
        return f'<b class="mark {mark.kind}" {at}></b>'
    said = marked("lab.mark", words=escape(mark.words))
    opens = f'type="button" popovertarget="{mark.behind}"'
    return f'<button {opens} class="mark {mark.kind}" {at} aria-label="{said}"></button>'


def _held(value: float) -> float:
    return min(1.0, max(0.0, value))


def _far(value: float) -> str:
    return f"{1000 * _held(value):.1f}"


def bars(title: str, heights: Sequence[tuple[float, int, str | None]]) -> str:
    """Counts as bars under a figure with the same horizontal axis: where each stands, the count, the list behind it."""
    most = max((count for _, count, _ in heights), default=1)
    drawn = "".join(
        f'<button type="button" popovertarget="{behind}" style="left:{100 * x:.2f}%;height:{100 * count / most:.1f}%" '
        f'aria-label="{marked("lab.bar", steps=counted("steps", count))}"><span>{count:,}</span></button>'
        for x, count, behind in heights
    )
    said = escape(title)
    return f'<div class="lab-bars" role="group" aria-label="{said}"><p class="axis">{said}</p><div>{drawn}</div></div>'


def behind(name: str, title: str, places: Iterable[Place]) -> str:
    """The list that the buttons open which name it."""
    return (
        f'<section class="behind" id="{name}" popover><h2>{escape(title)}</h2>{listing(places)}'
        f'<button type="button" popovertarget="{name}" popovertargetaction="hide">{marked("shell.close")}</button>'
        "</section>"
    )


def opener(name: str, words: str) -> str:
    """A button within a text or table that opens a list."""
    return f'<button type="button" class="opener" popovertarget="{name}">{escape(words)}</button>'


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; the cells are HTML already."""
    heads = "".join(_head(escape(each)) for each in head)
    body = "".join(
        f"<tr>{_head(first)}{''.join(f'<td>{cell}</td>' for cell in others)}</tr>" for first, *others in rows
    )
    return f'<div class="lab-table"><table><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table></div>'


def ranged(interval: Interval | None, digits: int = 3) -> str:
    """An estimate with its interval: 0.123 [0.100, 0.150]; n/a where there is none."""
    if interval is None or interval.mean != interval.mean:
        return NOT_AVAILABLE
    said = f"{interval.mean:.{digits}f}"
    return said if interval.low != interval.low else f"{said} [{interval.low:.{digits}f}, {interval.high:.{digits}f}]"


def _head(cell: str) -> str:
    """The head of a column or a row; an empty one is none, or a screen reader would say so."""
    return f"<th>{cell}</th>" if cell else "<td></td>"
