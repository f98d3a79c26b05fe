"""Errors as programs are told them: one line that names the argument and the fix where it is the caller's mistake."""

from __future__ import annotations

import sys

from engine.errors import Busy, InvalidInput, TtsError
from tts_ui.web.parts.notices import not_told


def told(error: TtsError, *, discreet: bool) -> str:
    """`discreet` keeps what only the owner should know, and writes it to the server's log."""
    if discreet and not isinstance(error, InvalidInput | Busy):
        print(f"tts-ui: {error}", file=sys.stderr, flush=True)
        return not_told()
    return " ".join(str(error).split())
