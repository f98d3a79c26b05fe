"""What stands in place of a form on a server that computes nothing."""

from __future__ import annotations

import gradio as gr

from tts_ui.words.interface.markup import marked


def sentence(more: str = "") -> gr.HTML:
    """Put it here; `more` is HTML that says what else may be looked at."""
    choose = f'<a href="./runs">{marked("samples.choose")}</a>{more}'
    said = f'<p class="samples">{marked("samples.says", choose=choose)}</p>'
    return gr.HTML(said, container=False, padding=False, elem_classes="samples-only")
