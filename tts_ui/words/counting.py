"""So many of something, in words: "1,240 steps"."""

from __future__ import annotations

from tts_ui.words import numbers
from tts_ui.words.interface import say


def counted(what: str, n: int) -> str:
    """`n` of what the text `counts.WHAT` names, in the form that goes with the number."""
    return say(f"counts.{what}", n=n, count=numbers.count(n))
