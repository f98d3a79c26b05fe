"""The Explore page: one problem, one search, live or read back.

The page holds no search of its own. Run hands the request to the host and from then on the page reads the store,
exactly as it does when a run is opened by its address; closing the tab stops nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import gradio as gr

from engine.errors import TtsError
from engine.runs.grading import grade_run
from engine.runs.host import Host
from tts_ui.web.components import SearchTree
from tts_ui.web.explore import form
from tts_ui.web.parts import fragments, model_choice
from tts_ui.web.parts.asking import on_run
from tts_ui.web.parts.feed import Feed, Feeds
from tts_ui.web.parts.notices import BIGGER, notice, sentence, ticker
from tts_ui.web.parts.steps import LATEX_DELIMITERS, markdown
from tts_ui.web.strategy_cards import card, marks
from tts_ui.words.results import NOT_GRADED, run_outcome

#: Seconds between two looks at the store while a run grows: here, and in another process.
_POLL_HERE, _POLL_ELSEWHERE = 0.15, 1.0


class ExplorePage:
    """Builds the page into `blocks` and answers its events; `example` is the run that an address without one shows."""

    def __init__(self, host: Host, blocks: gr.Blocks, example: str | None = None) -> None:
        self._host, self._example = host, example
        self._feeds = Feeds(host.store)
        self._build(blocks)

    # --- what is on it ----------------------------------------------------------------------------------------------

    def _build(self, blocks: gr.Blocks) -> None:
        ask = form.build(self._host.catalogue)
        run, stop = ask.run, ask.stop
        fields = list(ask.fields.values())
        notices = gr.HTML("", elem_id="notice", container=False, padding=False)
        run_id = gr.Textbox(visible="hidden", elem_id="run-id")
        strip = gr.HTML("", elem_id="strip", container=False, padding=False)
        grading = gr.Textbox(
            visible=False, show_label=False, container=False, elem_id="grading", max_lines=1,
            placeholder="Not graded: type the right answer and press Enter",
        )  # fmt: skip
        with gr.Row(elem_classes="hero"):
            with gr.Column(scale=5, min_width=320, elem_id="picture"):
                written = gr.HTML("", elem_id="ticker", container=False, padding=False)
                tree = SearchTree(height=520, select_chosen=True, elem_id="tree")
            with gr.Column(scale=3, min_width=320, elem_id="detail"):
                head = gr.HTML("", container=False, padding=False, elem_id="detail-head")
                text = gr.Markdown("", latex_delimiters=LATEX_DELIMITERS, elem_id="detail-text", container=False)
                facts = gr.HTML(_HINT, container=False, padding=False, elem_id="detail-facts")
        with gr.Tabs():
            with gr.Tab("Answers"):
                answers = gr.HTML("", elem_id="answers", container=False, padding=False)
            with gr.Tab("Rules"):
                rules = gr.HTML("", elem_id="rules", container=False, padding=False)
            with gr.Tab("Cost"):
                cost = gr.HTML("", elem_id="cost", container=False, padding=False)
            with gr.Tab("Strategy"):
                strategy = gr.HTML("", elem_id="strategy-card", container=False, padding=False)

        shown = [run_id, tree, strip, head, text, facts, answers, rules, cost, strategy, notices, written, run, stop,
                 grading]  # fmt: skip
        opened = blocks.load(
            self._open, None, [*shown, *fields], show_progress="hidden", api_visibility="private",
            concurrency_limit=None,
        )  # fmt: skip
        named = {"answer": "reference"}
        on_run(ask, self._asked, self._run, shown, folded=form.FOLDED, named=named, cancels=[opened])
        stop.click(self._stop, [run_id], [stop], queue=False, show_progress="hidden", api_visibility="private")
        grading.submit(self._grade, [run_id, grading], shown, show_progress="hidden", api_visibility="private")
        tree.select(
            self._select, [run_id], [head, text, facts, tree], queue=False, show_progress="hidden",
            trigger_mode="multiple", api_visibility="private",  # "once" drops the last steps of a quick walk
        )  # fmt: skip

    # --- what it does -----------------------------------------------------------------------------------------------

    def _asked(self, values: tuple[Any, ...]) -> form.Request:
        """What the form asks for. Raises `InvalidInput`."""
        asked = form.request(values)
        model_choice.check_length(self._host.catalogue, asked.question, asked.models, asked.scorer)
        return asked

    async def _run(self, asked: form.Request) -> AsyncIterator[Any]:
        """Start a run and follow it to its end."""
        submitted = asyncio.create_task(
            asyncio.to_thread(self._host.submit, asked.question, asked.params, asked.models, asked.scorer)
        )
        async for line in model_choice.waiting(submitted, self._host.catalogue, asked.models, asked.scorer):
            yield _changes(notice=notice(line), stop=gr.update(interactive=False))
        try:
            running = submitted.result()
            said = self._host.foreign(asked.question, asked.models)
            yield _changes(head="", text="", facts=_HINT, notice=notice(f"{said} {BIGGER}") if said else "")
            async for change in self._follow(running.id):
                yield change
        except TtsError as error:
            yield _changes(
                notice=notice(sentence(error), "error"), ticker="", run=gr.update(interactive=True),
                stop=gr.update(interactive=False),
            )  # fmt: skip

    async def _open(self, request: gr.Request) -> AsyncIterator[Any]:
        """Open the run the address names, if any; a running one keeps growing."""
        asked = request.query_params.get("run")
        wanted = asked or self._example
        untouched = tuple(gr.skip() for _ in form.FIELDS)
        if not wanted:
            yield *_changes(), *untouched
            return
        try:
            await asyncio.to_thread(self._host.store.mark_interrupted)
            record = await asyncio.to_thread(self._host.store.run, wanted)
            if asked:  # the form already holds the example's request, and the user may be typing
                yield *_changes(), *form.values_of(record, self._host.catalogue)
            async for change in self._follow(record.id):
                yield *change, *untouched
        except TtsError as error:
            yield *_changes(notice=notice(sentence(error), "error")), *untouched

    async def _follow(self, run_id: str) -> AsyncIterator[Any]:
        """Show a run until it is over. What is shown was committed; only the ticker is not."""
        feed = await asyncio.to_thread(Feed, self._host.store, run_id)
        fresh = True
        while True:
            running = self._host.running.get(run_id)
            if running:
                self._host.watch(run_id)
            if feed.over:
                await asyncio.to_thread(self._feeds.keep, feed)
            if fresh or feed.over:
                yield self._shown(feed, running.run.writing if running else None)
            elif running:
                yield _changes(ticker=ticker(running.run.writing()))
            if feed.over:
                return
            await asyncio.sleep(_POLL_HERE if running else _POLL_ELSEWHERE)
            fresh = await asyncio.to_thread(feed.update)

    def _shown(self, feed: Feed, writing: Callable[[], str] | None) -> tuple[Any, ...]:
        return _changes(
            run_id=feed.record.id,
            tree=gr.update(value=feed.value, marks=marks(feed.record, feed.tree)) if feed.over else feed.value,
            strip=fragments.strip(feed.record, feed.tree),
            answers=fragments.answers(feed.record, feed.tree, feed.judge),
            rules=fragments.rules(feed.record, feed.tree, feed.judge) if feed.over else "",
            cost=fragments.cost(feed.record),
            strategy=card(feed.record, "tree"),
            ticker=ticker(writing()) if writing else "",
            run=gr.update(interactive=feed.over or writing is None),
            stop=gr.update(interactive=not feed.over and writing is not None),
            grading=gr.update(visible=feed.over and run_outcome(feed.record) == NOT_GRADED, value=""),
        )

    async def _grade(self, run_id: str, reference: str) -> tuple[Any, ...]:
        """Grade the run that is shown against an answer that was typed."""
        try:
            await grade_run(self._host.store, self._host.domains, run_id, reference)
        except TtsError as error:
            return _changes(notice=notice(sentence(error), "error"))
        feed = await asyncio.to_thread(Feed, self._host.store, run_id)
        await asyncio.to_thread(self._feeds.keep, feed)
        return self._shown(feed, None)

    def _stop(self, run_id: str) -> Any:
        self._host.stop(run_id)
        return gr.update(interactive=False)

    def _select(self, run_id: str, event: gr.SelectData) -> tuple[Any, ...]:
        feed = self._feeds.get(run_id, int(event.value))
        record, tree = feed.record, feed.tree
        node = tree[int(event.value)]
        return (
            fragments.detail_head(record, tree, node, feed.judge),
            markdown(self._host.domains, record.domain, node.text),
            fragments.detail(record, tree, node, feed.judge),
            gr.update(marks=marks(record, tree, node)),
        )


_HINT = '<p class="hint">Click a step or use the arrow keys to see its text, its score and why it was kept.</p>'

_OUTPUTS = (
    "run_id", "tree", "strip", "head", "text", "facts", "answers", "rules", "cost", "strategy", "notice", "ticker",
    "run", "stop", "grading",
)  # fmt: skip


def _changes(**values: Any) -> tuple[Any, ...]:
    """New values for some of the page's outputs; the others stay as they are."""
    return tuple(values.get(name, gr.skip()) for name in _OUTPUTS)
