"""The Explore page: one problem, one search, live or read back.

The page holds no search of its own. Run hands the request to the host and from then on the page reads the store,
exactly as it does when a run is opened by its address; closing the tab stops nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

import gradio as gr

from engine.errors import TtsError
from engine.runs.equal_flops import EqualVote, equal_vote, judged_by_writing, others_like
from engine.runs.grading import grade_run
from engine.runs.host import Host
from engine.runs.run import Run
from engine.search.tree import Node, Tree
from engine.store import RunRecord
from tts_ui.web.components.search_tree import Mark
from tts_ui.web.door import Visitors, computes
from tts_ui.web.explore import form, intervene, layout
from tts_ui.web.explore import judges as other_judges
from tts_ui.web.explore import stopping as stop_desk
from tts_ui.web.explore import truth as truth_desk
from tts_ui.web.explore.layout import OUTPUTS, changes
from tts_ui.web.parts import bills, fragments, judges, model_choice, retention, several, titles, waiting
from tts_ui.web.parts.asking import on_run
from tts_ui.web.parts.feed import Feed, Feeds, Shown
from tts_ui.web.parts.judge_tab import judge_tab
from tts_ui.web.parts.moments import moment, newest, then
from tts_ui.web.parts.notices import bigger, notice, refusing, sentence, ticker, unknown_run
from tts_ui.web.parts.steps import markdown, rest
from tts_ui.web.parts.truth_words import truths
from tts_ui.web.parts.whole_texts import on_ask
from tts_ui.web.share.menu import menu
from tts_ui.web.strategy_cards import card, marks
from tts_ui.words.interface.markup import marked
from tts_ui.words.results import may_be_graded
from tts_ui.words.texts import without_number

#: Seconds between two looks at the store while a run grows: here, and in another process.
_POLL_HERE, _POLL_ELSEWHERE = 0.15, 1.0


class ExplorePage:
    """Builds the page into `blocks` and answers its events; `example` is the run that an address without one shows, and
    `kept_until` says when a run will be removed, if ever."""

    def __init__(
        self, host: Host, blocks: gr.Blocks, visitors: Visitors, example: str | None = None,
        kept_until: retention.Until = retention.for_ever,
    ) -> None:  # fmt: skip
        self._host, self._example, self._visitors, self._kept_until = host, example, visitors, kept_until
        self._tickets, self._truths = waiting.Tickets(), truth_desk.TruthDesk(host, visitors)
        self._feeds = Feeds(host.store, domains=host.domains, discreet=visitors.strict)
        self._what_ifs = other_judges.WhatIfs(host.domains)
        self._build(blocks)

    # --- what is on it ----------------------------------------------------------------------------------------------

    def _build(self, blocks: gr.Blocks) -> None:
        computing = not self._visitors.samples
        ask = form.build(self._host.catalogue, computes=computing)
        run, stop = ask.run, ask.stop
        fields = list(ask.fields.values())
        it = layout.build(self._host.catalogue, computes=computing)
        run_id, tree, controls, rollouts, score_by = it.run_id, it.tree, it.controls, it.rollouts, it.score_by
        shown = [
            run_id, tree, it.strip, it.head, it.text, it.facts, it.answers, it.rules, it.judging, it.others, it.cost,
            it.strategy, it.notices, it.written, run, stop, it.grading, it.title, score_by.row,
        ]  # fmt: skip
        opened = blocks.load(
            self._open, None, [*shown, *fields], show_progress="hidden", api_visibility="private",
            concurrency_limit=None,
        )  # fmt: skip
        named = {"answer": "reference"}
        on_run(ask, self._asked, self._run, shown, folded=form.FOLDED, named=named, cancels=[opened])
        stop.click(self._stop, [run_id], [stop], queue=False, show_progress="hidden", api_visibility="private")
        it.grading.submit(self._grade, [run_id, it.grading], shown, show_progress="hidden", api_visibility="private")
        for how, button in controls.buttons.items():
            button.click(
                self._going_on(how), [run_id, controls.node, controls.draws, controls.own, *fields], shown,
                show_progress="hidden", concurrency_limit=None, cancels=[opened], api_visibility="private",
            )  # fmt: skip
        tree.select(
            self._select, [run_id], [it.head, it.text, it.facts, tree, controls.node], queue=False,
            show_progress="hidden", api_visibility="private",
            trigger_mode="multiple",  # "once" drops the last steps of a quick walk
        )  # fmt: skip
        score_by.judge.input(
            self._cost_of, [run_id, score_by.judge], [score_by.cost, score_by.go], show_progress="minimal",
            concurrency_limit=None, api_visibility="private",
        )  # fmt: skip
        score_by.go.click(
            self._score_by, [run_id, score_by.judge], [*shown, score_by.cost], show_progress="minimal",
            concurrency_limit=None, api_visibility="private",
        )  # fmt: skip
        tree.seek(
            newest(self._seek), [run_id], [it.strip, it.answers, it.rules, it.cost, it.judging, it.others], queue=False,
            show_progress="hidden", trigger_mode="multiple", api_visibility="private",
        )  # fmt: skip
        tree.rate(
            self._label, [run_id], [tree, it.facts], queue=False, show_progress="hidden", trigger_mode="multiple",
            api_visibility="private",
        )  # fmt: skip
        rollouts.button.click(
            self._estimate, [run_id, controls.node, rollouts.k, rollouts.which], shown, show_progress="hidden",
            concurrency_limit=None, api_visibility="private",
        )  # fmt: skip
        on_ask(tree, self._feeds)
        stop_desk.wire(it.stopping, run_id, it.rules, self._feeds, self._host.domains)

    # --- what it does -----------------------------------------------------------------------------------------------

    def _asked(self, values: tuple[Any, ...]) -> form.Request:
        """What the form asks for. Raises `InvalidInput`."""
        given = dict(zip(form.FIELDS, values, strict=True))
        self._host.limits.check_texts(given["problem"] or "", given["reference"])
        asked = form.request(values)
        self._host.limits.admitted(asked.question, [asked.params])
        model_choice.check_length(self._host.catalogue, asked.question, asked.models, asked.scorer)
        return asked

    async def _run(self, asked: form.Request, request: gr.Request) -> AsyncIterator[Any]:
        """Start a run when its turn has come, and follow it to its end; nothing is started for a client that does not
        take it."""
        if not await self._visitors.streams.opened(request.session_hash):
            return
        line = ""
        try:
            ticket = self._host.line_up(
                asked.question,
                asked.params,
                asked.models,
                asked.scorer,
                visitor=self._visitors.name(request),
                fork=asked.fork,
            )
            with self._tickets.held(request, ticket):
                async for told, line in waiting.until_begun(ticket, self._host, asked.models, asked.scorer):
                    yield changes(
                        notice=notice(told) if told else "", strip=waiting.strip(line) if line else gr.skip(),
                        stop=gr.update(interactive=bool(line)),
                    )  # fmt: skip
            running = ticket.result()
            await asyncio.to_thread(self._visitors.started, request, running.id)
            said = self._host.foreign(asked.question, asked.models)
            yield changes(head="", text="", facts=layout.hint(), notice=bigger(said))
            async for change in self._follow(running.id, request):
                yield change
        except TtsError as error:
            yield changes(
                notice=self._failed(error), ticker="", run=gr.update(interactive=True),
                stop=gr.update(interactive=False), strip="" if line else gr.skip(),
            )  # fmt: skip

    def _going_on(self, how: intervene.How) -> Callable[..., AsyncIterator[Any]]:
        """What searches on from a step of the run that is shown, and follows that."""

        @computes
        async def go_on(
            run_id: str, node: str, draws: float | None, own: str, sent: gr.Request, *values: Any
        ) -> AsyncIterator[Any]:
            try:
                asked = await asyncio.to_thread(
                    intervene.asked, self._host.store, self._host.catalogue, how, run_id, node, draws, own, values
                )
            except TtsError as error:
                yield changes(notice=self._failed(error))
                return
            async for change in self._run(asked, sent):
                yield change

        return go_on

    async def _open(self, request: gr.Request) -> AsyncIterator[Any]:
        """Open the run the address names, if any; a running one keeps growing."""
        asked = (request.query_params.get("run") or "").strip()
        wanted = asked or self._example
        untouched = tuple(gr.skip() for _ in form.FIELDS)
        if not wanted:
            yield *changes(), *untouched
            return
        if not await self._visitors.streams.opened(request.session_hash):
            return
        try:
            await asyncio.to_thread(self._host.store.mark_interrupted)
            record = await asyncio.to_thread(self._host.store.whole_run, wanted)
            if asked:  # the form already holds the example's request, and the user may be typing
                yield *changes(), *form.values_of(record, self._host.catalogue)
            async for change in self._follow(record.id, request, judges.asked_in(request)):
                yield *change, *untouched
        except TtsError as error:
            yield *changes(notice=self._failed(error)), *untouched

    def _failed(self, error: TtsError) -> str:
        return notice(sentence(error, discreet=self._visitors.strict), "error", runs=unknown_run(error))

    async def _follow(self, run_id: str, request: gr.Request, wanted: Sequence[str] = ()) -> AsyncIterator[Any]:
        """Show a run until it is over. What is shown was committed; only the ticker is not."""
        feed = await asyncio.to_thread(self._feeds.read, run_id)
        mine = await asyncio.to_thread(self._visitors.may_change, request, run_id)
        fresh = True
        while True:
            running = self._host.running.get(run_id)
            if running and self._visitors.streams.taken(request.session_hash):
                self._host.watch(run_id)
            if feed.over:
                await asyncio.to_thread(self._feeds.keep, feed)
            if fresh or feed.over:
                vote = await asyncio.to_thread(self._equal_vote, feed, request)
                yield await asyncio.to_thread(self._shown, feed, running.run if running else None, mine, wanted, vote)
            elif running:
                yield changes(ticker=ticker(running.run))
            if feed.over:
                return
            await asyncio.sleep(_POLL_HERE if running else _POLL_ELSEWHERE)
            fresh = await asyncio.to_thread(feed.update)

    def _shown(
        self, feed: Feed, running: Run | None, mine: bool, wanted: Sequence[str] = (), vote: EqualVote | None = None
    ) -> tuple[Any, ...]:
        """The page as the run is now, with the scores of the judge that is wanted; only those whose it is are offered
        to stop, to grade and to score it."""
        by = judges.chosen(wanted, feed.record, feed.tree)
        return changes(
            run_id=feed.record.id,
            title=titles.of([feed.record]),
            tree=gr.update(value=feed.value, marks=self._marks(feed, feed.record, feed.tree))
            if feed.over
            else feed.value,
            strip=self._strip(feed, feed.record, feed.tree, by.judge, mine),
            answers=fragments.answers(feed.record, feed.tree, by.judge),
            rules=fragments.rules(feed.record, feed.tree, by.judge) if feed.over else "",
            judging=judge_tab(feed.record, feed.tree, by.judge, feed.truth) if feed.over else "",
            others=self._others(feed, by) if feed.over else "",
            score_by=gr.update(visible=mine and feed.over),
            cost=bills.cost(feed.record, vote),
            strategy=card(feed.record, "tree"),
            ticker=ticker(running) if running else "",
            run=gr.update(interactive=feed.over or running is None),
            stop=gr.update(interactive=mine and not feed.over and running is not None),
            grading=gr.update(visible=mine and feed.over and may_be_graded(feed.record), value=""),
        )

    def _equal_vote(self, feed: Feed, request: gr.Request) -> EqualVote | None:
        """The majority vote at equal FLOPs, of a run that is over and whose judge writes."""
        if not feed.over or not judged_by_writing(feed.tree):
            return None
        others = others_like(self._host.store, feed.record, self._visitors.may_list(request))
        return equal_vote(feed.record, feed.tree, others)

    def _strip(self, feed: Feed, record: RunRecord, tree: Tree, judge: str | None, mine: bool) -> str:
        """The strip of a moment; what can be shared is the whole run."""
        record = feed.own(record) if mine else record
        shared = menu([feed.record], labels=feed.sources.people) if feed.over else ""
        (until,) = retention.untils(self._host.store, [feed.record], self._kept_until) if feed.over else (None,)
        return fragments.strip(record, tree, feed.truth, judge) + retention.kept(until) + shared

    def _others(self, feed: Feed, by: judges.Shown) -> str:
        """What several judges say of the whole run."""
        told = several.several_judges(feed.record, feed.tree, by, feed.truth)
        return told + (several.what_if(feed.record, self._what_ifs.of(feed)) if feed.record.judge else "")

    def _marks(self, feed: Feed, record: RunRecord, tree: Tree, node: Node | None = None) -> dict[str, Mark]:
        """What the tree can ring: what a strategy's parameters mean, and where other judges would have gone."""
        steered = several.marks_of(self._what_ifs.of(feed)) if feed.over and feed.record.judge else {}
        return {**marks(record, tree, node), **steered}

    @computes
    async def _cost_of(self, run_id: str, judge: str | None, request: gr.Request) -> tuple[Any, ...]:
        """What scoring the tree on the screen by this judge will take."""
        if not judge or not run_id:
            return "", gr.update(interactive=False)
        try:
            await asyncio.to_thread(self._visitors.check, request, run_id)
            feed = await asyncio.to_thread(self._feeds.get, run_id)
            said = await other_judges.cost_of(self._host, feed.tree, judge, self._visitors.name(request))
        except TtsError as error:
            return self._failed(error), gr.update(interactive=False)
        return f'<p class="hint">{said}</p>', gr.update(interactive=True)

    @computes
    async def _score_by(self, run_id: str, judge: str, request: gr.Request) -> tuple[Any, ...]:
        """Add the scores of one more judge, and show them beside those of the run's own."""
        try:
            await asyncio.to_thread(self._visitors.check, request, run_id)
            done = await other_judges.score_by(self._host, run_id, judge, self._visitors.name(request))
        except TtsError as error:
            return *changes(), self._failed(error)
        feed = await asyncio.to_thread(self._feeds.read, run_id)
        await asyncio.to_thread(self._feeds.keep, feed)
        both = [judge, *([feed.record.judge] if feed.record.judge else [])]
        page = dict(zip(OUTPUTS, await asyncio.to_thread(self._shown, feed, None, True, both), strict=True))
        page["tree"] = gr.update(
            value=feed.value, judges=",".join(both), marks=self._marks(feed, feed.record, feed.tree)
        )
        return *changes(**page), f'<p class="hint">{other_judges.done(done)}</p>'

    @computes
    async def _grade(self, run_id: str, reference: str, request: gr.Request) -> tuple[Any, ...]:
        """Grade the run that is shown against an answer that was typed."""
        try:
            await asyncio.to_thread(self._visitors.check, request, run_id)
            self._host.limits.check_texts("", reference)
            await grade_run(self._host.store, self._host.domains, run_id, reference)
        except TtsError as error:
            return changes(notice=self._failed(error))
        feed = await asyncio.to_thread(self._feeds.read, run_id)
        await asyncio.to_thread(self._feeds.keep, feed)
        vote = await asyncio.to_thread(self._equal_vote, feed, request)
        return await asyncio.to_thread(self._shown, feed, None, True, vote=vote)

    def _label(self, run_id: str, event: gr.EventData, request: gr.Request) -> tuple[Any, Any]:
        """Keep what was said of steps. The tree shows it already: it hears only whether it was kept."""
        answer = self._truths.label(event, request)
        with refusing():
            feed = self._feeds.read(run_id)
        self._feeds.keep(feed)
        node = feed.tree[min(max(0, int(getattr(event, "node", 0))), len(feed.tree) - 1)]
        return gr.update(rated=answer), self._facts(feed, feed.at(None), node)

    @computes
    async def _estimate(
        self, run_id: str, node: str, k: float | None, which: str, request: gr.Request
    ) -> AsyncIterator[tuple[Any, ...]]:
        """Rollouts below steps of the run that is shown; then the tree with what they say."""
        said = ""
        try:
            async for said in self._truths.estimate(run_id, node, k, which, request):
                yield changes(notice=notice(said))
        except TtsError as error:
            yield changes(notice=self._failed(error))
            return
        feed = await asyncio.to_thread(self._feeds.read, run_id)
        await asyncio.to_thread(self._feeds.keep, feed)
        place = int(node) if node.isdecimal() and int(node) < len(feed.tree) else 0
        yield changes(
            notice=notice(said), tree=gr.update(value=feed.value),
            strip=self._strip(feed, feed.record, feed.tree, feed.judge, True),
            facts=self._facts(feed, feed.at(None), feed.tree[place]),
        )  # fmt: skip

    def _stop(self, run_id: str, request: gr.Request) -> Any:
        if self._tickets.leave(request):
            return gr.update(interactive=False)
        with refusing():
            self._visitors.check(request, run_id)
        self._host.stop(run_id)
        return gr.update(interactive=False)

    def _select(self, run_id: str, event: gr.SelectData) -> tuple[Any, ...]:
        with refusing():
            feed = self._feeds.get(run_id, int(event.value))
        by = judges.chosen(judges.asked_by(event), feed.record, feed.tree)
        shown = feed.at(moment(event, run_id), by.judge)
        record, tree, judge = shown
        node = tree[min(int(event.value), len(tree) - 1)]
        return (
            fragments.detail_head(record, tree, node, judge, feed.truth),
            markdown(self._host.domains, record.domain, without_number(node.text, node.depth)),
            self._facts(feed, shown, node) + fragments.to_the_lab(record, node),
            gr.update(marks=self._marks(feed, record, tree, node)),
            str(node.id),
        )

    @staticmethod
    def _facts(feed: Feed, shown: Shown, node: Node) -> str:
        """Below the step's text."""
        below = fragments.detail(shown.record, shown.tree, node, shown.judge, feed.truth)
        return rest(node.text) + truths(node, feed.truth, feed.sources) + below

    def _seek(self, run_id: str, event: gr.EventData, request: gr.Request) -> tuple[Any, ...]:
        """What stands around the tree, as it was at the moment that the replay shows; what is of the whole run, when
        other judges are shown."""
        with refusing():
            feed = self._feeds.get(run_id)
        seq = moment(event, run_id)
        by = judges.chosen(judges.asked_by(event), feed.record, feed.tree)
        record, tree, judge = feed.at(seq, by.judge)
        ended = record.status != "running"
        vote = self._equal_vote(feed, request) if ended else None
        rules = fragments.rules(record, tree, judge) if record.status != "running" else _no_rules()
        around = (
            self._strip(feed, record, tree, judge, self._visitors.may_change(request, run_id)),
            fragments.answers(record, tree, judge),
            rules,
            bills.cost(record, vote),
        )
        whole: tuple[Any, ...] = (gr.skip(), gr.skip())
        if feed.over and getattr(event, "rejudged", False):
            whole = judge_tab(feed.record, feed.tree, judge, feed.truth), self._others(feed, by)
        return *(then(fragment, seq) for fragment in around), *whole


def _no_rules() -> str:
    return f'<p class="hint">{marked("explore.no_rules")}</p>'
