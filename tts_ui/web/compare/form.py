"""The form of the Compare page: up to four strategies with one budget, and what sets each of them apart.

Settings are shared; a strategy's own ones are written next to it as `N=64, M=2, judge=NAME`. So the same strategy may
be compared with itself; the token budget stays one for all.
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
from engine.runs.teaching import Teaching
from engine.search.params import PARAMETERS, RunParams
from engine.search.selection import rule_named
from engine.search.strategies import STRATEGIES
from engine.store import RunRecord
from tts_ui.web.parts import asking, example_menu, fields, model_choice
from tts_ui.web.parts.asking import Form
from tts_ui.words import parameters
from tts_ui.words.interface import say
from tts_ui.words.parameters import LETTERS

#: What the page begins with: votes alone, the same samples with a PRM, and a search. On the first example only the
#: search is right.
FIRST = ("majority_vote", "best_of_n", "beam_search", None)
#: The value that stands for no strategy.
NONE = "none"
#: What a strategy's own judge is called among its own settings.
JUDGE = "judge"

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
    judges: list[str | None]
    paired: bool


def build(catalogue: Catalogue, *, computes: bool = True) -> Form:
    """Put the form into the current `gr.Blocks`; models are chosen from `catalogue`. Where nothing `computes`, a
    sentence stands in its place."""
    problem = asking.problem(computes=computes)
    components: dict[str, Any] = {"problem": problem.field}
    with gr.Row(elem_classes="settings strategies", visible=computes):
        components |= {"models": model_choice.pair_field(catalogue, fitting=computes)} | _strategies()
    with gr.Row(elem_classes="settings", visible=computes):
        components |= _budget()
        run, stop = asking.buttons()
    with gr.Accordion(say("asking.more"), open=False, elem_id="more", visible=computes) as more:
        with gr.Row():
            components |= {"scorer": model_choice.judge_field(catalogue)} | fields.choosing_fields()
        with gr.Row():
            components |= fields.option_fields() | fields.sampling_fields()
        with gr.Row():
            components |= _own()
    components = {name: components[name] for name in FIELDS}
    example_menu.connect(problem.example, problem.taught, components, _example)
    model_choice.connect(components["models"], {name: components[name] for name in fields.SAMPLING}, catalogue)
    chosen = [components[name] for name in (*STRATEGY_FIELDS, "n", "width")]
    for field in chosen:
        field.change(
            _shape, chosen, [components[name] for name in _HIDEABLE], queue=False, show_progress="hidden",
            api_visibility="private",
        )  # fmt: skip
    return Form(components, more, run, stop)


def _example(kind: Teaching) -> dict[str, Any]:
    """What the form asks for when an example is chosen."""
    chosen = dict.fromkeys(STRATEGY_FIELDS, NONE) | dict(zip(STRATEGY_FIELDS, kind.compared, strict=False))
    return example_menu.common_settings(kind) | chosen | dict.fromkeys(OWN_FIELDS, "") | {"paired": True}


def _strategies() -> dict[str, Any]:
    choices = [(kind.title, name) for name, kind in STRATEGIES.items()]
    return {
        STRATEGY_FIELDS[place]: gr.Dropdown(
            [*choices, (say("compare.none"), NONE)], value=FIRST[place] or NONE, min_width=150, filterable=False,
            label=say("compare.strategy", letter=LETTERS[place]), elem_id=f"strategy-{LETTERS[place].lower()}",
        )
        for place in PLACES
    }  # fmt: skip


def _budget() -> dict[str, Any]:
    looks: dict[str, dict[str, Any]] = {
        "max_tokens_total": {"label": say("compare.budget"), "info": None},
        "width": {"min_width": 200},
        "seed": {"min_width": 80},
    }
    budget = {name: fields.field(name, **looks.get(name, {})) for name in _BUDGET}
    return budget | {"paired": gr.Checkbox(True, label=say("compare.paired"), min_width=170, elem_id="paired")}


def _own() -> dict[str, Any]:
    return {
        OWN_FIELDS[place]: gr.Textbox(
            label=say("compare.own", letter=LETTERS[place]), placeholder=say("compare.own_empty"), min_width=150,
            info=say("compare.own_says"), elem_id=f"own-{LETTERS[place].lower()}",
        )
        for place in PLACES
    }  # fmt: skip


def request(values: tuple[Any, ...], catalogue: Catalogue) -> Request:
    """What the form asks for. Raises `InvalidInput` naming the field at fault."""
    given = dict(zip(FIELDS, values, strict=True))
    question = fields.question_of(given["problem"], given["reference"])
    chosen = [place for place in PLACES if given[STRATEGY_FIELDS[place]] not in (None, NONE)]
    if len(chosen) < 2:
        empty = next(place for place in PLACES if place not in chosen)
        raise InvalidInput(STRATEGY_FIELDS[empty], say("compare.two"))
    asked: dict[tuple[RunParams, str | None], int] = {}
    for place in chosen:
        own = _params(given, place, catalogue)
        if own in asked:
            raise InvalidInput(STRATEGY_FIELDS[place], say("compare.same", letter=LETTERS[asked[own]]))
        asked[own] = place
    models, scorer = model_choice.chosen(given["models"], given["scorer"])
    searched, judges = [params for params, _ in asked], [judge for _, judge in asked]
    return Request(question, searched, models, scorer, judges, bool(given["paired"]))


def _params(given: dict[str, Any], place: int, catalogue: Catalogue) -> tuple[RunParams, str | None]:
    """The parameters of the strategy at `place`, and its own judge; settings it does not use are left at their
    defaults."""
    own = own_settings(given[OWN_FIELDS[place]], OWN_FIELDS[place])
    strategy = given[STRATEGY_FIELDS[place]]
    kind = STRATEGIES[strategy]
    judge: str | None = own.pop(JUDGE, None)
    if judge and not kind.scored:
        raise InvalidInput(OWN_FIELDS[place], say("compare.has_no", strategy=kind.title, setting=JUDGE))
    if judge and judge not in catalogue.scorers:
        known = ", ".join(catalogue.scorers)
        raise InvalidInput(OWN_FIELDS[place], say("compare.no_judge", setting=JUDGE, judge=repr(judge), known=known))
    if "seed" in own and not given["paired"]:
        raise InvalidInput(OWN_FIELDS[place], say("compare.unpaired"))
    wanted = {name: given[name] for name in SHARED} | {"strategy": strategy}
    if not kind.scored and "select" not in own and wanted["select"] != fields.DEFAULT_RULE:
        # A shared rule that reads scores applies to those that have some.
        wanted["select"] = fields.DEFAULT_RULE if rule_named(wanted["select"]).reducer else wanted["select"]
    for name in own:
        if not kind.takes(name):
            said = say("compare.has_no", strategy=kind.title, setting=PARAMETERS[name].in_line)
            raise InvalidInput(OWN_FIELDS[place], said)
    try:
        return fields.params_of(wanted | own), judge
    except InvalidInput as error:
        if error.argument in own:
            raise InvalidInput(OWN_FIELDS[place], error.message) from error
        raise


def own_settings(text: str | None, field: str) -> dict[str, Any]:
    """`M=2, c=1` as settings by the names of `RunParams`, and the judge. Raises `InvalidInput(field, ...)`."""
    own: dict[str, Any] = {}
    for part in filter(None, (part.strip() for part in (text or "").split(","))):
        written, equals, value = (piece.strip() for piece in part.partition("="))
        if written.lower() == JUDGE and value:
            own[JUDGE] = value
            continue
        parameter = _WRITTEN.get(written.lower())
        if not equals or not value or parameter is None:
            known = ", ".join([JUDGE, *(each.in_line for each in _OWN.values())])
            raise InvalidInput(field, say("compare.no_setting", text=repr(part), known=known))
        try:
            own[parameter.name] = value == "yes" if parameter.type is bool else parameter.type(value)
        except ValueError as error:
            raise InvalidInput(field, say("compare.no_number", setting=written, value=repr(value))) from error
    return own


def values_of(records: Sequence[RunRecord], catalogue: Catalogue) -> tuple[Any, ...]:
    """The form that asks for these runs again. What it cannot say (other policies) is taken from the first."""
    try:
        asked = [fields.params_in(record) for record in records]
    except (InvalidInput, TypeError):
        return (records[0].problem, *(gr.skip() for _ in FIELDS[1:]))
    seeds = [params.seed for params in asked]
    unpaired = [seeds[0] + place for place in range(len(seeds))]  # what such a comparison makes of one seed
    paired = len(seeds) < 2 or seeds != unpaired
    shared = {name: _shared(name, asked) for name in SHARED}
    judges = [record.scorer.name if record.scorer else None for record in records]
    usual = next(filter(None, judges), None)
    own = {
        OWN_FIELDS[place]: _own_text(params, shared, judge if judge != usual else None, paired)
        for place, (params, judge) in enumerate(zip(asked, judges, strict=True))
    }
    first = records[0]
    reference = "" if first.reference_answer == reference_answer(first.problem) else first.reference_answer or ""
    given = {"problem": first.problem, "reference": reference, "paired": paired}
    given |= model_choice.values_of(catalogue, next((record for record in records if record.scorer), first))
    given |= dict.fromkeys(STRATEGY_FIELDS, NONE) | dict.fromkeys(OWN_FIELDS, "") | own
    given |= {STRATEGY_FIELDS[place]: params.strategy for place, params in enumerate(asked)}
    given |= shared | {"select": shared["select"] or fields.DEFAULT_RULE}
    return tuple((given[name] or 0) if name in fields.LIMITS else given[name] for name in FIELDS)


def values_beside(record: RunRecord, catalogue: Catalogue) -> tuple[Any, ...]:
    """The form that asks for this run again as A, and for another strategy with its settings beside it."""
    other = next(name for name in ("best_of_n", "beam_search") if name != record.strategy)
    values = dict(zip(FIELDS, values_of([record], catalogue), strict=True))
    return tuple((values | {STRATEGY_FIELDS[1]: other})[name] for name in FIELDS)


def _shared(name: str, asked: Sequence[RunParams]) -> Any:
    """A setting's value for all: that of the first strategy that uses it."""
    users = [params for params in asked if params.method.takes(name)]
    if name == "select":  # the strategy's own rule is the default
        return None
    return getattr(users[0] if users else RunParams(), name)


def _own_text(params: RunParams, shared: dict[str, Any], judge: str | None, paired: bool) -> str:
    """What sets this strategy apart, as the form writes it; the seeds of unpaired runs follow from the first."""
    own = {name: getattr(params, name) for name in _OWN if params.method.takes(name) and (paired or name != "seed")}
    if params.select == RunParams(params.strategy).rule:
        own["select"] = None
    differing = {name: value for name, value in own.items() if value != shared[name]}
    said = [f"{PARAMETERS[name].in_line}={parameters.value(value)}" for name, value in differing.items()]
    return ", ".join([*said, *([f"{JUDGE}={judge}"] if judge else [])])


def _shape(*values: Any) -> tuple[Any, ...]:
    """Only what one of the strategies uses is shown."""
    *strategies, n, width = values
    chosen = [STRATEGIES[name] for name in strategies if name in STRATEGIES]
    updates = {name: gr.update(visible=any(kind.takes(name) for kind in chosen)) for name in _HIDEABLE}
    updates["width"] |= {"label": fields.width_label(n, width)}
    return tuple(updates.values())
