"""The pane of the selected step: its head, its text, in which the run's domain decides what is shown as a formula, and
what is known of it."""

from __future__ import annotations

from html import escape
from typing import NamedTuple

import gradio as gr

from engine.domains import DOMAINS, Domains
from tts_ui.words import numbers, texts
from tts_ui.words.interface.markup import marked

#: What the Markdown component must be told to render (`latex_delimiters`).
LATEX_DELIMITERS: list[dict[str, str | bool]] = [
    {"left": "$$", "right": "$$", "display": True},
    {"left": "\\[", "right": "\\]", "display": True},
    {"left": "\\(", "right": "\\)", "display": False},
    {"left": "$", "right": "$", "display": False},
]


def close_button() -> gr.HTML:
    """What closes the step's pane where it lies over the page as a sheet (see stage.css)."""
    close = f'<button type="button" data-do="close">{marked("shell.close")}</button>'
    return gr.HTML(close, elem_id="detail-close", container=False, padding=False)


class Pane(NamedTuple):
    """What changes in it when a step is selected."""

    head: gr.HTML
    text: gr.Markdown
    facts: gr.HTML


def pane(hint: str) -> Pane:
    """Put it into the current column, whose id is to be `detail`; `hint` says how to select a step."""
    close_button()
    head = gr.HTML("", elem_id="detail-head", container=False, padding=False)
    text = gr.Markdown("", latex_delimiters=LATEX_DELIMITERS, elem_id="detail-text", container=False)
    return Pane(head, text, gr.HTML(hint, elem_id="detail-facts", container=False, padding=False))


def markdown(domains: Domains, domain: str, text: str) -> str:
    """`text` as Markdown source; an imported run may be of a domain that is not known here."""
    return domains[domain if domain in DOMAINS else next(iter(DOMAINS))].markdown(texts.rendered(text))


def rest(text: str) -> str:
    """What is not rendered of a very long text, as HTML that is folded away; empty where all of it is."""
    if len(text) <= texts.RENDERED:
        return ""
    lines = "".join(f"<div>{escape(line)}</div>" for line in texts.rest(text))
    left = len(text) - texts.RENDERED - texts.ON_DEMAND
    more = f"<p>{marked('step.in_export', n=left, count=numbers.count(left))}</p>" if left > 0 else ""
    others = len(text) - texts.RENDERED
    said = marked("step.rest", n=others, count=numbers.count(others))
    return f'<details class="rest"><summary>{said}</summary>{lines}{more}</details>'
