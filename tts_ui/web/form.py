"""The form of the Explore page: its fields, which of them a strategy has a use for, and what they ask for.

A parameter's field follows from its declaration; nothing here knows of runs in progress or of the store's tables.
The groups of fields that the Compare page shows too are functions of their own.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from typing import Any

import gradio as gr

from engine.domains.builtin.known_answers import reference_answer
from engine.domains.builtin.problems import FAMILIES, examples
from engine.errors import InvalidInput
from engine.models.catalogue.catalogue import Catalogue
from engine.runs.run import Question
from engine.search.params import PARAMETERS, RunParams
from engine.search.strategies import OPTIONS, STRATEGIES
from engine.store import RunRecord
from tts_ui.web import model_choice
from tts_ui.web.lessons import showcase_problem

DEFAULT_RULE = "the strategy's own"
_DEFAULTS = RunParams()

#: The fields by the names of `RunParams` and `Question`: those that are always there, and those folded away.
_FOLDED = ("scorer", "reference", *(name for name, parameter in PARAMETERS.items() if parameter.advanced))
FOLDED = frozenset(_FOLDED)
FIELDS = ("problem", "models", "strategy", *(name for name in PARAMETERS if name not in FOLDED), *_FOLDED)

#: The fields that are shown only where the strategy takes them.
HIDEABLE = tuple(name for name in PARAMETERS if name in OPTIONS)

#: How steps are drawn: what a policy may have settings of its own for.
SAMPLING = tuple(name for name, parameter in PARAMETERS.items() if parameter.of_policy)

#: The fields in which 0 stands for no limit.
LIMITS = tuple(name for name, parameter in PARAMETERS.items() if parameter.limit)

#: What is an option of some strategies, and what elects the answer, among the folded fields; the token budget is last.
_OPTIONS = tuple(name for name in HIDEABLE if name in FOLDED)
_CHOOSING = tuple(name for name in _FOLDED if name in PARAMETERS and name not in (*_OPTIONS, *SAMPLING, *LIMITS))

#: Where the width of a field, its place in a row or its id is not that of most.
_WIDTHS = {
    "n": 110, "width": 190, "seed": 90, "select": 200, "finished": 200, "tree_policy": 150, "exploration": 150,
    "temperature": 130, "top_p": 130, "max_steps": 130,
}  # fmt: skip
_SCALES = {"n": 1, "width": 2, "seed": 1}
_IDS = {"width": "m", "max_tokens_total": "budget"}


@dataclass(frozen=True, slots=True)
class Request:
    """What the form asks for; `models` and `scorer` as `Catalogue.load` takes them."""

    question: Question
    params: RunParams
    models: str | None
    scorer: str | None


@dataclass(frozen=True, slots=True)
class Form:
    """The components: `fields` by name in the order of `FIELDS`, the part that is folded away, the two buttons."""

    fields: dict[str, Any]
    more: gr.Accordion
    run: gr.Button
    stop: gr.Button


def build(catalogue: Catalogue) -> Form:
    """Put the form into the current `gr.Blocks`; models are chosen from `catalogue`."""
    defaults = RunParams(**catalogue.entry(None).policy.sampling.given())
    components: dict[str, Any] = {}
    with gr.Row(elem_classes="question"):
        components["problem"], example = question_fields()
    with gr.Row(elem_classes="settings"):
        components |= {"models": model_choice.pair_field(catalogue)} | _settings()
        run = gr.Button("Run", variant="primary", elem_id="run", min_width=90)
        stop = gr.Button("Stop", elem_id="stop", min_width=80, interactive=False)
    with gr.Accordion("More settings", open=False, elem_id="more") as more:
        with gr.Row():
            components |= {"scorer": model_choice.judge_field(catalogue)} | choosing_fields()
        with gr.Row():
            components |= option_fields() | sampling_fields(defaults) | {"max_tokens_total": field("max_tokens_total")}
    components = {name: components[name] for name in FIELDS}
    _connect(components, example)
    model_choice.connect(components["models"], {name: components[name] for name in SAMPLING}, catalogue)
    return Form(components, more, run, stop)


def question_fields() -> tuple[gr.Textbox, gr.Dropdown]:
    """The problem and the menu of examples."""
    menu = [("Start here: greedy fails, search succeeds", showcase_problem())]
    menu += [(f"{FAMILIES[problem.family]}: {problem.text}", problem.text) for problem in examples()]
    problem = gr.Textbox(
        label="Problem", value=menu[0][1], lines=2, max_lines=6, scale=5, min_width=320,
        placeholder="Type a maths problem, or choose an example", elem_id="problem",
    )  # fmt: skip
    example = gr.Dropdown(menu, value=menu[0][1], label="Examples", scale=2, min_width=220, elem_id="examples")
    return problem, example


def _settings() -> dict[str, Any]:
    strategy = gr.Dropdown(
        [(kind.title, name) for name, kind in STRATEGIES.items()], value=_DEFAULTS.strategy,
        label="Strategy", scale=2, min_width=150, filterable=False, elem_id="strategy",
    )  # fmt: skip
    always = [name for name in PARAMETERS if name not in FOLDED]
    return {"strategy": strategy} | {name: field(name, scale=_SCALES.get(name)) for name in always}


def choosing_fields() -> dict[str, Any]:
    """How the answer is elected and graded."""
    reference = gr.Textbox(
        label="Reference answer", min_width=200, elem_id="reference",
        info="Marks answers right or wrong. Known for the examples.",
    )  # fmt: skip
    return {"reference": reference} | {name: field(name) for name in _CHOOSING}


def option_fields() -> dict[str, Any]:
    """The options that some strategies have and others have not."""
    shown = STRATEGIES[_DEFAULTS.strategy]
    return {name: field(name, visible=shown.takes(name)) for name in _OPTIONS}


def sampling_fields(defaults: RunParams = _DEFAULTS) -> dict[str, Any]:
    """How steps are drawn; `defaults` says how, unless asked otherwise."""
    return {name: field(name, getattr(defaults, name)) for name in SAMPLING}


def field(name: str, value: Any = None, **look: Any) -> Any:
    """The field of a parameter, holding `value` or the default; `look` overrides what follows from the declaration."""
    parameter = PARAMETERS[name]
    value = parameter.default if value is None else value
    about: dict[str, Any] = {
        "label": width_label(_DEFAULTS.n, _DEFAULTS.width) if name == "width" else parameter.label,
        "info": parameter.hint or None, "min_width": _WIDTHS.get(name, 170),
        "elem_id": _IDS.get(name, name.replace("_", "-")),
    } | look  # fmt: skip
    if parameter.choices:
        own = [DEFAULT_RULE] if parameter.optional else []
        return gr.Dropdown([*own, *parameter.choices], value=value or DEFAULT_RULE, **about)
    if parameter.type is bool:
        return gr.Checkbox(value, **about)
    if parameter.type is str:
        return gr.Textbox(value or "", **about)
    return gr.Number(value or 0, precision=0 if parameter.type is int else None, **about)


def _connect(components: dict[str, Any], example: gr.Dropdown) -> None:
    """What changes with what; the menu and the box talk in the browser alone."""
    connect_example(components["problem"], components["reference"], example)
    shape = [components[name] for name in ("strategy", "n", "width")]
    for field in shape:
        field.change(
            _shape, shape, [components[name] for name in HIDEABLE], queue=False, show_progress="hidden",
            api_visibility="private",
        )  # fmt: skip


def connect_example(problem: gr.Textbox, reference: gr.Textbox, example: gr.Dropdown) -> None:
    """The menu shows the example that is in the box, and no other text; a reference answer belongs to its text."""
    example.input(
        None, [example, problem, reference], [problem, reference],
        js="(chosen, text, answer) => chosen ? [chosen, ''] : [text, answer]",
    )  # fmt: skip
    problem.input(None, None, reference, js="() => ''")
    texts = json.dumps([showcase_problem(), *(one.text for one in examples())])
    problem.change(None, problem, example, js=f"(text) => {texts}.includes(text) ? text : null")


def request(values: tuple[Any, ...]) -> Request:
    """What the form asks for. Raises `InvalidInput` naming the field at fault."""
    form = dict(zip(FIELDS, values, strict=True))
    question = question_of(form.pop("problem"), form.pop("reference"))
    models, scorer = model_choice.chosen(form.pop("models"), form.pop("scorer"))
    return Request(question, params_of(form), models, scorer)


def question_of(problem: str | None, reference: str | None) -> Question:
    """The question; the reference answer of an example is known."""
    return Question(problem or "", (reference or "").strip() or reference_answer(problem or "") or None)


def params_of(form: dict[str, Any]) -> RunParams:
    """The parameters that the fields `form` (by the names of `RunParams`) ask for."""
    form = {name: None if value == DEFAULT_RULE else value for name, value in form.items()}
    for limit in LIMITS:  # a number field has no empty state that lasts
        form[limit] = form[limit] or None
    kind = STRATEGIES.get(form["strategy"])
    for name, parameter in PARAMETERS.items():
        if kind and not kind.takes(name):  # its field is hidden
            del form[name]
        elif form[name] is None and not parameter.optional:
            raise InvalidInput(name, "it is empty; give a value")
    return RunParams(**form)


def values_of(record: RunRecord, catalogue: Catalogue) -> tuple[Any, ...]:
    """The form that asks for this run again. Settings that this version does not know stay as they are."""
    try:
        params = params_in(record)
    except (InvalidInput, TypeError):
        return (record.problem, *(gr.skip() for _ in FIELDS[1:]))
    form = asdict(params) | {"problem": record.problem, "reference": record.reference_answer or ""}
    form |= model_choice.values_of(catalogue, record)
    for limit in LIMITS:
        form[limit] = form[limit] or 0
    if params.select == replace(params, select=None).rule:
        form["select"] = DEFAULT_RULE
    if record.reference_answer == reference_answer(record.problem):
        form["reference"] = ""
    return tuple(form[name] for name in FIELDS)


def params_in(record: RunRecord) -> RunParams:
    """The parameters of a recorded run, as far as this version knows them. Raises `InvalidInput` or `TypeError`."""
    return RunParams(record.strategy, **{name: v for name, v in record.params.items() if name in PARAMETERS})


def _shape(strategy: str, n: int | None, width: int | None) -> tuple[Any, ...]:
    """Only the parameters that the strategy has a use for are shown."""
    updates = {name: gr.update(visible=STRATEGIES[strategy].takes(name)) for name in HIDEABLE}
    updates["width"] |= {"label": width_label(n, width)}
    return tuple(updates.values())


def width_label(n: int | None, width: int | None) -> str:
    """M, and what follows from it: K survivors."""
    if n and width and n >= width and n % width == 0:
        return f"Width M (K = {n // width} survivor{'s' if n > width else ''})"
    return "Width M"
