"""The form of the Explore page: its fields, which of them a strategy has a use for, and what they ask for.

The names and the defaults are those of `RunParams`; nothing here knows of runs in progress or of the store's tables.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

import gradio as gr

from engine.builtin.problems import FAMILIES, examples, reference_answer
from engine.errors import InvalidInput
from engine.params import FINISHED_RULES, TREE_POLICIES, RunParams
from engine.run import Question
from engine.selection import RULES, VOTES
from engine.store import RunRecord
from engine.strategies import STRATEGIES

#: What the page begins with, and what the recorded example answers: held out from training, and a problem that greedy
#: decoding and the majority get wrong where beam search gets it right (all with seed 0).
SHOWCASE = (
    "Mia buys 9 pens at 20 dollars, 10 mugs at 8 dollars and 12 lamps at 9 dollars each and pays with 500 dollars. "
    "A coupon takes off 21 dollars. What is the change?"
)

_DEFAULT_RULE = "the strategy's own"
_DEFAULTS = RunParams()

#: The fields in the order of the form, by the names of `RunParams` and `Question`.
ALWAYS = ("problem", "strategy", "n", "width", "seed")
FOLDED = (
    "reference", "select", "votes", "finished", "lookahead", "tree_policy", "exploration", "probe", "temperature",
    "top_p", "max_steps", "max_tokens", "max_tokens_total", "eligible_without_answer",
)  # fmt: skip
FIELDS = ALWAYS + FOLDED

#: The fields that are shown only where the strategy takes them.
_OPTIONS = ("n", "width", "finished", "lookahead", "tree_policy", "exploration", "probe")

#: The fields in which 0 stands for no limit.
_LIMITS = ("max_tokens", "max_tokens_total")


@dataclass(frozen=True, slots=True)
class Form:
    """The components: `fields` by name in the order of `FIELDS`, the part that is folded away, the two buttons."""

    fields: dict[str, Any]
    more: gr.Accordion
    run: gr.Button
    stop: gr.Button


def build(defaults: RunParams = _DEFAULTS) -> Form:
    """Put the form into the current `gr.Blocks`; `defaults` says how the policy is sampled unless asked otherwise."""
    components: dict[str, Any] = {}
    with gr.Row(elem_classes="question"):
        components["problem"], example = _question()
    with gr.Row(elem_classes="settings"):
        components |= _settings()
        run = gr.Button("Run", variant="primary", elem_id="run", min_width=90)
        stop = gr.Button("Stop", elem_id="stop", min_width=80, interactive=False)
    with gr.Accordion("More settings", open=False, elem_id="more") as more:
        with gr.Row():
            components |= _choosing()
        with gr.Row():
            components |= _options_of_strategies() | _sampling(defaults)
    components = {name: components[name] for name in FIELDS}
    _connect(components, example)
    return Form(components, more, run, stop)


def _question() -> tuple[gr.Textbox, gr.Dropdown]:
    menu = [("Start here: greedy fails, search succeeds", SHOWCASE)]
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
            _DEFAULTS.width, label=_width_label(_DEFAULTS.n, _DEFAULTS.width), precision=0, scale=2, min_width=190,
            elem_id="m",
        ),
        "seed": gr.Number(_DEFAULTS.seed, label="Seed", precision=0, scale=1, min_width=90, elem_id="seed"),
    }  # fmt: skip


def _choosing() -> dict[str, Any]:
    return {
        "reference": gr.Textbox(
            label="Reference answer", min_width=200, elem_id="reference",
            info="Marks answers right or wrong. Known for the examples.",
        ),
        "select": gr.Dropdown(
            [_DEFAULT_RULE, *RULES], value=_DEFAULT_RULE, label="Selection rule", min_width=200,
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


def _options_of_strategies() -> dict[str, Any]:
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


def _sampling(defaults: RunParams) -> dict[str, Any]:
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
        "max_tokens_total": gr.Number(
            0, label="Token budget", precision=0, info="Generated tokens; 0: no limit.", min_width=170,
            elem_id="budget",
        ),
    }  # fmt: skip


def _connect(components: dict[str, Any], example: gr.Dropdown) -> None:
    """What changes with what; the menu and the box talk in the browser alone."""
    problem, reference = components["problem"], components["reference"]
    # The menu shows the example that is in the box, and no other text.
    # A reference answer belongs to the text it was given for.
    example.input(
        None, [example, problem, reference], [problem, reference],
        js="(chosen, text, answer) => chosen ? [chosen, ''] : [text, answer]",
    )  # fmt: skip
    problem.input(None, None, reference, js="() => ''")
    texts = json.dumps([SHOWCASE, *(one.text for one in examples())])
    problem.change(None, problem, example, js=f"(text) => {texts}.includes(text) ? text : null")
    shape = [components[name] for name in ("strategy", "n", "width")]
    for field in shape:
        field.change(
            _shape, shape, [components[name] for name in _OPTIONS], queue=False, show_progress="hidden",
            api_visibility="private",
        )  # fmt: skip


def request(values: tuple[Any, ...]) -> tuple[Question, RunParams]:
    """What the form asks for. Raises `InvalidInput` naming the field at fault."""
    form = dict(zip(FIELDS, values, strict=True))
    problem = form.pop("problem") or ""
    reference = (form.pop("reference") or "").strip() or reference_answer(problem)
    question = Question(problem, reference)
    if form["select"] == _DEFAULT_RULE:
        form["select"] = None
    for limit in _LIMITS:  # a number field has no empty state that lasts
        form[limit] = form[limit] or None
    kind = STRATEGIES.get(form["strategy"])
    for name in _OPTIONS:
        if kind and name not in kind.options:  # its field is hidden
            del form[name]
    for name, value in form.items():
        if value is None and name not in ("select", *_LIMITS):
            raise InvalidInput(name, "it is empty; give a value")
    return question, RunParams(**form)


def values_of(record: RunRecord) -> tuple[Any, ...]:
    """The form that asks for this run again. Settings that this version does not know stay as they are."""
    known = {field.name for field in fields(RunParams)}
    try:
        params = RunParams(record.strategy, **{name: v for name, v in record.params.items() if name in known})
    except (InvalidInput, TypeError):
        return (record.problem, *(gr.skip() for _ in FIELDS[1:]))
    form = asdict(params) | {"problem": record.problem, "reference": record.reference_answer or ""}
    for limit in _LIMITS:
        form[limit] = form[limit] or 0
    if params.select == replace(params, select=None).rule:
        form["select"] = _DEFAULT_RULE
    if record.reference_answer == reference_answer(record.problem):
        form["reference"] = ""
    return tuple(form[name] for name in FIELDS)


def _shape(strategy: str, n: int | None, width: int | None) -> tuple[Any, ...]:
    """Only the parameters that the strategy has a use for are shown."""
    taken = STRATEGIES[strategy].options
    updates = {name: gr.update(visible=name in taken) for name in _OPTIONS}
    updates["width"] = gr.update(visible="width" in taken, label=_width_label(n, width))
    return tuple(updates.values())


def _width_label(n: int | None, width: int | None) -> str:
    """M, and what follows from it: K survivors."""
    if n and width and n >= width and n % width == 0:
        return f"Width M (K = {n // width} survivor{'s' if n > width else ''})"
    return "Width M"
