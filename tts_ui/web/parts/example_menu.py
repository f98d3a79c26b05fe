"""The menu of examples: choosing one fills the form, and a line under it says what to look at.

Menu, line and form talk only in the browser; the server is not asked.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from html import escape
from typing import Any

import gradio as gr

from engine.runs.examples import OVER_OPTIMISED, REAL_MODEL
from engine.runs.teaching import FEW, MANY, POLICY, SEEDS, TEACHING, Teaching, found
from tts_ui.web.parts.fields import DEFAULT_RULE
from tts_ui.web.parts.lessons import problem_of, run_ids, showcase_problem
from tts_ui.web.parts.model_choice import FIELDS as MODEL_FIELDS
from tts_ui.web.parts.model_choice import OWN
from tts_ui.words.interface import say
from tts_ui.words.interface.markup import marked


def menu() -> gr.Dropdown:
    choices = [(kind.title, found()[kind.name].problem) for kind in TEACHING]
    choices += [(say("asking.example_recorded"), problem) for problem in _recorded()]
    return gr.Dropdown(
        choices, value=showcase_problem(), label=say("asking.examples"), scale=2, min_width=220, elem_id="examples"
    )


def line(*, visible: bool = True) -> gr.HTML:
    said = _lines()[showcase_problem()]
    return gr.HTML(said, elem_id="example-line", container=False, padding=False, visible=visible)


def common_settings(kind: Teaching) -> dict[str, Any]:
    """What an example asks of the fields that both pages have."""
    params = kind.shown.params
    return {
        "models": POLICY, "scorer": kind.shown.scorer or OWN, "n": params.n, "width": params.width, "seed": SEEDS[0],
        "select": params.select or DEFAULT_RULE,
    }  # fmt: skip


def connect(
    choice: gr.Dropdown, taught: gr.HTML, fields: dict[str, Any], asked: Callable[[Teaching], dict[str, Any]]
) -> None:
    """Choosing an example puts its problem, and what `asked` says of it, into the form's `fields`.

    The menu shows the example that is in the box, and no other text; a reference answer belongs to its text. A recorded
    example opens its run. A models file of one's own need not have the models of the examples; then they stay.
    """
    problem, reference = fields["problem"], fields["reference"]
    theirs = any(value == POLICY for _, value in fields["models"].choices)
    names = [name for name in asked(TEACHING[0]) if theirs or name not in MODEL_FIELDS]
    filled = [problem, reference, *(fields[name] for name in names)]
    values = {
        text: [text, "", *(asked(kind)[name] for name in names)]
        for kind in TEACHING for text in [found()[kind.name].problem]
    }  # fmt: skip
    choice.input(
        None, [choice, *filled], filled,
        js=f"""(chosen, ...now) => {{
          const run = {json.dumps(_recorded())}[chosen];
          if (run) location.assign(new URL(`./?run=${{run}}`, document.baseURI));
          return {json.dumps(values)}[chosen] ?? now;
        }}""",
    )  # fmt: skip
    problem.input(None, None, reference, js="() => ''")
    problem.change(
        None, problem, [choice, taught],
        js=f"""(text) => {{
          const lines = {json.dumps(_lines())};
          return text in lines ? [text, lines[text]] : [null, ''];
        }}""",
    )  # fmt: skip


def _recorded() -> dict[str, str]:
    """The run of each example that is only shown as it was recorded, by its problem."""
    return {problem_of(REAL_MODEL): run_ids(REAL_MODEL)[0]}


def _lines() -> dict[str, str]:
    """What each example teaches, by its problem, as HTML."""
    lines = {}
    for kind in TEACHING:
        count: dict[str, Any] = {"n": len(SEEDS), "held": found()[kind.name].held, "seeds": len(SEEDS)}
        if kind.name == OVER_OPTIMISED.name:
            address = f"./compare?runs={','.join(run_ids(OVER_OPTIMISED))}"
            link = f'<a href="{address}">{marked("examples.both_runs")}</a>'
            often = marked("examples.often_link", link=link, **count)
        else:
            often = marked("examples.often", few=FEW, many=MANY, **count)
        lines[found()[kind.name].problem] = f'<p class="hint">{escape(kind.teaches)} {often}</p>'
    return lines | dict.fromkeys(_recorded(), f'<p class="hint">{marked("examples.recorded")}</p>')
