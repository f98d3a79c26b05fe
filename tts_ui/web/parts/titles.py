"""A page's title names what it shows, so that tabs and the history can be told apart."""

from __future__ import annotations

from collections.abc import Sequence

import gradio as gr

from engine.store import RunRecord
from tts_ui.words import parameters
from tts_ui.words.interface import NAME
from tts_ui.words.texts import short

#: Characters of the problem.
_PROBLEM = 60

_SHOW = f"title => {{ if (title) document.title = `${{title}} - {NAME}`; }}"


def title() -> gr.Textbox:
    """An output of the current page: what it is given becomes the title."""
    hidden = gr.Textbox(visible="hidden", elem_id="title")
    hidden.change(None, hidden, None, js=_SHOW)
    return hidden


def of(records: Sequence[RunRecord]) -> str:
    """The problem and the strategies of what is shown."""
    problem = short(" ".join(records[0].problem[: 4 * _PROBLEM].split()), _PROBLEM)
    return f"{problem} - {' / '.join(parameters.title(record.strategy) for record in records)}"
