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
from tts_ui.web.compare import form, steps, table
from tts_ui.web.compare.charts import Line, chart
from tts_ui.web.compare.curves import curves
from tts_ui.web.components import SearchTree
from tts_ui.web.parts import model_choice
from tts_ui.web.parts.asking import on_run
from tts_ui.web.parts.feed import Feed, Feeds
from tts_ui.web.parts.lessons import run_ids
from tts_ui.web.parts.notices import BIGGER, notice, sentence
from tts_ui.web.parts.steps import LATEX_DELIMITERS, markdown
from tts_ui.web.strategy_cards import card, marks
from tts_ui.words import parameters
from tts_ui.words.fairness import budget_sentence, models_sentence, shared_sentence, window_sentence
from tts_ui.words.parameters import LETTERS

#: Seconds between two looks at the store while runs grow: here, and in another process.
_POLL_HERE, _POLL_ELSEWHERE = 0.2, 1.0

_GROUP = "compare"
_MOST = len(LETTERS)
_PLACES = range(_MOST)
#: Trees of a page that has run nothing yet: one for each strategy that its form begins with.
_CHOSEN = sum(strategy is not None for strategy in form.FIRST)

#: The address names the runs that are shown; a node of other runs means nothing there.
_WRITE_ADDRESS = """(runs) => {
  const url = new URL(window.location.href), named = (url.searchParams.get("runs") ?? "").split(",");
  const same = named.length === runs.split(",").length && runs.split(",").every((run, i) => run.startsWith(named[i]));
  if (!same) url.searchParams.delete("node");
  url.searchParams.set("runs", runs);
  url.search = url.search.replaceAll("%2C", ",");
  window.history.replaceState(window.history.state, "", url);
}"""

_EMPTY = (
    '<p class="hint">Choose two to four strategies and press Run: their answers and costs appear here. Or look at '
    'a recorded lesson: <a href="./compare?runs={runs}">more samples, a worse answer</a>, best-of-16 against '
    "best-of-64 under a poor judge.</p>"
)


class ComparePage:
    """Builds the page into the current route of `blocks` and answers its events."""

    def __init__(self, host: Host, blocks: gr.Blocks) -> None:
        self._host = host
        self._feeds = Feeds(host.store)
        self._build(blocks)

    # --- what is on it ----------------------------------------------------------------------------------------------

    def _build(self, blocks: gr.Blocks) -> None:
        ask = form.build(self._host.catalogue)
        fields = list(ask.fields.values())
        notices = gr.HTML("", elem_id="notice", container=False, padding=False)
        run_ids = gr.Textbox(visible="hidden", elem_id="run-ids")
        with gr.Row(elem_classes="trees"):
            columns = [self._column(place) for place in _PLACES]
        with gr.Column(elem_id="detail"):
            head = gr.HTML("", container=False, padding=False, elem_id="detail-head")
            text = gr.Markdown("", latex_delimiters=LATEX_DELIMITERS, elem_id="detail-text", container=False)
            facts = gr.HTML(steps.HINT, container=False, padding=False, elem_id="detail-facts")
        totals = gr.HTML(_empty(), elem_id="comparison", container=False, padding=False)
        charts = gr.HTML("", elem_id="charts", container=False, padding=False)

        boxes, heads, trees, cards = (list(parts) for parts in zip(*columns, strict=True))
        shown = [*boxes, *heads, *trees, *cards, run_ids, totals, charts, head, text, facts, notices, ask.run, ask.stop]
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
                self._select, [run_ids], [head, text, facts, *trees], queue=False, show_progress="hidden",
                trigger_mode="multiple", api_visibility="private",  # "once" drops the last steps of a quick walk
            )  # fmt: skip

    def _column(self, place: int) -> tuple[gr.Column, gr.HTML, SearchTree, gr.HTML]:
        """The place of one run: what it is, its tree, and the card of its strategy."""
        letter = LETTERS[place].lower()
        with gr.Column(min_width=280, elem_classes=_classes(place < _CHOSEN)) as box:
            head = gr.HTML("", elem_id=f"head-{letter}", container=False, padding=False)
            tree = SearchTree(
                height=400, group=_GROUP, select_chosen=place == 0, colorbar=place == _CHOSEN - 1,
                elem_id=_tree_id(place), empty_text="Press Run to watch the searches grow side by side",
            )  # fmt: skip
            about = gr.HTML("", elem_id=f"card-{letter}", container=False, padding=False)
        return box, head, tree, about

    # --- what it does -----------------------------------------------------------------------------------------------

    def _asked(self, values: tuple[Any, ...]) -> form.Request:
        """What the form asks for. Raises `InvalidInput`."""
        asked = form.request(values)
        model_choice.check_length(self._host.catalogue, asked.question, asked.models, asked.scorer)
        return asked

    async def _run(self, asked: form.Request) -> AsyncIterator[Any]:
        """Start a comparison and follow it to its end."""
        submitted = asyncio.create_task(
            asyncio.to_thread(
                self._host.compare, asked.question, asked.params, asked.models, asked.scorer, paired=asked.paired
            )
        )
        async for line in model_choice.waiting(submitted, self._host.catalogue, asked.models, asked.scorer):
            yield _changes(notice=notice(line), stop=gr.update(interactive=False))
        try:
            comparing = submitted.result()
            said = self._host.foreign(asked.question, asked.models)
            told = notice(f"{said} {BIGGER}") if said else ""
            yield _changes(head="", text="", facts=steps.HINT, notice=told, charts="")
            async for change in self._follow([running.id for running in comparing.runs]):
                yield change
        except TtsError as error:
            yield _changes(
                notice=notice(sentence(error), "error"), run=gr.update(interactive=True),
                stop=gr.update(interactive=False),
            )  # fmt: skip

    async def _open(self, request: gr.Request) -> AsyncIterator[Any]:
        """Open the runs the address names, if any; running ones keep growing."""
        untouched = tuple(gr.skip() for _ in form.FIELDS)
        named = request.query_params.get("runs")
        if not named:
            yield *_changes(), *untouched
            return
        try:
            await asyncio.to_thread(self._host.store.mark_interrupted)
            records = await asyncio.to_thread(self._named, named)
            paired = len({record.params.get("seed") for record in records}) == 1
            yield *_changes(), *form.values_of(records, paired, self._host.catalogue)
            async for change in self._follow([record.id for record in records]):
                yield *change, *untouched
        except TtsError as error:
            yield *_changes(notice=notice(sentence(error), "error")), *untouched

    def _named(self, named: str) -> list[RunRecord]:
        """The runs of an address. Raises `InvalidInput` for too few, too many, a run named twice, or an unknown one."""
        prefixes = [prefix.strip() for prefix in named.split(",") if prefix.strip()]
        if not 2 <= len(prefixes) <= _MOST:
            raise InvalidInput("runs", f"the address names {len(prefixes)} runs; a comparison has 2 to {_MOST}")
        records = [self._host.store.run(prefix) for prefix in prefixes]
        if len({record.id for record in records}) < len(records):
            raise InvalidInput("runs", "the address names a run twice; a comparison needs different runs")
        return records

    async def _follow(self, run_ids: Sequence[str]) -> AsyncIterator[Any]:
        """Show runs until all of them are over. What is shown was committed."""
        store = self._host.store
        feeds = await asyncio.to_thread(lambda: [Feed(store, run_id) for run_id in run_ids])
        yield _places(len(feeds))
        fresh = [True] * len(feeds)
        while True:
            here = [run_id for run_id in run_ids if run_id in self._host.running]
            for run_id in here:
                self._host.watch(run_id)
            over = all(feed.over for feed in feeds)
            if over:
                await asyncio.to_thread(self._feeds.keep, *feeds)
            if any(fresh) or over:
                yield await asyncio.to_thread(self._shown, feeds, fresh, bool(here))
            if over:
                return
            await asyncio.sleep(_POLL_HERE if here else _POLL_ELSEWHERE)
            fresh = await asyncio.to_thread(lambda: [not feed.over and feed.update() for feed in feeds])

    def _shown(self, feeds: Sequence[Feed], fresh: Sequence[bool], here: bool) -> tuple[Any, ...]:
        """The page as the runs are now; of those without news only what may still change is sent."""
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
        return _changes(
            run_ids=",".join(record.id for record in records),
            totals=table.table(labels, records, grown, self._computed(records), fair),
            charts=_charts(labels, feeds),
            run=gr.update(interactive=over or not here),
            stop=gr.update(interactive=here and not over),
            **changes,
        )

    def _computed(self, records: Sequence[RunRecord]) -> Any:
        """What the runs cost together, where they are one comparison."""
        comparison = self._host.store.comparison_of([record.id for record in records])
        return comparison.shared if comparison else None

    def _stop(self, run_ids: str) -> Any:
        for run_id in run_ids.split(","):
            self._host.stop(run_id)
        return gr.update(interactive=False)

    def _select(self, run_ids: str, event: gr.SelectData) -> tuple[Any, ...]:
        """The selected step in every tree, and what the parameters of each card mean there."""
        linked: dict[str, int | None] = event.linked
        feeds = [self._feeds.get(run_id, linked.get(run_id) or 0) for run_id in run_ids.split(",")]
        records, grown = [feed.record for feed in feeds], [feed.tree for feed in feeds]
        nodes = [
            tree[node] if (node := linked.get(record.id)) is not None and node < len(tree) else None
            for record, tree in zip(records, grown, strict=True)
        ]
        selected = next((node for node in nodes if node and node.id == event.value), None) or grown[0].root
        updates = [
            gr.update(marks=marks(record, tree, node)) for record, tree, node in zip(records, grown, nodes, strict=True)
        ]
        return (
            steps.step_head(selected),
            markdown(self._host.domains, records[0].domain, selected.text),
            steps.side_by_side(parameters.labels(records), feeds, linked),
            *updates,
            *(gr.skip() for _ in range(_MOST - len(updates))),
        )


_OUTPUTS = (
    *(f"{part} {place}" for part in ("box", "head", "tree", "card") for place in _PLACES),
    "run_ids", "totals", "charts", "head", "text", "facts", "notice", "run", "stop",
)  # fmt: skip


def _changes(**values: Any) -> tuple[Any, ...]:
    """New values for some of the page's outputs; the others stay as they are."""
    return tuple(values.get(name, gr.skip()) for name in _OUTPUTS)


def _empty() -> str:
    return _EMPTY.format(runs=",".join(run_ids(OVER_OPTIMISED)))


def _tree_id(place: int) -> str:
    return f"tree-{LETTERS[place].lower()}"


def _places(count: int) -> tuple[Any, ...]:
    """Room for this many trees, with the legend under the last."""
    changes: dict[str, Any] = {f"box {place}": gr.update(elem_classes=_classes(place < count)) for place in _PLACES}
    changes |= {f"tree {place}": gr.update(colorbar=place == count - 1) for place in _PLACES}
    return _changes(**changes)


def _classes(shown: bool) -> list[str]:
    """Hidden, not absent: Gradio forgets the properties of an absent component when one of them is updated."""
    return ["tree-column"] if shown else ["tree-column", "unused"]


def _tree_update(feed: Feed) -> Any:
    """While a tree grows only its text is sent, and of that only the new suffix."""
    return gr.update(value=feed.value, marks=marks(feed.record, feed.tree)) if feed.over else feed.value


def _about(text: str) -> str:
    return f"<details><summary>How it works</summary>{text}</details>"


def _charts(labels: Sequence[str], feeds: Sequence[Feed]) -> str:
    """Both charts; nothing before any completion has finished."""
    drawn = [curves(feed.record, feed.tree, feed.log, feed.judge) for feed in feeds]
    if not any(curve.share.points or curve.best.points for curve in drawn):
        return ""
    known = feeds[0].record.reference_answer is not None
    share = [Line(place, label, c.share, c.spent) for place, (label, c) in enumerate(zip(labels, drawn, strict=True))]
    best = [Line(place, label, c.best, c.spent) for place, (label, c) in enumerate(zip(labels, drawn, strict=True))]
    what = "Share of the vote for the right answer" if known else "Share of the vote for the leading answer"
    return chart(what, "had the search stopped there; one dot per batch", share) + chart(
        "Best completion so far", "PRM score of the response", best
    )
