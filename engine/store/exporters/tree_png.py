"""A run's tree as a picture: the drawing of `tree_svg`, painted by resvg, which needs no browser and no display."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

import resvg_py
from PIL import ImageFont

from engine.search.events import Event
from engine.search.tree import Tree
from engine.store.exporters.tree_svg import drawing
from engine.store.records import RunRecord

#: Pixels of the picture per pixel of the drawing, and the most that a picture has in all and along a side.
_SCALE, _MOST, _LONGEST = 2.0, 40_000_000, 16_000


def render(record: RunRecord, events: Sequence[Event]) -> bytes:
    svg, width, height = drawing(record, Tree.from_events(events))
    scale = min(_SCALE, (_MOST / (width * height)) ** 0.5, _LONGEST / max(width, height))
    with tempfile.TemporaryDirectory() as folder:
        font = Path(folder) / "font.ttf"
        font.write_bytes(_letters())
        return resvg_py.svg_to_bytes(
            svg_string=svg, width=max(1, int(width * scale)), font_files=[str(font)], sans_serif_family="Aileron"
        )


def _letters() -> bytes:
    """The font that comes with Pillow, for machines that have none: without one no text would be drawn, in silence.
    Where a letter is missing in it, resvg takes another of the machine's fonts."""
    font = ImageFont.load_default(12)
    assert isinstance(font, ImageFont.FreeTypeFont)
    return font.font_bytes
