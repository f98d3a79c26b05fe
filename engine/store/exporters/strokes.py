"""The shapes and letters of a printed tree, as pieces of SVG."""

from __future__ import annotations

from html import escape

from engine.characters import NOT_IN_XML
from engine.store.exporters import marks


def star(x: float, y: float, radius: float) -> str:
    """Its path; the inner corners lie at 0.45 of the radius."""
    around = ((0, -1), (0.26, -0.36), (0.95, -0.31), (0.43, 0.14), (0.59, 0.81), (0, 0.45))
    corners = [*around, *((-dx, dy) for dx, dy in reversed(around[1:-1]))]
    return "M" + "L".join(f"{x + radius * dx:.1f} {y + radius * dy:.1f}" for dx, dy in corners) + "Z"


def diamond(x: float, y: float, reach: float) -> str:
    return f"M{x:.1f} {y - reach:.1f}L{x + reach:.1f} {y:.1f}L{x:.1f} {y + reach:.1f}L{x - reach:.1f} {y:.1f}Z"


def outcome(x: float, y: float, correct: bool, reach: float) -> str:
    """A tick or a cross, drawn and not typed, so that it looks the same with every font."""
    a, b = reach, reach * 0.85
    tick = f"M{x - a:.1f} {y + 0.1 * a:.1f}L{x - 0.25 * a:.1f} {y + b:.1f}L{x + a:.1f} {y - b:.1f}"
    cross = f"M{x - b:.1f} {y - b:.1f}L{x + b:.1f} {y + b:.1f}M{x - b:.1f} {y + b:.1f}L{x + b:.1f} {y - b:.1f}"
    colour = marks.CORRECT if correct else marks.WRONG
    return f'<path fill="none" stroke="{colour}" stroke-width="{reach * 0.45:.2g}" d="{tick if correct else cross}"/>'


def label(x: float, y: float, text: str, size: float, colour: str, more: str = "") -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size:g}" fill="{colour}" {more}>{xml(text)}</text>' if text else ""
    )


def xml(text: str) -> str:
    return escape(NOT_IN_XML.sub("", text))
