"""Whole texts of steps, when a tree asks for them: its lines carry the beginnings only."""

from __future__ import annotations

from typing import Any

import gradio as gr

from tts_ui.web.components import SearchTree, whole_texts
from tts_ui.web.parts.feed import Feeds
from tts_ui.web.parts.notices import refusing


def on_ask(tree: SearchTree, feeds: Feeds) -> None:
    """Answer what `tree` asks for from `feeds`."""

    def answer(event: gr.EventData) -> Any:
        with refusing():
            return gr.update(texts=whole_texts(event.run, feeds.texts(event.run, event.ids)))

    tree.ask(
        answer, None, [tree], queue=False, show_progress="hidden", trigger_mode="multiple", api_visibility="private"
    )  # fmt: skip
