"""Below the Score tab's solution: one judge for all the runs that are chosen, with the cost said first."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import partial
from html import escape
from typing import Any

import gradio as gr

from engine.errors import InvalidInput, TtsError
from engine.runs.lab.rescoring import Rescored, rescore
from engine.search.events import Usage
from engine.store import RunRecord
from tts_ui.web.door import computes
from tts_ui.web.lab.chosen import Chosen
from tts_ui.web.lab.links import Place, listing
from tts_ui.web.parts.notices import notice, sentence
from tts_ui.words import numbers
from tts_ui.words.counting import counted
from tts_ui.words.interface import say
from tts_ui.words.interface.markup import marked
from tts_ui.words.results import flops

#: Seconds between two looks at how far it is.
_LOOK_S = 0.3
#: Runs whose reasons are listed where they were not scored.
_LISTED = 20

_CSS = "h2 { font-size: 1.05rem; font-weight: 650; margin: 18px 0 0; } .hint { margin: 2px 0 0; }"


def build(chosen: Chosen) -> None:
    """Put it into the current tab."""
    _Runs(chosen).build()


@dataclass(frozen=True, slots=True)
class _Due:
    """Runs to score by a judge, and how many of those that are chosen are not: his already, or not the visitor's.
    `about` so many positions at most it will read, in the policy's tokens."""

    judge: str
    runs: list[RunRecord]
    known: int
    others: int
    about: int


class _Runs:
    def __init__(self, chosen: Chosen) -> None:
        self._chosen, self._host, self._visitors = chosen, chosen.host, chosen.visitors

    def build(self) -> None:
        """Put the row into the current tab."""
        catalogue = self._host.catalogue
        there = [entry for entry in catalogue.scorers.values() if not self._visitors.strict or catalogue.here(entry)]
        gr.HTML(
            f'<h2>{marked("score.runs")}</h2><p class="hint">{marked("score.runs_say")}</p>',
            css_template=_CSS, container=False, padding=False, elem_id="score-runs-title",
        )  # fmt: skip
        with gr.Row(elem_id="score-runs"):
            judge = gr.Dropdown(
                [(entry.title or entry.label, entry.label) for entry in there], value=there[0].label if there else None,
                label=say("explore.judge"), scale=0, min_width=260, filterable=False, elem_id="score-runs-judge",
            )  # fmt: skip
            ask = gr.Button(say("score.ask"), size="sm", scale=0, min_width=180, elem_id="score-runs-ask")
            score = gr.Button(
                say("score.go"), variant="primary", size="sm", scale=0, min_width=130, elem_id="score-runs-score"
            )
            stop = gr.Button(
                say("asking.stop"), size="sm", scale=0, min_width=90, interactive=False, elem_id="score-runs-stop"
            )
        says = gr.HTML("", container=False, padding=False, elem_id="score-runs-says")
        fields = [judge, *self._chosen.fields]
        ask.click(self._cost, fields, says, show_progress="hidden", api_visibility="private")
        scoring = score.click(
            self._score, fields, [says, score, stop], show_progress="hidden", concurrency_limit=None,
            api_visibility="private",
        )  # fmt: skip
        stop.click(
            lambda: (notice(say("score.stopped")), *_buttons(False)),
            None, [says, score, stop], cancels=[scoring], show_progress="hidden", api_visibility="private",
        )  # fmt: skip

    def _due(self, judge: str | None, values: tuple[Any, ...], request: gr.Request) -> _Due:
        """What there is to do. Raises `InvalidInput`."""
        self._host.catalogue.scorer(None, judge)
        if not judge:
            raise InvalidInput("judge", say("score.choose"))
        runs = self._chosen.runs(values, request)
        mine = [run for run in runs if self._visitors.may_change(request, run.id)]
        due = [run for run in mine if judge not in (run.judge, *(each.scorer.name for each in self._scorings(run)))]
        if not due:
            why = say("score.all_scored", judge=judge) if mine else say("score.not_yours")
            raise InvalidInput("runs", say("score.none_due", n=len(runs), runs=numbers.count(len(runs)), why=why))
        return _Due(judge, due, len(mine) - len(due), len(runs) - len(mine), sum(map(self._about, due)))

    def _about(self, run: RunRecord) -> int:
        """The prompt once, and what the policy wrote, or where that was not counted a quarter of the letters."""
        written = run.usage.generated_tokens
        if not written:
            written = sum(node.tokens or len(node.text) // 4 for node in self._host.store.tree(run.id).nodes[1:])
        return len(run.problem) // 4 + written

    def _scorings(self, run: RunRecord) -> Any:
        return self._host.store.scorings(run.id)

    async def _cost(self, judge: str | None, request: gr.Request, *values: Any) -> str:
        try:
            due = await asyncio.to_thread(self._due, judge, values, request)
        except InvalidInput as error:
            return notice(sentence(error), "error")
        return notice(_asked(due))

    @computes
    async def _score(self, judge: str | None, request: gr.Request, *values: Any) -> AsyncIterator[Any]:
        """Score them, saying how far it is; leaving the page or Stop ends it, and what is committed stays."""
        try:
            due = await asyncio.to_thread(self._due, judge, values, request)
            told: list[Rescored] = []
            run_ids = [run.id for run in due.runs]
            work = partial(rescore, self._host.store, run_ids, progress=told.append)
            began = time.monotonic()
            future = self._host.judging(due.judge, lambda scorer: work(scorer), visitor=self._visitors.name(request))
            yield notice(_asked(due)), *_buttons(True)
            try:
                result = asyncio.wrap_future(future)
                while not (await asyncio.wait([result], timeout=_LOOK_S))[0]:
                    yield notice(_far(due, told, time.monotonic() - began)), gr.skip(), gr.skip()
                yield _said(due, await result, time.monotonic() - began), *_buttons(False)
            finally:
                future.cancel()
        except TtsError as error:
            yield notice(sentence(error, discreet=self._visitors.strict), "error"), *_buttons(False)


def _buttons(working: bool) -> tuple[Any, Any]:
    return gr.update(interactive=not working), gr.update(interactive=working)


def _asked(due: _Due) -> str:
    runs = counted("runs", len(due.runs))
    said = [say("score.asked", runs=runs, judge=due.judge, tokens=numbers.count(due.about))]
    said += [say("score.known", n=due.known, runs=numbers.count(due.known))] if due.known else []
    said += [say("score.others", n=due.others, runs=numbers.count(due.others))] if due.others else []
    return " ".join(said)


def _far(due: _Due, told: list[Rescored], seconds: float) -> str:
    done, total = len(told), len(due.runs)
    if not done:
        return say("score.waiting", judge=due.judge)
    left = numbers.seconds(seconds / done * (total - done))
    of = {"n": total, "done": numbers.count(done), "of": numbers.count(total)}
    return say("score.far", judge=due.judge, left=left, **of)


def _said(due: _Due, done: list[Rescored], seconds: float) -> str:
    """What came of it: the bill, and links to the runs; then the runs that were not scored, and why."""
    scored = [each for each in done if each.scoring]
    usage = Usage.total(each.scoring.usage for each in done if each.scoring)
    steps, too_long = sum(each.steps for each in scored), sum(each.too_long for each in done)
    bill = say(
        "score.done", runs=counted("runs", len(scored)), judge=due.judge, steps=counted("steps", steps),
        cut=say("score.cut", n=too_long, steps=numbers.count(too_long)) if too_long else "",
        tokens=numbers.count(usage.scored_tokens), flops=numbers.flops(flops(usage)[1]),
        time=numbers.seconds(seconds),
    )  # fmt: skip
    problems = {run.id: run.problem for run in due.runs}
    places = [Place(each.run_id, 0, " ".join(problems[each.run_id].split())[:120], due.judge) for each in scored]
    refused = [each for each in done if each.refused]
    reasons = "".join(f"<li>{escape(each.run_id[:8])}: {escape(each.refused or '')}</li>" for each in refused[:_LISTED])
    return notice(bill) + listing(places, 10) + (f"<ul>{reasons}</ul>" if reasons else "")
