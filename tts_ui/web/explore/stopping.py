"""The slider below the rules: a finished vote read again as if it had stopped once the leading answer was that sure."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import Any

import gradio as gr

from engine.domains import Domains
from engine.errors import InvalidInput
from engine.runs.stopping import STOPPABLE, stopped
from tts_ui.web.parts.feed import Feed, Feeds
from tts_ui.web.parts.notices import refusing
from tts_ui.words.interface import say
from tts_ui.words.stopping import sentences

#: What the slider shows first: the threshold that Adaptive-Consistency recommends.
USUAL = 0.95


@dataclass(frozen=True, slots=True)
class Controls:
    panel: gr.Column
    threshold: gr.Slider
    said: gr.HTML


def build() -> Controls:
    with gr.Column(visible=False, elem_id="stopping") as panel:
        threshold = gr.Slider(
            0.5, 0.99, USUAL, step=0.01, label=say("stopping.threshold"), elem_id="stop-threshold",
            info=say("stopping.threshold_says"),
        )  # fmt: skip
        said = gr.HTML("", elem_id="stopped", container=False, padding=False)
    return Controls(panel, threshold, said)


def wire(controls: Controls, run_id: gr.Textbox, rules: gr.HTML, feeds: Feeds, domains: Domains) -> None:
    """Read the run that is shown again whenever the slider moves, and when the rules of another run are shown."""

    def read(run: str, threshold: float | None) -> tuple[Any, str]:
        with refusing():
            feed = feeds.get(run) if run else None
        told = _told(feed, threshold or USUAL, domains) if feed else ""
        return gr.update(visible=bool(told)), told

    gr.on(
        [rules.change, controls.threshold.change], read, [run_id, controls.threshold], [controls.panel, controls.said],
        show_progress="hidden", trigger_mode="always_last", api_visibility="private",
    )  # fmt: skip


def _told(feed: Feed, threshold: float, domains: Domains) -> str:
    """Nothing of a run that could not have stopped, or has not ended."""
    record = feed.record
    if record.strategy not in STOPPABLE or record.status != "done":
        return ""
    try:
        read = stopped(record, feed.tree, domains[record.domain], min(0.99, max(0.5, threshold)))
    except InvalidInput:
        return ""
    first, *rest = sentences(record, read)
    return f'<p><b>{escape(first)}</b></p><p class="hint">{escape(" ".join(rest))}</p>'
