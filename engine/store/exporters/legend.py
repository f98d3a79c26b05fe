"""What the shapes and colours of a printed tree mean: only those that occur in it."""

from __future__ import annotations

from collections.abc import Iterator

from engine.search.tree import Tree
from engine.store.exporters import marks, strokes
from engine.store.records import RunRecord

_SIZE, _LINE, _GAP, _ICON = 12.0, 22.0, 18.0, 12.0
_RAMP = 90.0


def legend(record: RunRecord, tree: Tree, room: float) -> tuple[str, float]:
    """Pieces of SVG that take at most `room` pixels in width, and their height."""
    parts, x, y = [], 0.0, 0.0
    for icon, icon_width, words in _entries(record, tree):
        width = icon_width + 6 + marks.wide(words, _SIZE)
        if x and x + width > room:
            x, y = 0.0, y + _LINE
        parts.append(f'<g transform="translate({x:.1f} {y:.1f})">{icon}')
        parts.append(strokes.label(icon_width + 6, _SIZE * 0.36, words, _SIZE, marks.MUTED) + "</g>")
        x += width + _GAP
    return "".join(parts), y + _LINE


def _entries(record: RunRecord, tree: Tree) -> Iterator[tuple[str, float, str]]:
    """An icon around the middle of its line, its width, and what it means."""
    judge, steps = record.judge, tree.nodes[1:]
    half, outlined = _ICON / 2, f'stroke="{marks.OUTLINE}"'
    if judge is not None:
        yield _ramp(), _RAMP, f"score by {marks.cut(judge, _SIZE, 220)}, 0 to 1"
        if any(judge not in step.scores for step in steps):
            yield f'<circle cx="{half}" cy="0" r="{half}" fill="{marks.UNSCORED}"/>', _ICON, "not scored"
    if any(step.status == "pruned" for step in steps):
        ring = f'<circle cx="{half}" cy="0" r="4.5" fill="none" stroke="{marks.MUTED}" stroke-width="2.5"/>'
        yield ring, _ICON, "pruned"
    if any(step.status == "finished" for step in steps):
        yield f'<path fill="{marks.PAPER}" {outlined} d="{strokes.diamond(half, 0, half)}"/>', _ICON, "finished"
    if tree.chosen is not None:
        chosen = f'<path fill="{marks.PAPER}" {outlined} d="{strokes.star(half + 1, 0, half + 1)}"/>'
        yield chosen, _ICON + 2, "chosen answer"
    graded = {grade.correct for grade in record.grades.values()}
    for correct, word in ((True, "correct"), (False, "wrong")):
        if correct in graded:
            yield strokes.outcome(half, 0, correct, 4.5), _ICON, word
    if any(step.origin == "human" for step in steps):
        yield f'<path stroke="{marks.EDGE}" stroke-dasharray="5 3" d="M0 0h20"/>', 20, "written by hand"
    if any(step.copies > 1 for step in steps):
        yield strokes.label(0, _SIZE * 0.36, "x3", _SIZE, marks.INK), 16, "identical draws"


def _ramp() -> str:
    """The scale, in as many pieces as it has colours."""
    piece = _RAMP / 22
    return "".join(
        f'<rect x="{place * piece:.1f}" y="-5" width="{piece + 0.3:.1f}" height="10" '
        f'fill="{marks.colour(place / 21)}"/>'
        for place in range(22)
    )
