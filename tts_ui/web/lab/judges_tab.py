"""The Judges tab of the lab: the judges of a selection of runs against each other, and what if another had steered."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any

import gradio as gr

from engine.errors import InvalidInput, TtsError
from engine.runs.host import Host
from engine.runs.lab.agreement import agreement
from engine.runs.lab.rescoring import Rescored, positions_about, rescore
from engine.runs.lab.what_if import Steered, what_if
from engine.search.scorer import Scorer
from engine.search.tree import Tree
from engine.search.truth import Truth
from engine.store import RunRecord
from tts_ui.web.door import computes
from tts_ui.web.lab.chosen import Chosen
from tts_ui.web.lab.judges_table import Steerings, agreement_table, what_if_table
from tts_ui.web.parts.notices import notice, sentence
from tts_ui.words import numbers
from tts_ui.words.interface import say
from tts_ui.words.interface.markup import marked

#: Runs after which the page hears how far it is.
_TOLD_EVERY = 20


def build(blocks: gr.Blocks, chosen: Chosen) -> None:
    """Put the tab's content into the current tab."""
    catalogue = chosen.host.catalogue
    names = [(scorer.title or scorer.label, scorer.label) for scorer in catalogue.scorers.values()]
    with gr.Row(elem_classes="score-by"):
        compare = gr.Button(say("judges.compare"), variant="primary", elem_id="judges-compare", min_width=150, scale=0)
        steer = gr.Button(say("judges.steer"), elem_id="judges-steer", min_width=200, scale=0)
    said = gr.HTML("", elem_id="judges-said", container=False, padding=False)
    agree = gr.HTML("", elem_id="judges-agree", container=False, padding=False)
    steered = gr.HTML("", elem_id="judges-steered", container=False, padding=False)
    with gr.Row(elem_classes="score-by", visible=not chosen.visitors.samples):
        judge = gr.Dropdown(
            names, value=None, label=say("judges.judge"), filterable=False, elem_id="judges-judge",
            info=say("judges.judge_says"), min_width=240, scale=2,
        )  # fmt: skip
        cost = gr.HTML("", elem_id="judges-cost", container=False, padding=False)
        go = gr.Button(say("other_judge.score"), interactive=False, elem_id="judges-score", min_width=90, scale=0)
    tab = _Tab(chosen)
    quiet: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
    compare.click(tab.compare, [*chosen.fields], [said, agree], **quiet)
    steer.click(tab.steer, [*chosen.fields], [said, steered], **quiet)
    judge.input(tab.cost, [judge, *chosen.fields], [cost, go], **quiet)
    go.click(tab.score, [judge, *chosen.fields], [cost, go], **quiet)


class _Tab:
    """What the buttons do."""

    def __init__(self, chosen: Chosen) -> None:
        self._chosen, self._host = chosen, chosen.host

    def compare(self, request: gr.Request, *fields: Any) -> Iterator[tuple[str, Any]]:
        try:
            runs = self._chosen.runs(fields, request)
        except TtsError as error:
            yield self._refused(error), gr.skip()
            return
        trees: dict[str, Tree] = {}
        for record in runs:
            if len(trees) % _TOLD_EVERY == 0:
                yield _far("judges.reading", len(trees), len(runs)), gr.skip()
            trees[record.id] = self._host.store.tree(record.id)
        yield "", agreement_table(agreement(trees), len(runs))

    def steer(self, request: gr.Request, *fields: Any) -> Iterator[tuple[str, Any]]:
        try:
            runs = self._chosen.runs(fields, request)
        except TtsError as error:
            yield self._refused(error), gr.skip()
            return
        steerings = Steerings()
        for place, record in enumerate(runs):
            if place % _TOLD_EVERY == 0:
                yield _far("judges.steering", place, len(runs)), gr.skip()
            try:
                steerings.take(record, _steered(self._host, record))
            except InvalidInput as error:
                steerings.take(record, error)
        yield "", what_if_table(steerings)

    @computes
    async def cost(self, judge: str | None, request: gr.Request, *fields: Any) -> tuple[str, Any]:
        """What scoring these runs will take."""
        if not judge:
            return "", gr.update(interactive=False)
        try:
            trees = await asyncio.to_thread(self._trees, judge, fields, request)

            async def size(scorer: Scorer) -> tuple[int, int]:
                return sum(positions_about(tree, scorer) for tree in trees), scorer.info.parameters

            visitor = self._chosen.visitors.name(request)
            positions, parameters = await asyncio.wrap_future(self._host.judging(judge, size, visitor=visitor))
        except TtsError as error:
            return self._refused(error), gr.update(interactive=False)
        about = marked(
            "judges.about_work" if parameters else "judges.about", n=len(trees), runs=numbers.count(len(trees)),
            positions=numbers.count(positions), work=numbers.flops(2.0 * positions * parameters),
        )  # fmt: skip
        return f'<p class="hint">{about}</p>', gr.update(interactive=bool(trees))

    @computes
    async def score(self, judge: str, request: gr.Request, *fields: Any) -> AsyncIterator[tuple[str, Any]]:
        try:
            runs = await asyncio.to_thread(self._mine, fields, request)
            due = [record.id for record in runs if record.judge != judge]
            done: list[Rescored] = []
            future = self._host.judging(
                judge,
                lambda scorer: rescore(self._host.store, due, scorer, done.append),
                visitor=self._chosen.visitors.name(request),
            )
            try:
                while not future.done():
                    yield _far("judges.scored_far", len(done), len(due)), gr.update(interactive=False)
                    await asyncio.sleep(0.5)
                found = future.result()
            finally:
                future.cancel()  # who leaves the page wants no more of it
        except TtsError as error:
            yield self._refused(error), gr.update(interactive=True)
            return
        added = [each for each in found if each.scoring]
        read = sum(each.scoring.usage.scored_tokens for each in added if each.scoring)
        why = {each.refused for each in found if each.refused}
        said = say("judges.done", n=len(added), runs=numbers.count(len(added)), positions=numbers.count(read))
        if why:
            left = len(found) - len(added)
            reasons = "; ".join(sorted(why)[:2])
            said += " " + say("judges.not_scored", n=left, runs=numbers.count(left), why=reasons)
        yield notice(said), gr.update(interactive=False)

    def _trees(self, judge: str, fields: Sequence[Any], request: gr.Request) -> list[Tree]:
        """The trees that `judge` did not decide."""
        return [self._host.store.tree(each.id) for each in self._mine(fields, request) if each.judge != judge]

    def _mine(self, fields: Sequence[Any], request: gr.Request) -> list[RunRecord]:
        """The chosen runs that this visitor may change. Raises `InvalidInput` where there is none."""
        runs = self._chosen.runs(fields, request)
        mine = [record for record in runs if self._chosen.visitors.may_change(request, record.id)]
        if not mine:
            self._chosen.visitors.check(request, runs[0].id)
        return mine

    def _refused(self, error: TtsError) -> str:
        return notice(sentence(error, discreet=self._chosen.visitors.strict), "error")


def _steered(host: Host, record: RunRecord) -> list[Steered]:
    record, events = host.store.read(record.id)
    domain = host.domains[record.domain]
    checker = domain.step_checker(record.problem)
    truth = Truth(checker) if checker else None
    if truth:
        truth.take(Tree.from_events(events).nodes[1:])
    return what_if(record, events, domain, truth)


def _far(doing: str, done: int, of: int) -> str:
    return notice(say(doing, n=of, done=numbers.count(done), of=numbers.count(of)))
