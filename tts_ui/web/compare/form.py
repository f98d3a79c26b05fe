"""The form of the Compare page: up to four strategies with one budget, and what sets each of them apart.

Settings are shared; a strategy's own ones are written next to it as `M=2, c=1`. So the same strategy may be compared
with itself, and the budget (N, tokens) stays one for all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr

from engine.domains.builtin.known_answers import reference_answer
from engine.errors import InvalidInput
from engine.models.catalogue.catalogue import Catalogue
from engine.runs.question import Question
from engine.search.params import PARAMETERS, RunParams
from engine.search.selection import rule_named
from engine.search.strategies import STRATEGIES
from engine.store import RunRecord
from tts_ui.web.parts import fields, model_choice
from tts_ui.web.parts.asking import Form
from tts_ui.words import parameters
from tts_ui.words.parameters import LETTERS

#: What the page begins with: votes alone, the same samples with a PRM, and a search. On the showcase of Explore the
#: first is wrong and the others are right.
FIRST = ("majority_vote", "best_of_n", "beam_search", None)
NONE = "none"

PLACES = range(len(LETTERS))
SHARED = tuple(PARAMETERS)
STRATEGY_FIELDS = tuple(f"strategy_{LETTERS[place].lower()}" for place in PLACES)
OWN_FIELDS = tuple(f"own_{LETTERS[place].lower()}" for place in PLACES)
FIELDS = ("problem", "reference", "paired", *model_choice.FIELDS, *STRATEGY_FIELDS, *OWN_FIELDS, *SHARED)

#: The parameters in the row of the Run button; like everything above it, they are not folded away.
_BUDGET = ("n", "max_tokens_total", "width", "seed")
FOLDED = frozenset(FIELDS) - {"problem", "models", "paired", *STRATEGY_FIELDS, *_BUDGET}

#: What a strategy may set for itself, under the names that people type.
_OWN = {name: parameter for name, parameter in PARAMETERS.items() if not parameter.common}
_WRITTEN = {written.lower(): parameter for name, parameter in _OWN.items() for written in (name, parameter.in_line)}


#: Shown only where one of the strategies takes them; N always is.
_HIDEABLE = tuple(name for name in fields.HIDEABLE if name != "n")


@dataclass(frozen=True, slots=True)
class Request:
    """What the form asks for; `models` and `scorer` as `Catalogue.load` takes them."""

    question: Question
    params: list[RunParams]
    models: str | None
    scorer: str | None
    paired: bool


def build(catalogue: Catalogue) -> Form:
    """Put the form into the current `gr.Blocks`; models are chosen from `catalogue`."""
    components: dict[str, Any] = {}
    with gr.Row(elem_classes="question"):
        components["problem"], example = fields.question_fields()
    with gr.Row(elem_classes="settings strategies"):
        components |= {"models": model_choice.pair_field(catalogue)} | _strategies()
    with gr.Row(elem_classes="settings"):
        components |= _budget()
        run = gr.Button("Run", variant="primary", elem_id="run", min_width=90)
        stop = gr.Button("Stop", elem_id="stop", min_width=80, interactive=False)
    with gr.Accordion("More settings", open=False, elem_id="more") as more:
        with gr.Row():
            components |= {"scorer": model_choice.judge_field(catalogue)} | fields.choosing_fields()
        with gr.Row():
            components |= fields.option_fields() | fields.sampling_fields()
        with gr.Row():
            components |= _own()
    components = {name: components[name] for name in FIELDS}
    fields.connect_example(components["problem"], components["reference"], example)
    model_choice.connect(components["models"], {name: components[name] for name in fields.SAMPLING}, catalogue)
    chosen = [components[name] for name in (*STRATEGY_FIELDS, "n", "width")]
    for field in chosen:
        field.change(
            _shape, chosen, [components[name] for name in _HIDEABLE], queue=False, show_progress="hidden",
            api_visibility="private",
        )  # fmt: skip
    return Form(components, more, run, stop)


def _strategies() -> dict[str, Any]:
    choices = [(kind.title, name) for name, kind in STRATEGIES.items()]
    return {
        STRATEGY_FIELDS[place]: gr.Dropdown(
            [*choices, (NONE, NONE)], value=FIRST[place] or NONE, label=f"{LETTERS[place]}: strategy", min_width=150,
            filterable=False, elem_id=f"strategy-{LETTERS[place].lower()}",
        )
        for place in PLACES
    }  # fmt: skip


def _budget() -> dict[str, Any]:
    looks: dict[str, dict[str, Any]] = {
        "max_tokens_total": {"label": "Token budget (0: none)", "info": None},
        "width": {"min_width": 200},
        "seed": {"min_width": 80},
    }
    budget = {name: fields.field(name, **looks.get(name, {})) for name in _BUDGET}
    return budget | {"paired": gr.Checkbox(True, label="Paired (one seed)", min_width=170, elem_id="paired")}


def _own() -> dict[str, Any]:
    return {
        OWN_FIELDS[place]: gr.Textbox(
            label=f"{LETTERS[place]}: own settings", placeholder="M=2, c=1", min_width=150,
            info="Where it differs from the shared ones.", elem_id=f"own-{LETTERS[place].lower()}",
        )
        for place in PLACES
    }  # fmt: skip


def request(values: tuple[Any, ...]) -> Request:
    """What the form asks for. Raises `InvalidInput` naming the field at fault."""
    given = dict(zip(FIELDS, values, strict=True))
    question = fields.question_of(given["problem"], given["reference"])
    chosen = [place for place in PLACES if given[STRATEGY_FIELDS[place]] not in (None, NONE)]
    if len(chosen) < 2:
        empty = next(place for place in PLACES if place not in chosen)
        raise InvalidInput(STRATEGY_FIELDS[empty], "a comparison needs two strategies; choose one here")
    asked: dict[RunParams, int] = {}
    for place in chosen:
        params = _params(given, place)
        if params in asked:
            raise InvalidInput(
                STRATEGY_FIELDS[place],
                f"the same as {LETTERS[asked[params]]}; choose another, or give it settings of its own (More settings)",
            )
        asked[params] = place
    models, scorer = model_choice.chosen(given["models"], given["scorer"])
    return Request(question, list(asked), models, scorer, bool(given["paired"]))


def _params(given: dict[str, Any], place: int) -> RunParams:
    """The parameters of the strategy at `place`; settings it does not use are left at their defaults."""
    own = own_settings(given[OWN_FIELDS[place]], OWN_FIELDS[place])
    strategy = given[STRATEGY_FIELDS[place]]
    kind = STRATEGIES[strategy]
    wanted = {name: given[name] for name in SHARED} | {"strategy": strategy}
    if not kind.scored and "select" not in own and wanted["select"] != fields.DEFAULT_RULE:
        # A shared rule that reads scores applies to those that have some.
        wanted["select"] = fields.DEFAULT_RULE if rule_named(wanted["select"]).reducer else wanted["select"]
    for name in own:
        if not kind.takes(name):
            raise InvalidInput(OWN_FIELDS[place], f"{kind.title} has no {PARAMETERS[name].in_line}; leave it out")
    try:
        return fields.params_of(wanted | own)
    except InvalidInput as error:
        if error.argument in own:
            raise InvalidInput(OWN_FIELDS[place], error.message) from error
        raise


def own_settings(text: str | None, field: str) -> dict[str, Any]:
    """`M=2, c=1` as settings by the names of `RunParams`. Raises `InvalidInput(field, ...)`."""
    own: dict[str, Any] = {}
    for part in filter(None, (part.strip() for part in (text or "").split(","))):
        written, equals, value = (piece.strip() for piece in part.partition("="))
        parameter = _WRITTEN.get(written.lower())
        if not equals or not value or parameter is None:
            known = ", ".join(each.in_line for each in _OWN.values())
            raise InvalidInput(field, f"{part!r} is not a setting; write NAME=VALUE with {known}")
        try:
            own[parameter.name] = value == "yes" if parameter.type is bool else parameter.type(value)
        except ValueError as error:
            raise InvalidInput(field, f"{written} = {value!r} is not a number") from error
    return own


def values_of(records: Sequence[RunRecord], paired: bool, catalogue: Catalogue) -> tuple[Any, ...]:
    """The form that asks for these runs again. What it cannot say (another N, other models) is taken from the first."""
    try:
        asked = [fields.params_in(record) for record in records]
    except (InvalidInput, TypeError):
        return (records[0].problem, *(gr.skip() for _ in FIELDS[1:]))
    shared = {name: _shared(name, asked) for name in SHARED}
    own = {OWN_FIELDS[place]: _own_text(params, shared) for place, params in enumerate(asked)}
    first = records[0]
    reference = "" if first.reference_answer == reference_answer(first.problem) else first.reference_answer or ""
    given = {"problem": first.problem, "reference": reference, "paired": paired}
    given |= model_choice.values_of(catalogue, next((record for record in records if record.scorer), first))
    given |= dict.fromkeys(STRATEGY_FIELDS, NONE) | dict.fromkeys(OWN_FIELDS, "") | own
    given |= {STRATEGY_FIELDS[place]: params.strategy for place, params in enumerate(asked)}
    given |= shared | {"select": shared["select"] or fields.DEFAULT_RULE}
    return tuple((given[name] or 0) if name in fields.LIMITS else given[name] for name in FIELDS)


def _shared(name: str, asked: Sequence[RunParams]) -> Any:
    """A setting's value for all: that of the first strategy that uses it."""
    users = [params for params in asked if params.method.takes(name)]
    if name == "select":  # the strategy's own rule is the default
        return None
    return getattr(users[0] if users else RunParams(), name)


def _own_text(params: RunParams, shared: dict[str, Any]) -> str:
    """What sets this strategy apart, as the form writes it."""
    own = {name: getattr(params, name) for name in _OWN if params.method.takes(name)}
    if params.select == RunParams(params.strategy).rule:
        own["select"] = None
    differing = {name: value for name, value in own.items() if value != shared[name]}
    return ", ".join(f"{PARAMETERS[name].in_line}={parameters.value(value)}" for name, value in differing.items())


def _shape(*values: Any) -> tuple[Any, ...]:
    """Only what one of the strategies uses is shown."""
    *strategies, n, width = values
    chosen = [STRATEGIES[name] for name in strategies if name in STRATEGIES]
    updates = {name: gr.update(visible=any(kind.takes(name) for kind in chosen)) for name in _HIDEABLE}
    updates["width"] |= {"label": fields.width_label(n, width)}
    return tuple(updates.values())
