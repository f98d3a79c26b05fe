"""The Faults tab of the lab: what judges are known to get wrong, measured on the chosen runs, with examples."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import gradio as gr

from engine.errors import InvalidInput, TtsError
from engine.runs.lab.evidence import Trees, read
from engine.runs.lab.faults import Fault, faults
from engine.runs.lab.segmentation import cost, recuts, segmentation
from engine.runs.statistics.resampling import FEWEST
from tts_ui.web.door import computes
from tts_ui.web.lab import reading
from tts_ui.web.lab.chosen import Chosen
from tts_ui.web.lab.figures import behind, opener, ranged, table
from tts_ui.web.lab.links import Place
from tts_ui.web.parts.notices import notice, sentence
from tts_ui.words import numbers
from tts_ui.words.counting import counted
from tts_ui.words.interface import say
from tts_ui.words.interface.markup import marked

#: Positions that cutting otherwise may compute: minutes for a small judge on a CPU.
_MOST_POSITIONS = 200_000

_HEAD = ("fault", "finding", "measured", "no_effect", "n", "p")
_SIGNS = {"found": "bad", "not found": "ok"}


def build(blocks: gr.Blocks, chosen: Chosen) -> None:
    """Put the tab's content into the current tab."""
    with gr.Row(elem_classes="settings"):
        judge = reading.judge_field(chosen, "faults-judge", reading.ALL)
        button = gr.Button(say("lab.measure"), variant="primary", elem_id="faults-measure")
    shown = gr.HTML("", elem_id="faults-answer", container=False, padding=False)
    reading.on_measure(chosen, button, [judge], answer, shown)
    with gr.Row(elem_classes="settings", visible=not chosen.visitors.samples):
        judge = reading.judge_field(chosen, "recut-judge")
        cut = gr.Button(say("faults.cut"), elem_id="recut")
    recut = gr.HTML(
        f'<p class="hint">{marked("faults.cut_says")}</p>',
        elem_id="recut-answer", container=False, padding=False, visible=not chosen.visitors.samples,
    )  # fmt: skip

    @computes
    async def again(request: gr.Request, *values: Any) -> str:
        try:
            return await _recut(chosen, values[:-1], values[-1], request)
        except TtsError as error:
            return notice(sentence(error, discreet=chosen.visitors.strict), "error")

    cut.click(
        again, [*chosen.fields, judge], recut, concurrency_limit=1, concurrency_id="lab-recut", api_visibility="private"
    )


def answer(trees: Trees, judge: str) -> str:
    """The tab's answer as HTML. Raises `InvalidInput` where nothing can be said."""
    evidences = reading.of_judges(trees, judge)
    found = faults(evidences)
    parts = _overview(found) if len(found) > 1 else ""
    for place, evidence in enumerate(evidences):
        rows = [_row(fault, f"fault-{place}-{fault.name}") for fault in found[evidence.judge]]
        lists = "".join(
            _examples(fault, f"fault-{place}-{fault.name}", evidence.judge) for fault in found[evidence.judge]
        )
        parts += f"<h2>{escape(evidence.judge)}</h2><p>{escape(reading.said(evidence))}</p>"
        parts += table(_head(), rows) + lists
    return f"<p>{marked('faults.explained')}</p>{parts}"


def _head() -> list[str]:
    return [say(f"faults.column_{name}") for name in _HEAD]


def _finding(fault: Fault) -> str:
    said = marked(f"faults.{fault.finding.replace(' ', '_')}")
    return f'<b class="{_SIGNS[fault.finding]}">{said}</b>' if fault.finding in _SIGNS else said


def _overview(found: Mapping[str, Sequence[Fault]]) -> str:
    """What was found, judge beside judge."""
    judges = list(found)
    rows = [[escape(same[0].title), *(_finding(fault) for fault in same)] for same in zip(*found.values(), strict=True)]
    return f"<h2>{marked('faults.all')}</h2>{table([say('faults.column_fault'), *judges], rows)}"


def _row(fault: Fault, name: str) -> list[str]:
    tested = fault.tested
    finding = _finding(fault)
    if fault.finding == "cannot tell" and tested.problems < FEWEST:
        finding += f" ({counted('problems', tested.problems)})"
    title = opener(name, fault.title) if fault.examples else escape(fault.title)
    counts = marked("faults.counts", means=escape(fault.means), unit=escape(fault.unit))
    what = f"{title}<small>{counts}</small>"
    p = _p(fault.p) if tested.n else numbers.NOT_AVAILABLE
    return [what, finding, ranged(tested.interval), f"{tested.null:g}", numbers.count(tested.n), p]


def _p(p: float) -> str:
    return say("faults.p_below", p="0.0001") if p < 1e-4 else f"{p:.4f}" if p < 0.1 else f"{p:.2f}"


def _examples(fault: Fault, name: str, judge: str) -> str:
    places = [Place(each.run, each.node, each.words, judge) for each in fault.examples]
    return behind(name, say("faults.plainest", fault=fault.title), places) if places else ""


async def _recut(chosen: Chosen, selection: Sequence[Any], judge: str | None, request: gr.Request) -> str:
    host = chosen.host

    def work() -> Trees:
        return read(host.store, host.domains, chosen.runs(selection, request))

    trees = await asyncio.to_thread(work)
    name = reading.of_judge(trees, judge).judge
    found = recuts(trees, name)
    if not found:
        raise InvalidInput("q", say("faults.nothing_to_cut", judge=name))

    async def do(scorer: Any) -> str:
        asked = cost(found, scorer)
        if asked > _MOST_POSITIONS:
            about = {"asked": numbers.count(asked), "most": numbers.count(_MOST_POSITIONS)}
            raise InvalidInput("most", say("faults.too_many", **about))
        fault, positions = await segmentation(found, scorer)
        completions = {"n": len(found), "completions": numbers.count(len(found))}
        spent = marked("faults.spent", positions=numbers.count(positions), **completions)
        return (
            f'<div class="lab-answer"><h2>{marked("faults.cut_title", judge=escape(name))}</h2><p>{spent}</p>'
            f"{table(_head(), [_row(fault, 'fault-recut')])}{_examples(fault, 'fault-recut', name)}</div>"
        )

    return await asyncio.wrap_future(host.judging(name, do, visitor=chosen.visitors.name(request)))
