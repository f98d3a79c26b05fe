"""What is on the Explore page below its form, and where."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gradio as gr

from engine.models.catalogue.catalogue import Catalogue
from tts_ui.web.components import SearchTree
from tts_ui.web.explore import intervene
from tts_ui.web.explore import judges as other_judges
from tts_ui.web.explore import stopping as stop_desk
from tts_ui.web.explore import truth as truth_desk
from tts_ui.web.parts import titles
from tts_ui.web.parts.steps import pane
from tts_ui.words.interface import say
from tts_ui.words.interface.markup import marked


def hint() -> str:
    """What stands in place of a step until one is selected."""
    return f'<p class="hint">{marked("explore.select")}</p>'


@dataclass(frozen=True, slots=True)
class Layout:
    """The parts of the page; `written` is the line that is being written, `strip` the outcome in a line."""

    notices: gr.HTML
    run_id: gr.Textbox
    title: gr.Textbox
    strip: gr.HTML
    grading: gr.Textbox
    written: gr.HTML
    tree: SearchTree
    head: gr.HTML
    text: gr.Markdown
    facts: gr.HTML
    controls: intervene.Controls
    rollouts: truth_desk.Controls
    answers: gr.HTML
    rules: gr.HTML
    stopping: stop_desk.Controls
    judging: gr.HTML
    score_by: other_judges.Controls
    others: gr.HTML
    cost: gr.HTML
    strategy: gr.HTML


def build(catalogue: Catalogue, *, computes: bool = True) -> Layout:
    """Put the parts on the page."""
    notices = _html("notice")
    run_id = gr.Textbox(visible="hidden", elem_id="run-id")
    title = titles.title()
    strip = _html("strip")
    grading = gr.Textbox(
        visible=False, show_label=False, container=False, elem_id="grading", max_lines=1,
        placeholder=say("explore.grade"),
    )  # fmt: skip
    with gr.Row(elem_classes="hero"):
        with gr.Column(scale=5, min_width=320, elem_id="picture"):
            written = _html("ticker")
            tree = SearchTree(height=520, select_chosen=True, labelling=True, early=True, elem_id="tree")
        with gr.Column(scale=3, min_width=320, elem_id="detail"):
            head, text, facts = pane(hint())
            controls = intervene.build(visible=computes)
            rollouts = truth_desk.build(visible=computes)
    with gr.Tabs():
        with gr.Tab(say("explore.answers")):
            answers = _html("answers")
        with gr.Tab(say("explore.rules")):
            rules = _html("rules")
            stopping = stop_desk.build()
        with gr.Tab(say("explore.judge")):
            judging = _html("judging")
        with gr.Tab(say("explore.cost")):
            cost = _html("cost")
        with gr.Tab(say("explore.strategy_card")):
            strategy = _html("strategy-card")
        with gr.Tab(say("explore.opinions")):
            score_by = other_judges.build(catalogue)
            others = _html("several")
    return Layout(
        notices, run_id, title, strip, grading, written, tree, head, text, facts, controls, rollouts, answers, rules,
        stopping, judging, score_by, others, cost, strategy,
    )  # fmt: skip


def _html(elem_id: str, value: str = "") -> gr.HTML:
    return gr.HTML(value, elem_id=elem_id, container=False, padding=False)


#: What the page's answers change, in the order of its outputs.
OUTPUTS = (
    "run_id", "tree", "strip", "head", "text", "facts", "answers", "rules", "judging", "others", "cost", "strategy",
    "notice", "ticker", "run", "stop", "grading", "title", "score_by",
)  # fmt: skip


def changes(**values: Any) -> tuple[Any, ...]:
    """New values for some of the page's outputs; the others stay as they are."""
    return tuple(values.get(name, gr.skip()) for name in OUTPUTS)
