"""The Compare page: two to four runs on one problem, live or read back, side by side.

The page holds no search of its own. Run hands the comparison to the host and from then on the page reads the store,
exactly as it does when runs are opened by their address; closing the tab stops nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any

import gradio as gr

from engine.errors import InvalidInput, TtsError
from engine.runs.examples import OVER_OPTIMISED
from engine.runs.host import Host
from engine.store import RunRecord
from tts_ui.web.compare import form, rules, steps, table
from tts_ui.web.compare.charts import Line, chart
from tts_ui.web.compare.curves import curves
from tts_ui.web.components import SearchTree, replay_place
from tts_ui.web.door import Visitors
from tts_ui.web.parts import model_choice, retention, titles, waiting
from tts_ui.web.parts.asking import on_run
from tts_ui.web.parts.feed import Feed, Feeds
from tts_ui.web.parts.lessons import run_ids
from tts_ui.web.parts.moments import moment, newest
from tts_ui.web.parts.notices import bigger, notice, refusing, sentence, unknown_run
from tts_ui.web.parts.side_by_side import column_classes, detail_pane, heads_at, selected, told
from tts_ui.web.parts.whole_texts import on_ask
from tts_ui.web.share.menu import menu
from tts_ui.web.strategy_cards import card, marks
from tts_ui.words import parameters
from tts_ui.words.fairness import budget_sentence, models_sentence, shared_sentence, window_sentence
from tts_ui.words.interface import say
from tts_ui.words.interface.markup import marked
from tts_ui.words.parameters import LETTERS

#: Seconds between two looks at the store while runs grow: here, and in another process.
_POLL_HERE, _POLL_ELSEWHERE = 0.2, 1.0

_GROUP = "compare"
_MOST = len(LETTERS)
_PLACES = range(_MOST)

#: The address names the runs that are shown; a node of other runs means nothing there, and Back leads to those.
_WRITE_ADDRESS = """(runs) => {
  const url = new URL(window.location.href), named = (url.searchParams.get("runs") ?? "").split(",");
  const others = runs !== named.map((run) => run.trim()).join(",");
  if (others) ["node", "like"].forEach((name) => url.searchParams.delete(name));
  url.searchParams.set("runs", runs);
  url.search = url.search.replaceAll("%2C", ",");
  window.history[others ? "pushState" : "replaceState"](window.history.state, "", url);
}"""


class ComparePage:
    """Builds the page into the current route of `blocks` and answers its events; `kept_until` says when a run will be
    removed, if ever."""

    def __init__(
        self, host: Host, blocks: gr.Blocks, visitors: Visitors, kept_until: retention.Until = retention.for_ever
    ) -> None:
        self._host, self._visitors, self._tickets = host, visitors, waiting.Tickets()
        self._kept_until = kept_until
        self._feeds = Feeds(host.store, domains=host.domains, discreet=visitors.strict)
        self._build(blocks)

    # --- what is on it ----------------------------------------------------------------------------------------------

    def _build(self, blocks: gr.Blocks) -> None:
        ask = form.build(self._host.catalogue, computes=not self._visitors.samples)
        fields = list(ask.fields.values())
        notices = gr.HTML("", elem_id="notice", container=False, padding=False)
        run_ids = gr.Textbox(visible="hidden", elem_id="run-ids")
        title = titles.title()
        replay_place(_GROUP)
        with gr.Row(elem_classes="trees"):
            columns = [self._column(place) for place in _PLACES]
        pane = detail_pane(steps.hint())
        totals = gr.HTML(_empty(self._visitors), elem_id="comparison", container=False, padding=False)
        read = gr.HTML("", elem_id="under-rules", container=False, padding=False)
        charts = gr.HTML("", elem_id="charts", container=False, padding=False)

        boxes, heads, trees, cards = (list(parts) for parts in zip(*columns, strict=True))
        shown = [*boxes, *heads, *trees, *cards, run_ids, totals, read, charts, *pane, notices, ask.run, ask.stop,
                 title]  # fmt: skip
        opened = blocks.load(
            self._open, None, [*shown, *fields], show_progress="hidden", api_visibility="private",
            concurrency_limit=None,
        )  # fmt: skip
        named = {"answer": "reference", "strategy": form.STRATEGY_FIELDS[0]}
        on_run(ask, self._asked, self._run, shown, folded=form.FOLDED, named=named, cancels=[opened])
        ask.stop.click(self._stop, [run_ids], [ask.stop], queue=False, show_progress="hidden", api_visibility="private")
        run_ids.change(None, run_ids, None, js=_WRITE_ADDRESS)
        for tree in trees:
            tree.select(
                self._select, [run_ids], [*pane, *trees], queue=False, show_progress="hidden",
                trigger_mode="multiple", api_visibility="private",  # "once" drops the last steps of a quick walk
            )  # fmt: skip
            tree.seek(
                newest(self._seek), [run_ids], heads, queue=False, show_progress="hidden", trigger_mode="multiple",
                api_visibility="private",
            )  # fmt: skip
            on_ask(tree, self._feeds)

    @property
    def _chosen(self) -> int:
        """Trees of a page that has run nothing yet: one for each strategy that its form begins with, where it can run
        any."""
        return 0 if self._visitors.samples else sum(strategy is not None for strategy in form.FIRST)

    def _column(self, place: int) -> tuple[gr.Column, gr.HTML, SearchTree, gr.HTML]:
        """The place of one run: what it is, its tree, and the card of its strategy."""
        letter = LETTERS[place].lower()
        with gr.Column(min_width=280, elem_classes=column_classes(place < self._chosen)) as box:
            head = gr.HTML("", elem_id=f"head-{letter}", container=False, padding=False)
            tree = SearchTree(
                height=400, group=_GROUP, select_chosen=place == 0, colorbar=place == self._chosen - 1,
                elem_id=_tree_id(place), empty_text=say("compare.tree_empty"),
            )  # fmt: skip
            about = gr.HTML("", elem_id=f"card-{letter}", container=False, padding=False)
        return box, head, tree, about

    # --- what it does -----------------------------------------------------------------------------------------------

    def _asked(self, values: tuple[Any, ...]) -> form.Request:
        """What the form asks for. Raises `InvalidInput`."""
        given = dict(zip(form.FIELDS, values, strict=True))
        self._host.limits.check_texts(given["problem"] or "", given["reference"])
        asked = form.request(values, self._host.catalogue)
        self._host.limits.admitted(asked.question, asked.params)
        model_choice.check_length(self._host.catalogue, asked.question, asked.models, asked.scorer)
        return asked

    async def _run(self, asked: form.Request, request: gr.Request) -> AsyncIterator[Any]:
        """Start a comparison when its turn has come, and follow it to its end; nothing is started for a client that
        does not take it."""
        if not await self._visitors.streams.opened(request.session_hash):
            return
        try:
            ticket = self._host.line_up_comparison(
                asked.question, asked.params, asked.models, asked.scorer, paired=asked.paired,
                judges=asked.judges, visitor=self._visitors.name(request),
            )  # fmt: skip
            with self._tickets.held(request, ticket):
                async for told, line in waiting.until_begun(ticket, self._host, asked.models, asked.scorer):
                    yield _changes(
                        notice=notice(told or line) if told or line else "", stop=gr.update(interactive=bool(line))
                    )
            comparing = ticket.result()
            run_ids = [running.id for running in comparing.runs]
            await asyncio.to_thread(self._visitors.started, request, *run_ids)
            said = self._host.foreign(asked.question, asked.models)
            yield _changes(head="", text="", facts=steps.hint(), notice=bigger(said), rules="", charts="")
            async for change in self._follow(run_ids, request):
                yield change
        except TtsError as error:
            yield _changes(
                notice=self._failed(error), run=gr.update(interactive=True),
                stop=gr.update(interactive=False),
            )  # fmt: skip

    async def _open(self, request: gr.Request) -> AsyncIterator[Any]:
        """Open the runs the address names, if any; running ones keep growing."""
        untouched = tuple(gr.skip() for _ in form.FIELDS)
        named, like = (request.query_params.get(name) for name in ("runs", "like"))
        if not named:
            yield self._beginning(like) if like else (*_changes(), *untouched)
            return
        if not await self._visitors.streams.opened(request.session_hash):
            return
        try:
            await asyncio.to_thread(self._host.store.mark_interrupted)
            records = await asyncio.to_thread(self._named, named)
            yield *_changes(), *form.values_of(records, self._host.catalogue)
            async for change in self._follow([record.id for record in records], request):
                yield *change, *untouched
        except TtsError as error:
            yield *_changes(notice=self._failed(error)), *untouched

    def _beginning(self, like: str) -> tuple[Any, ...]:
        """The form that compares what a run asked for with something else; nothing is shown yet."""
        try:
            record = self._host.store.whole_run(like.strip())
        except TtsError as error:
            return *_changes(notice=self._failed(error)), *(gr.skip() for _ in form.FIELDS)
        values = form.values_beside(record, self._host.catalogue)
        told = say("compare.like", strategy=parameters.title(record.strategy))
        return *_changes(notice=notice(told)), *values

    def _failed(self, error: TtsError) -> str:
        return notice(sentence(error, discreet=self._visitors.strict), "error", runs=unknown_run(error))

    def _named(self, named: str) -> list[RunRecord]:
        """The runs of an address. Raises `InvalidInput` as `_ids` does, and for an unknown one."""
        return [self._host.store.whole_run(run_id) for run_id in _ids(named)]

    async def _follow(self, run_ids: Sequence[str], request: gr.Request) -> AsyncIterator[Any]:
        """Show runs until all of them are over. What is shown was committed."""
        feeds = await asyncio.to_thread(lambda: [self._feeds.read(run_id) for run_id in run_ids])
        mine = await asyncio.to_thread(lambda: all(self._visitors.may_change(request, each) for each in run_ids))
        yield _places(len(feeds))
        fresh = [True] * len(feeds)
        while True:
            here = [run_id for run_id in run_ids if run_id in self._host.running]
            if self._visitors.streams.taken(request.session_hash):
                for run_id in here:
                    self._host.watch(run_id)
            over = all(feed.over for feed in feeds)
            if over:
                await asyncio.to_thread(self._feeds.keep, *feeds)
            if any(fresh) or over:
                yield await asyncio.to_thread(self._shown, feeds, fresh, bool(here), mine)
            if over:
                return
            await asyncio.sleep(_POLL_HERE if here else _POLL_ELSEWHERE)
            fresh = await asyncio.to_thread(lambda: [not feed.over and feed.update() for feed in feeds])

    def _shown(self, feeds: Sequence[Feed], fresh: Sequence[bool], here: bool, mine: bool) -> tuple[Any, ...]:
        """The page as the runs are now; of those without news only what may still change is sent. Only those whose runs
        they are are offered to stop them."""
        records, grown = [feed.record for feed in feeds], [feed.tree for feed in feeds]
        labels = parameters.labels(records)
        over = all(feed.over for feed in feeds)
        changes: dict[str, Any] = {}
        for place, (feed, label, new) in enumerate(zip(feeds, labels, fresh, strict=True)):
            if not new:
                continue
            changes[f"head {place}"] = table.head(place, label, feed.record, feed.tree)
            changes[f"tree {place}"] = _tree_update(feed)
            changes[f"card {place}"] = _about(card(feed.record, _tree_id(place)))
        fair = [models_sentence(records), budget_sentence(records)]
        fair += [shared_sentence(records, grown), window_sentence(records, grown)]
        computed = self._computed(records)
        one = computed is not None
        return _changes(
            run_ids=",".join(record.id for record in records),
            title=titles.of(records),
            totals=table.table(labels, records, grown, computed, fair)
            + (self._kept(records, one=one) + menu(records, one_comparison=one) if over else ""),
            rules=rules.rules(records, grown) if over else "",
            charts=_charts(labels, feeds),
            run=gr.update(interactive=over or not here),
            stop=gr.update(interactive=mine and here and not over),
            **changes,
        )

    def _kept(self, records: Sequence[RunRecord], *, one: bool) -> str:
        untils = retention.untils(self._host.store, records, self._kept_until)
        if one:
            return retention.kept(retention.together(untils))
        return retention.kept_side_by_side(LETTERS, untils)

    def _computed(self, records: Sequence[RunRecord]) -> Any:
        """What the runs cost together, where they are one comparison."""
        comparison = self._host.store.comparison_of([record.id for record in records])
        return comparison.shared if comparison else None

    def _stop(self, run_ids: str, request: gr.Request) -> Any:
        if self._tickets.leave(request):
            return gr.update(interactive=False)
        with refusing():
            named = _ids(run_ids)
            for run_id in named:
                self._visitors.check(request, run_id)
        for run_id in named:
            self._host.stop(run_id)
        return gr.update(interactive=False)

    def _select(self, run_ids: str, event: gr.SelectData) -> tuple[Any, ...]:
        """The selected step in every tree, and what the parameters of each card mean there."""
        linked: dict[str, int | None] = event.linked
        with refusing():
            feeds = [self._feeds.get(run_id, linked.get(run_id) or 0) for run_id in _ids(run_ids)]
        shown = [feed.at(moment(event, feed.record.id)) for feed in feeds]
        records, grown = [then.record for then in shown], [then.tree for then in shown]
        nodes = [
            tree[node] if (node := linked.get(record.id)) is not None and node < len(tree) else None
            for record, tree in zip(records, grown, strict=True)
        ]
        updates = [
            gr.update(marks=marks(record, tree, node)) for record, tree, node in zip(records, grown, nodes, strict=True)
        ]
        facts = steps.side_by_side(parameters.labels(records), shown, linked)
        return (
            *told(self._host.domains, records[0].domain, selected(nodes, grown, event.value), facts),
            *updates,
            *(gr.skip() for _ in range(_MOST - len(updates))),
        )

    def _seek(self, run_ids: str, event: gr.EventData, _request: gr.Request) -> tuple[Any, ...]:
        """What stands above each tree, as it was at the moment that the replay shows."""
        with refusing():
            feeds = [self._feeds.get(run_id) for run_id in _ids(run_ids)]
        return heads_at(event, feeds, table.head, _MOST)


_OUTPUTS = (
    *(f"{part} {place}" for part in ("box", "head", "tree", "card") for place in _PLACES),
    "run_ids", "totals", "rules", "charts", "head", "text", "facts", "notice", "run", "stop", "title",
)  # fmt: skip


def _changes(**values: Any) -> tuple[Any, ...]:
    """New values for some of the page's outputs; the others stay as they are."""
    return tuple(values.get(name, gr.skip()) for name in _OUTPUTS)


def _ids(named: str) -> list[str]:
    """The runs that an address or a page names. Raises `InvalidInput` for too few, too many, or a run named twice."""
    run_ids = [run_id.strip() for run_id in named.split(",") if run_id.strip()]
    if not 2 <= len(run_ids) <= _MOST:
        raise InvalidInput("runs", say("compare.number", n=len(run_ids), most=_MOST))
    if len(set(run_ids)) < len(run_ids):
        raise InvalidInput("runs", say("compare.twice"))
    return run_ids


def _empty(visitors: Visitors) -> str:
    link = f'<a href="./compare?runs={",".join(run_ids(OVER_OPTIMISED))}">{marked("compare.lesson")}</a>'
    said = marked("compare.begin_samples" if visitors.samples else "compare.begin", link=link)
    return f'<p class="hint">{said}</p>'


def _tree_id(place: int) -> str:
    return f"tree-{LETTERS[place].lower()}"


def _places(count: int) -> tuple[Any, ...]:
    """Room for this many trees, with the legend under the last."""
    changes: dict[str, Any] = {
        f"box {place}": gr.update(elem_classes=column_classes(place < count)) for place in _PLACES
    }
    changes |= {f"tree {place}": gr.update(colorbar=place == count - 1) for place in _PLACES}
    return _changes(**changes)


def _tree_update(feed: Feed) -> Any:
    """While a tree grows only its text is sent, and of that only the new suffix."""
    return gr.update(value=feed.value, marks=marks(feed.record, feed.tree)) if feed.over else feed.value


def _about(text: str) -> str:
    return f"<details><summary>{marked('compare.how')}</summary>{text}</details>"


def _charts(labels: Sequence[str], feeds: Sequence[Feed]) -> str:
    """Both charts; nothing before any completion has finished."""
    drawn = [curves(feed.record, feed.tree, feed.log, feed.judge) for feed in feeds]
    if not any(curve.share.points or curve.best.points for curve in drawn):
        return ""
    known = feeds[0].record.reference_answer is not None
    share = [Line(place, label, c.share, c.spent) for place, (label, c) in enumerate(zip(labels, drawn, strict=True))]
    best = [Line(place, label, c.best, c.spent) for place, (label, c) in enumerate(zip(labels, drawn, strict=True))]
    what = say("compare.share_right" if known else "compare.share_leading")
    return chart(what, say("compare.share_note"), share) + chart(say("compare.best"), say("compare.best_note"), best)
