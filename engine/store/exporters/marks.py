"""The tree's language on paper: the colour of a score, how a score is written, how much text fits."""

from __future__ import annotations

import unicodedata

#: Viridis, the scale of the page's tree: safe for the colour-blind, and its lightness rises with the score.
VIRIDIS = (
    (68, 1, 84), (72, 36, 117), (65, 68, 135), (53, 95, 141), (42, 120, 142), (33, 145, 140), (34, 168, 132),
    (68, 191, 112), (122, 209, 81), (189, 223, 38), (253, 231, 37),
)  # fmt: skip

#: On white: text has a contrast of 4.5:1 and more, marks and lines of 3:1.
INK, MUTED, PAPER = "#1f2430", "#5d646f", "#ffffff"
OUTLINE, UNSCORED = "#5d646f", "#8b919c"
EDGE, EDGE_FADED, EDGE_CHOSEN = "#737a86", "#8d939e", "#1f2430"
CORRECT, WRONG = "#1a7f45", "#c4314b"

#: The widths of letters in a font without serifs, as shares of its size: narrow ones, others, and those of East Asia.
_NARROW, _LETTER, _WIDE = 0.3, 0.57, 1.0


def colour(score: float | None) -> str:
    """Of a score from 0 to 1; grey for none."""
    if score is None:
        return UNSCORED
    at = min(1.0, max(0.0, score)) * (len(VIRIDIS) - 1)
    low = min(len(VIRIDIS) - 2, int(at))
    mixed = (round(a + (b - a) * (at - low)) for a, b in zip(VIRIDIS[low], VIRIDIS[low + 1], strict=True))
    return "#" + "".join(f"{channel:02x}" for channel in mixed)


def short_score(score: float) -> str:
    """`.93`; near both ends as many digits as tell it from them: `.0003`, `.9996`."""
    digits = next((n for n in (2, 3, 4) if 0 < round(score, n) < 1), 2)
    return f"{score:.{digits}f}".removeprefix("0") if 0 <= score < 1 else f"{score:.2f}"


def wide(text: str, size: float) -> float:
    """About how many pixels `text` takes in a font of `size`; rather too many than too few."""
    return size * sum(map(_width, text))


def cut(text: str, size: float, room: float) -> str:
    """`text` on one line that takes at most `room` pixels, with an ellipsis where something was left out."""
    words = _one_line(text)
    return words if wide(words, size) <= room else words[: _fits(words, size, room - size * _WIDE)].rstrip() + "…"


def broken(text: str, size: float, room: float) -> tuple[str, str]:
    """The words of `text` that fit into `room` pixels, and the others."""
    words = _one_line(text)
    if wide(words, size) <= room:
        return words, ""
    most = _fits(words, size, room)
    at = words.rfind(" ", 0, most + 1)
    return words[: at if at > 0 else most], words[at if at > 0 else most :].lstrip()


def _one_line(text: str) -> str:
    return " ".join(text[:2000].split())


def _fits(words: str, size: float, room: float) -> int:
    """How many letters take at most `room` pixels."""
    for kept, letter in enumerate(words):
        room -= size * _width(letter)
        if room < 0:
            return kept
    return len(words)


def _width(letter: str) -> float:
    if letter in " .,:;'|!ijlft()[]{}/\\-":
        return _NARROW
    if unicodedata.east_asian_width(letter) in "WF":
        return _WIDE
    return 0.72 if letter.isupper() or letter in "mw+=<>%@" else _LETTER
