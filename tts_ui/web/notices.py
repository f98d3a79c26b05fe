"""What a page says about itself rather than a run: notices, mistakes at their field, the line being written."""

from __future__ import annotations

from html import escape

from engine.errors import InvalidInput, TtsError

#: How many characters of the step being written are shown, from its end.
_TICKER = 160


#: How to get a bigger model onto the pages.
BIGGER = "Some are listed under Models; to offer your own there, start the app with --models FILE (see docs/models.md)."


def notice(text: str, kind: str = "") -> str:
    """A line above the tree; `kind` "error" is read out at once."""
    role = "alert" if kind == "error" else "status"
    return f'<div class="notice {kind}" role="{role}">{escape(text)}</div>'


def sentence(error: TtsError) -> str:
    """An error as a sentence; it is shown at its field, which names the argument."""
    text = error.message if isinstance(error, InvalidInput) else str(error)
    return text[:1].upper() + text[1:]


def ticker(text: str) -> str:
    """The end of the step being written: the only thing on a page that is not committed yet."""
    words = " ".join(text.split())[-_TICKER:]
    return f'<div class="ticker" aria-hidden="true">{escape(words)}</div>' if words else ""
