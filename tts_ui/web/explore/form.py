"""The form of the Explore page: its fields, which of them a strategy uses, and what they ask for."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any

import gradio as gr

from engine.domains.builtin.known_answers import reference_answer
from engine.errors import InvalidInput
from engine.models.catalogue.catalogue import Catalogue
from engine.runs.fork import Fork
from engine.runs.question import Question
from engine.runs.teaching import Teaching
from engine.search.params import PARAMETERS, RunParams
from engine.search.strategies import STRATEGIES
from engine.store import RunRecord
from tts_ui.web.parts import asking, example_menu, fields, model_choice
from tts_ui.web.parts.asking import Form
from tts_ui.words.interface import say

#: The fields by the names of `RunParams` and `Question`: those that are always there, and those folded away.
_FOLDED = ("scorer", "reference", *(name for name, parameter in PARAMETERS.items() if parameter.advanced))
FOLDED = frozenset(_FOLDED)
FIELDS = ("problem", "models", "strategy", *(name for name in PARAMETERS if name not in FOLDED), *_FOLDED)

#: Shares of the row of the Run button.
_SCALES = {"n": 1, "width": 2, "seed": 1}


@dataclass(frozen=True, slots=True)
class Request:
    """What the form asks for; `models` and `scorer` as `Catalogue.load` takes them."""

    question: Question
    params: RunParams
    models: str | None
    scorer: str | None
    fork: Fork | None = None


def build(catalogue: Catalogue, *, computes: bool = True) -> Form:
    """Put the form into the current `gr.Blocks`; models are chosen from `catalogue`. Where nothing `computes`, a
    sentence stands in its place."""
    defaults = RunParams(**catalogue.entry(None).policy.sampling.given())
    problem = asking.problem(computes=computes)
    components: dict[str, Any] = {"problem": problem.field}
    with gr.Row(elem_classes="settings", visible=computes):
        components |= {"models": model_choice.pair_field(catalogue, fitting=computes)} | _settings()
        run, stop = asking.buttons()
    with gr.Accordion(say("asking.more"), open=False, elem_id="more", visible=computes) as more:
        with gr.Row():
            components |= {"scorer": model_choice.judge_field(catalogue)} | fields.choosing_fields()
        with gr.Row():
            components |= (
                fields.option_fields()
                | fields.sampling_fields(defaults)
                | {"max_tokens_total": fields.field("max_tokens_total")}
            )
    components = {name: components[name] for name in FIELDS}
    _connect(components)
    example_menu.connect(problem.example, problem.taught, components, _example)
    model_choice.connect(components["models"], {name: components[name] for name in fields.SAMPLING}, catalogue)
    return Form(components, more, run, stop)


def _settings() -> dict[str, Any]:
    strategy = gr.Dropdown(
        [(kind.title, name) for name, kind in STRATEGIES.items()], value=RunParams().strategy,
        label=say("explore.strategy"), scale=2, min_width=150, filterable=False, elem_id="strategy",
    )  # fmt: skip
    always = [name for name in PARAMETERS if name not in FOLDED]
    return {"strategy": strategy} | {name: fields.field(name, scale=_SCALES.get(name)) for name in always}


def _example(kind: Teaching) -> dict[str, Any]:
    """What the form asks for when an example is chosen."""
    return example_menu.common_settings(kind) | {"strategy": kind.shown.params.strategy}


def _connect(components: dict[str, Any]) -> None:
    """What changes with what."""
    shape = [components[name] for name in ("strategy", "n", "width")]
    for field in shape:
        field.change(
            _shape, shape, [components[name] for name in fields.HIDEABLE], queue=False, show_progress="hidden",
            api_visibility="private",
        )  # fmt: skip


def request(values: tuple[Any, ...]) -> Request:
    """What the form asks for. Raises `InvalidInput` naming the field at fault."""
    form = dict(zip(FIELDS, values, strict=True))
    question = fields.question_of(form.pop("problem"), form.pop("reference"))
    models, scorer = model_choice.chosen(form.pop("models"), form.pop("scorer"))
    return Request(question, fields.params_of(form), models, scorer)


def values_of(record: RunRecord, catalogue: Catalogue) -> tuple[Any, ...]:
    """The form that asks for this run again. Settings that this version does not know stay as they are."""
    try:
        params = fields.params_in(record)
    except (InvalidInput, TypeError):
        return (record.problem, *(gr.skip() for _ in FIELDS[1:]))
    form = asdict(params) | {"problem": record.problem, "reference": record.reference_answer or ""}
    form |= model_choice.values_of(catalogue, record)
    for limit in fields.LIMITS:
        form[limit] = form[limit] or 0
    if params.select == replace(params, select=None).rule:
        form["select"] = fields.DEFAULT_RULE
    if record.reference_answer == reference_answer(record.problem):
        form["reference"] = ""
    return tuple(form[name] for name in FIELDS)


def _shape(strategy: str | None, n: int | None, width: int | None) -> tuple[Any, ...]:
    """Only the parameters that the strategy uses are shown."""
    method = STRATEGIES[strategy or RunParams().strategy]  # the list of strategies can be emptied
    updates = {name: gr.update(visible=method.takes(name)) for name in fields.HIDEABLE}
    updates["width"] |= {"label": fields.width_label(n, width)}
    return tuple(updates.values())
