"""The fields that both pages show, and what is made of their values.

A parameter's field follows from its declaration; nothing here knows of runs in progress or of the store's tables.
"""

from __future__ import annotations

from typing import Any

import gradio as gr

from engine.domains.builtin.known_answers import reference_answer
from engine.errors import InvalidInput
from engine.runs.question import Question
from engine.search.params import PARAMETERS, RunParams
from engine.search.strategies import OPTIONS, STRATEGIES
from engine.store import RunRecord
from tts_ui.web.parts.lessons import showcase_problem
from tts_ui.words.interface import say

#: The value that stands for it.
DEFAULT_RULE = "the strategy's own"
_DEFAULTS = RunParams()

#: The fields that are shown only where the strategy takes them.
HIDEABLE = tuple(name for name in PARAMETERS if name in OPTIONS)

#: How steps are drawn: what a policy may have its own settings for.
SAMPLING = tuple(name for name, parameter in PARAMETERS.items() if parameter.of_policy)

#: The fields in which 0 stands for no limit.
LIMITS = tuple(name for name, parameter in PARAMETERS.items() if parameter.limit)

#: Folded away: the options of some strategies, and how the answer is chosen.
_OPTIONS = tuple(name for name in HIDEABLE if PARAMETERS[name].advanced)
_ELSEWHERE = {*_OPTIONS, *SAMPLING, *LIMITS}
_CHOOSING = tuple(name for name, parameter in PARAMETERS.items() if parameter.advanced and name not in _ELSEWHERE)

#: Fields whose width or id is not the usual one.
_WIDTHS = {
    "n": 110, "width": 190, "seed": 90, "select": 200, "finished": 200, "tree_policy": 150, "exploration": 150,
    "temperature": 130, "top_p": 130, "max_steps": 130,
}  # fmt: skip
_IDS = {"width": "m", "max_tokens_total": "budget"}


def problem_field() -> gr.Textbox:
    return gr.Textbox(
        label=say("asking.problem"), value=showcase_problem(), lines=2, max_lines=6, scale=5, min_width=320,
        placeholder=say("asking.problem_empty"), elem_id="problem",
    )  # fmt: skip


def choosing_fields() -> dict[str, Any]:
    """How the answer is chosen and graded."""
    reference = gr.Textbox(
        label=say("asking.reference"), min_width=200, elem_id="reference",
        info=say("asking.reference_says"),
    )  # fmt: skip
    return {"reference": reference} | {name: field(name) for name in _CHOOSING}


def option_fields() -> dict[str, Any]:
    """The options that only some strategies have."""
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
        choices = [(say("asking.own_rule"), DEFAULT_RULE)] if parameter.optional else []
        choices += [(choice, choice) for choice in parameter.choices]
        return gr.Dropdown(choices, value=value or DEFAULT_RULE, **about)
    if parameter.type is bool:
        return gr.Checkbox(value, **about)
    if parameter.type is str:
        return gr.Textbox(value or "", **about)
    return gr.Number(value or 0, precision=0 if parameter.type is int else None, **about)


def question_of(problem: str | None, reference: str | None) -> Question:
    """The question; the reference answer of an example is known."""
    return Question(problem or "", (reference or "").strip() or reference_answer(problem or "") or None)


def params_of(form: dict[str, Any]) -> RunParams:
    """The parameters that the fields `form` (by the names of `RunParams`) ask for."""
    form = {name: None if value in (DEFAULT_RULE, "") else value for name, value in form.items()}
    for limit in LIMITS:  # a number field has no empty state that lasts
        form[limit] = form[limit] or None
    kind = STRATEGIES.get(form["strategy"])
    for name, parameter in PARAMETERS.items():
        if kind and not kind.takes(name):  # its field is hidden
            del form[name]
        elif form[name] is None and not parameter.optional:
            raise InvalidInput(name, say("asking.missing"))
    return RunParams(**form)


def params_in(record: RunRecord) -> RunParams:
    """The parameters of a recorded run, as far as this version knows them. Raises `InvalidInput` or `TypeError`."""
    return RunParams(record.strategy, **{name: v for name, v in record.params.items() if name in PARAMETERS})


def width_label(n: int | None, width: int | None) -> str:
    """M, and what follows from it: K survivors."""
    if n and width and n >= width and n % width == 0:
        return say("asking.width", n=n // width, width=PARAMETERS["width"].label)
    return PARAMETERS["width"].label
