"""Below the detail of a step: what can be tried from there. Each try is a run of its own; what is recorded stays."""

from __future__ import annotations

from dataclasses import dataclass, replace
from html import escape
from typing import Any, Literal

import gradio as gr

from engine.errors import InvalidInput
from engine.models.catalogue.catalogue import Catalogue
from engine.runs.fork import Fork
from engine.runs.question import Question
from engine.search.params import RunParams
from engine.store import RunRecord, Store
from tts_ui.web.explore.form import Request, request
from tts_ui.web.parts import fields, model_choice
from tts_ui.words.interface import say

#: `more`: draws like those of the run; `search`: whatever the form asks for; `own`: draws below a step of one's own.
How = Literal["more", "search", "own"]
_DRAWS = 8


@dataclass(frozen=True, slots=True)
class Controls:
    """The components; `node` holds the step that is selected."""

    node: gr.Textbox
    draws: gr.Number
    own: gr.Textbox
    buttons: dict[How, gr.Button]


def build(*, visible: bool = True) -> Controls:
    node = gr.Textbox(visible="hidden", elem_id="picked")
    with gr.Accordion(say("go_on.title"), open=False, elem_id="intervene", visible=visible):
        with gr.Row():
            draws = gr.Number(_DRAWS, precision=0, minimum=1, label=say("go_on.draws"), min_width=80, elem_id="draws")
            more = gr.Button(say("go_on.draw_more"), size="sm", min_width=130, elem_id="draw-more")
            search = gr.Button(say("go_on.search"), size="sm", min_width=130, elem_id="search-here")
        gr.HTML(f'<p class="hint">{escape(say("go_on.says"))}</p>', container=False, padding=False)
        own = gr.Textbox(
            label=say("go_on.own"), lines=2, max_lines=6, elem_id="own-step",
            placeholder=say("go_on.own_empty"),
        )  # fmt: skip
        try_it = gr.Button(say("go_on.try"), size="sm", elem_id="try-step")
    return Controls(node, draws, own, {"more": more, "search": search, "own": try_it})


def asked(
    store: Store, catalogue: Catalogue, how: How, run_id: str, node: str, draws: float | None, own: str, form: Any
) -> Request:
    """What a click asks for; `form` are the values of the form's fields. Raises `InvalidInput`."""
    if not run_id:
        raise InvalidInput("step", say("go_on.no_run"))
    record = store.whole_run(run_id)
    place = int(node) if node.isdecimal() else 0
    fork = Fork.instead(store, run_id, place, own) if how == "own" else Fork.at(store, run_id, place)
    question = Question(record.problem, record.reference_answer, record.domain)
    if how == "search":
        return replace(request(form), question=question, fork=fork)
    models, scorer = _models_of(catalogue, record)
    return Request(question, _drawn_like(record, draws), models, scorer, fork)


def _drawn_like(record: RunRecord, draws: float | None) -> RunParams:
    """So many draws to their ends, sampled as the run's own were, and scored if those were."""
    if draws is None or draws < 1 or draws != int(draws):
        raise InvalidInput("draws", say("go_on.draws_wrong"))
    return replace(sampled_like(record), strategy="best_of_n" if record.scorer else "majority_vote", n=int(draws))


def sampled_like(record: RunRecord) -> RunParams:
    """How the run's own draws were sampled; below a greedy run's step draws would all be the same, so they are warm."""
    try:
        known = fields.params_in(record)
    except (InvalidInput, TypeError):  # recorded elsewhere, or by another version
        known = RunParams()
    warm = known.temperature or RunParams().temperature
    return RunParams("majority_vote", temperature=warm, top_p=known.top_p, seed=known.seed)


def _models_of(catalogue: Catalogue, record: RunRecord) -> tuple[str | None, str | None]:
    """The models of the run. Raises `InvalidInput` if they are not in the catalogue."""
    values = model_choice.values_of(catalogue, record)
    if not isinstance(values["models"], str):
        raise InvalidInput("models", say("go_on.no_policy", policy=record.policy.name))
    return model_choice.chosen(values["models"], values["scorer"])
