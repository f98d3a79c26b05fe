"""What the statistical tabs have in common: a button that reads the chosen runs aside and answers with HTML.

Reading takes seconds, so it is done in a thread, one at a time in this process, and stops at a number of steps.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import gradio as gr

from engine.errors import InvalidInput
from engine.runs.lab.evidence import Evidence, Trees, read
from tts_ui.web.lab.chosen import Chosen
from tts_ui.web.parts.notices import notice, sentence
from tts_ui.words import numbers
from tts_ui.words.counting import counted
from tts_ui.words.interface import say

#: Calls under this name wait for one another.
_LINE = "lab-statistics"
#: The texts of what stands for no judge. Any may be typed: one that only recorded runs know is in no models file.
MOST_RUNS, ALL = "lab.judge_of_most", "lab.all_judges"


def judge_field(chosen: Chosen, name: str, empty: str = MOST_RUNS) -> gr.Dropdown:
    return gr.Dropdown(
        ["", *chosen.host.catalogue.scorers],
        value="",
        label=say("explore.judge"),
        info=say("lab.empty", what=say(empty)),
        allow_custom_value=True,
        elem_id=name,
        scale=3,
    )


def on_measure(
    chosen: Chosen, button: gr.Button, fields: Sequence[Any], answer: Callable[..., str], shown: gr.HTML
) -> None:
    """Let `button` show what `answer(trees, *values of fields)` says, or the mistake."""

    async def measure(request: gr.Request, *values: Any) -> str:
        selection, own = values[: len(chosen.fields)], values[len(chosen.fields) :]

        def work() -> str:
            records = chosen.runs(selection, request)
            return answer(read(chosen.host.store, chosen.host.domains, records), *own)

        try:
            return f'<div class="lab-answer">{await asyncio.to_thread(work)}</div>'
        except InvalidInput as error:
            return notice(sentence(error), "error")

    button.click(
        measure, [*chosen.fields, *fields], shown, concurrency_id=_LINE, concurrency_limit=1,
        api_visibility="private",
    )  # fmt: skip


def of_judge(trees: Trees, judge: str | None) -> Evidence:
    """The evidence of `judge`, or of the one that scored most runs. Raises `InvalidInput` where it scored none."""
    if not trees.judges:
        raise InvalidInput("q", say("lab.no_judge"))
    name = judge or trees.judges.most_common(1)[0][0]
    if name not in trees.judges:
        raise InvalidInput("judge", say("lab.not_this_judge", judge=name, there=", ".join(trees.judges)))
    return trees.evidence(name)


def of_judges(trees: Trees, judge: str | None) -> list[Evidence]:
    """The evidence of `judge`, or of all that scored these runs."""
    one = of_judge(trees, judge)
    return [one] if judge else [trees.evidence(name) for name in sorted(trees.judges)]


def said(evidence: Evidence) -> str:
    """How much was read, and what was not."""
    scored = sum(len(run.steps) for run in evidence.runs)
    told = say(
        "lab.read", n=evidence.read, runs=numbers.count(evidence.read), judge=evidence.judge,
        scored=numbers.count(len(evidence.runs)), steps=counted("steps", scored),
    )  # fmt: skip
    if not evidence.left_out:
        return told
    return f"{told} {say('lab.left_out', n=evidence.left_out, runs=numbers.count(evidence.left_out))}"
