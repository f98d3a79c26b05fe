"""What a page says about itself rather than a run: notices, mistakes at their field, the line being written."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from html import escape

import gradio as gr

from engine.errors import Busy, InvalidInput, TtsError
from engine.runs.run import Run
from tts_ui.words import numbers
from tts_ui.words.counting import counted
from tts_ui.words.interface import say
from tts_ui.words.interface.markup import marked

#: Seconds before a speed means anything.
_SPEED_AFTER_S = 1.0
#: How many characters of the step being written are shown, from its end.
_TICKER = 160


def notice(text: str, kind: str = "", *, runs: bool = False) -> str:
    """A line above the tree; `kind` "error" is read out at once, and with `runs` the way to the list follows."""
    role = "alert" if kind == "error" else "status"
    way = f' <a href="./runs">{marked("notices.list")}</a>' if runs else ""
    return f'<div class="notice {kind}" role="{role}">{escape(text)}{way}</div>'


def unknown_run(error: TtsError) -> bool:
    """Whether there is no such run: the list has others."""
    return isinstance(error, InvalidInput) and error.argument in ("run", "runs")


def bigger(said: str | None) -> str:
    """The notice of a problem that a built-in model does not know, `said`, and how to get a bigger one onto the pages;
    empty where there is nothing to be said."""
    return notice(f"{said} {say('notices.bigger')}") if said else ""


def not_told() -> str:
    """What strangers are told of a failure: its reason may name folders and servers, which are none of their
    business."""
    return say("notices.not_told")


def sentence(error: TtsError, *, discreet: bool = False) -> str:
    """An error as a sentence; it is shown at its field, which names the argument. `discreet` tells only the mistakes of
    whoever asked, and leaves the rest to the server's log."""
    if discreet and not isinstance(error, InvalidInput | Busy):
        print(f"tts-ui: {error}", file=sys.stderr, flush=True)
        text = not_told()
    else:
        text = error.message if isinstance(error, InvalidInput) else str(error)
    return text[:1].upper() + text[1:]


@contextmanager
def refusing() -> Iterator[None]:
    """Around an answer that has no place for a notice: a mistake is told all the same, and is no matter for the log."""
    try:
        yield
    except InvalidInput as error:
        raise gr.Error(sentence(error), print_exception=False) from None


def ticker(run: Run) -> str:
    """How far the draws are, and the end of a step being written: the only thing on a page not committed yet."""
    writing, spent = run.writing(), run.spent()
    if writing is None:
        return ""
    said = []
    if writing.draws > 1:
        said.append(say("notices.level", level=writing.level, ended=writing.ended, draws=writing.draws))
    if spent.wall_s >= _SPEED_AFTER_S:
        speed = numbers.fraction(spent.generated_tokens / spent.wall_s)
        said.append(say("notices.speed", tokens=counted("tokens", spent.generated_tokens), speed=speed))
    words = " ".join(writing.text.split())[-_TICKER:]
    far = f"<b>{', '.join(said)}</b> " if said else ""
    return f'<div class="ticker" aria-hidden="true">{far}{escape(words)}</div>' if far or words else ""
