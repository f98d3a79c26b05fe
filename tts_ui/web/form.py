"""The form of the Explore page: its fields, which of them a strategy has a use for, and what they ask for.

The names and the defaults are those of `RunParams`; nothing here knows of runs in progress or of the store's tables.
The groups of fields that the Compare page shows too are functions of their own.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

import gradio as gr

from engine.domains.builtin.known_answers import reference_answer
from engine.domains.builtin.problems import FAMILIES, examples
from engine.errors import InvalidInput
from engine.models.catalogue.catalogue import Catalogue
from engine.runs.question import Question
from engine.search.params import FINISHED_RULES, TREE_POLICIES, RunParams
from engine.search.selection import RULES, VOTES
from engine.search.strategies import STRATEGIES
from engine.store import RunRecord
from tts_ui.web import model_choice
from tts_ui.web.lessons import showcase_problem

DEFAULT_RULE = "the strategy's own"
_DEFAULTS = RunParams()

#: The fields in the order of the form, by the names of `RunParams` and `Question`.
ALWAYS = ("problem", "models", "strategy", "n", "width", "seed")
FOLDED = (
    "scorer", "reference", "select", "votes", "finished", "lookahead", "tree_policy", "exploration", "probe",
    "temperature", "top_p", "max_steps", "max_tokens", "max_tokens_total", "eligible_without_answer",
)  # fmt: skip
FIELDS = ALWAYS + FOLDED

#: The fields that are shown only where the strategy takes them.
OPTIONS = ("n", "width", "finished", "lookahead", "tree_policy", "exploration", "probe")


@dataclass(frozen=True, slots=True)
class Request:
    """What the form asks for; `models` and `scorer` as `Catalogue.load` takes them."""

    question: Question
    params: RunParams
    models: str | None
    scorer: str | None


#: How steps are drawn: what a policy may have settings of its own for.
SAMPLING = ("temperature", "top_p", "max_steps", "max_tokens")

#: The fields in which 0 stands for no limit.
LIMITS = ("max_tokens", "max_tokens_total")


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
            components |= option_fields() | sampling_fields(defaults) | {"max_tokens_total": budget_field()}
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
    return {
        "strategy": gr.Dropdown(
            [(kind.title, name) for name, kind in STRATEGIES.items()], value=_DEFAULTS.strategy,
            label="Strategy", scale=2, min_width=150, filterable=False, elem_id="strategy",
        ),
        "n": gr.Number(_DEFAULTS.n, label="N completions", precision=0, scale=1, min_width=110, elem_id="n"),
        "width": gr.Number(
            _DEFAULTS.width, label=width_label(_DEFAULTS.n, _DEFAULTS.width), precision=0, scale=2, min_width=190,
            elem_id="m",
        ),
        "seed": gr.Number(_DEFAULTS.seed, label="Seed", precision=0, scale=1, min_width=90, elem_id="seed"),
    }  # fmt: skip


def choosing_fields() -> dict[str, Any]:
    """How the answer is elected and graded."""
    return {
        "reference": gr.Textbox(
            label="Reference answer", min_width=200, elem_id="reference",
            info="Marks answers right or wrong. Known for the examples.",
        ),
        "select": gr.Dropdown(
            [DEFAULT_RULE, *RULES], value=DEFAULT_RULE, label="Selection rule", min_width=200,
            info="How the finished answers elect one.", elem_id="select",
        ),
        "votes": gr.Dropdown(
            list(VOTES), value=_DEFAULTS.votes, label="Votes", min_width=170,
            info="draws: one for each. distinct: one for each text.", elem_id="votes",
        ),
        "eligible_without_answer": gr.Checkbox(
            _DEFAULTS.eligible_without_answer, label="\u201cNo answer\u201d may win", min_width=170,
            info="Whether completions without an answer stay eligible.",
        ),
    }  # fmt: skip


def option_fields() -> dict[str, Any]:
    """The options that some strategies have and others have not."""
    shown = STRATEGIES[_DEFAULTS.strategy].options
    return {
        "finished": gr.Dropdown(
            list(FINISHED_RULES), value=_DEFAULTS.finished, label="Finished beams", min_width=200,
            info="bank: set aside. compete: they use up a slot.", elem_id="finished", visible="finished" in shown,
        ),
        "lookahead": gr.Number(
            _DEFAULTS.lookahead, label="Look ahead L", precision=0, min_width=170, elem_id="lookahead",
            info="Greedy steps before a step is scored.", visible="lookahead" in shown,
        ),
        "tree_policy": gr.Dropdown(
            list(TREE_POLICIES), value=_DEFAULTS.tree_policy, label="Tree policy", min_width=150,
            info="How MCTS descends.", elem_id="tree-policy", visible="tree_policy" in shown,
        ),
        "exploration": gr.Number(
            _DEFAULTS.exploration, label="Exploration c", min_width=150, elem_id="exploration",
            info="Larger: less visited steps first.", visible="exploration" in shown,
        ),
        "probe": gr.Number(
            _DEFAULTS.probe, label="Probe samples", precision=0, min_width=170, elem_id="probe",
            info="To estimate the difficulty.", visible="probe" in shown,
        ),
    }  # fmt: skip


def sampling_fields(defaults: RunParams = _DEFAULTS) -> dict[str, Any]:
    """How steps are drawn; `defaults` says how, unless asked otherwise."""
    return {
        "temperature": gr.Number(
            defaults.temperature, label="Temperature", info="0 is greedy.", min_width=130, elem_id="temperature"
        ),
        "top_p": gr.Number(
            defaults.top_p, label="Top-p", info="1 keeps every token.", min_width=130, elem_id="top-p"
        ),
        "max_steps": gr.Number(
            defaults.max_steps, label="Most steps", precision=0, info="In one chain.", min_width=130,
            elem_id="max-steps",
        ),
        "max_tokens": gr.Number(
            defaults.max_tokens or 0, label="Longest completion", precision=0, info="In tokens; 0: what fits.",
            min_width=170, elem_id="max-tokens",
        ),
    }  # fmt: skip


def budget_field() -> gr.Number:
    return gr.Number(
        0, label="Token budget", precision=0, info="Generated tokens; 0: no limit.", min_width=170, elem_id="budget"
    )


def _connect(components: dict[str, Any], example: gr.Dropdown) -> None:
    """What changes with what; the menu and the box talk in the browser alone."""
    connect_example(components["problem"], components["reference"], example)
    shape = [components[name] for name in ("strategy", "n", "width")]
    for field in shape:
        field.change(
            _shape, shape, [components[name] for name in OPTIONS], queue=False, show_progress="hidden",
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
    form = dict(form)
    if form["select"] == DEFAULT_RULE:
        form["select"] = None
    for limit in LIMITS:  # a number field has no empty state that lasts
        form[limit] = form[limit] or None
    kind = STRATEGIES.get(form["strategy"])
    for name in OPTIONS:
        if kind and name not in kind.options:  # its field is hidden
            del form[name]
    for name, value in form.items():
        if value is None and name not in ("select", *LIMITS):
            raise InvalidInput(name, "it is empty; give a value")
    return RunParams(**form)


def values_of(record: RunRecord, catalogue: Catalogue) -> tuple[Any, ...]:
    """The form that asks for this run again. Settings that this version does not know stay as they are."""
    known = {field.name for field in fields(RunParams)}
    try:
        params = RunParams(record.strategy, **{name: v for name, v in record.params.items() if name in known})
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


def _shape(strategy: str, n: int | None, width: int | None) -> tuple[Any, ...]:
    """Only the parameters that the strategy has a use for are shown."""
    taken = STRATEGIES[strategy].options
    updates = {name: gr.update(visible=name in taken) for name in OPTIONS}
    updates["width"] = gr.update(visible="width" in taken, label=width_label(n, width))
    return tuple(updates.values())


def width_label(n: int | None, width: int | None) -> str:
    """M, and what follows from it: K survivors."""
    if n and width and n >= width and n % width == 0:
        return f"Width M (K = {n // width} survivor{'s' if n > width else ''})"
    return "Width M"
