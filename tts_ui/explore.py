"""The Explore page: one problem, one search, live or read back.

The page holds no search of its own. Run hands the request to the host and from then on the page reads the store,
exactly as it does when a run is opened by its address; closing the tab stops nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from html import escape
from typing import Any

import gradio as gr

from engine.errors import InvalidInput, TtsError
from engine.host import Host
from engine.params import RunParams
from engine.run import Question
from engine.tree import Tree
from tts_ui import form, fragments
from tts_ui.components import SearchTree
from tts_ui.feed import Feed
from tts_ui.plain_text import LATEX_DELIMITERS, markdown

#: Seconds between two looks at the store while a run grows: here, and in another process.
_POLL_HERE, _POLL_ELSEWHERE = 0.15, 1.0


class ExplorePage:
    """Builds the page into `blocks` and answers its events; `example` is the run that an address without one shows."""

    def __init__(self, host: Host, blocks: gr.Blocks, example: str | None = None) -> None:
        self._host, self._example = host, example
        self._build(blocks)

    # --- what is on it ----------------------------------------------------------------------------------------------

    def _build(self, blocks: gr.Blocks) -> None:
        ask = form.build(RunParams(**self._host.catalogue.entry(None).policy.sampling.given()))
        run, stop = ask.run, ask.stop
        fields = list(ask.fields.values())
        notice = gr.HTML("", elem_id="notice", container=False, padding=False)
        run_id = gr.Textbox(visible="hidden", elem_id="run-id")
        strip = gr.HTML("", elem_id="strip", container=False, padding=False)
        with gr.Row(elem_classes="hero"):
            with gr.Column(scale=5, min_width=320, elem_id="picture"):
                ticker = gr.HTML("", elem_id="ticker", container=False, padding=False)
                tree = SearchTree(height=520, select_chosen=True, elem_id="tree")
            with gr.Column(scale=3, min_width=320, elem_id="detail"):
                head = gr.HTML("", container=False, padding=False, elem_id="detail-head")
                text = gr.Markdown("", latex_delimiters=LATEX_DELIMITERS, elem_id="detail-text", container=False)
                facts = gr.HTML(_HINT, container=False, padding=False, elem_id="detail-facts")
        with gr.Tabs():
            with gr.Tab("Answers"):
                answers = gr.HTML("", elem_id="answers", container=False, padding=False)
            with gr.Tab("Selection rules"):
                rules = gr.HTML("", elem_id="rules", container=False, padding=False)
            with gr.Tab("Cost"):
                cost = gr.HTML("", elem_id="cost", container=False, padding=False)

        shown = [run_id, tree, strip, head, text, facts, answers, rules, cost, notice, ticker, run, stop]
        opened = blocks.load(
            self._open, None, [*shown, *fields], show_progress="hidden", api_visibility="private",
            concurrency_limit=None,
        )  # fmt: skip
        run.click(self._reveal, fields, ask.more, queue=False, show_progress="hidden", api_visibility="private")
        run.click(
            self._run, fields, shown, validator=self._validate, show_progress="hidden",
            concurrency_limit=None, cancels=[opened], api_visibility="private",
        )  # fmt: skip
        stop.click(self._stop, [run_id], [stop], queue=False, show_progress="hidden", api_visibility="private")
        tree.select(
            self._select, [run_id], [head, text, facts], queue=False, show_progress="hidden", api_visibility="private"
        )

    # --- what it does -----------------------------------------------------------------------------------------------

    def _validate(self, *values: Any) -> list[dict[str, Any]]:
        """One verdict a field; runs before anything is queued or loaded."""
        wrong, message = self._mistake(values)
        return [gr.validate(field != wrong, message) for field in form.FIELDS]

    def _reveal(self, *values: Any) -> Any:
        """Unfold "More settings" when the field at fault is in there."""
        return gr.update(open=True) if self._mistake(values)[0] in form.FOLDED else gr.skip()

    def _mistake(self, values: tuple[Any, ...]) -> tuple[str, str]:
        """The field at fault and what is wrong with it; empty when all is well."""
        try:
            question, _ = form.request(values)
            self._check_length(question)
        except InvalidInput as error:
            field = {"answer": "reference", "models": "problem", "scorer": "strategy"}.get(
                error.argument, error.argument
            )
            return field, _sentence(error)
        return "", ""

    def _check_length(self, question: Question) -> None:
        """A problem too long for the context window is refused at the field if the models are there already."""
        if self._host.catalogue.loaded():
            from engine.run import check_fits

            pair = self._host.catalogue.load()
            check_fits(question, pair.policy, pair.scorer)

    async def _run(self, *values: Any) -> AsyncIterator[Any]:
        """Start a run and follow it to its end."""
        question, params = form.request(values)
        submitted = asyncio.create_task(asyncio.to_thread(self._host.submit, question, params))
        said = ""
        while not submitted.done():
            if (loading := self._loading()) not in ("", said):
                said = loading
                yield _changes(notice=_notice(loading), stop=gr.update(interactive=False))
            await asyncio.wait([submitted], timeout=_POLL_HERE)
        try:
            running = submitted.result()
            yield _changes(head="", text="", facts=_HINT, notice="")
            async for change in self._follow(running.id):
                yield change
        except TtsError as error:
            yield _changes(
                notice=_notice(_sentence(error), "error"), ticker="", run=gr.update(interactive=True),
                stop=gr.update(interactive=False),
            )  # fmt: skip

    def _loading(self) -> str:
        """What a run is waiting for before it can start; empty where the models are there."""
        catalogue = self._host.catalogue
        if catalogue.loaded():
            return ""
        download = catalogue.download
        return f"{download}".replace("d", "D", 1) if download else "Loading the models"

    async def _open(self, request: gr.Request) -> AsyncIterator[Any]:
        """Open the run the address names, if any; a running one grows on."""
        asked = request.query_params.get("run")
        wanted = asked or self._example
        untouched = tuple(gr.skip() for _ in form.FIELDS)
        if not wanted:
            yield *_changes(), *untouched
            return
        try:
            await asyncio.to_thread(self._host.store.mark_interrupted)
            record = await asyncio.to_thread(self._host.store.run, wanted)
            if asked:  # the form begins with the example's request as it is, and somebody may be typing already
                yield *_changes(), *form.values_of(record)
            async for change in self._follow(record.id):
                yield *change, *untouched
        except TtsError as error:
            yield *_changes(notice=_notice(_sentence(error), "error")), *untouched

    async def _follow(self, run_id: str) -> AsyncIterator[Any]:
        """Show a run until it is over. What is shown was committed; only the ticker is not."""
        feed = await asyncio.to_thread(Feed, self._host.store, run_id)
        fresh = True
        while True:
            running = self._host.running.get(run_id)
            if running:
                self._host.watch(run_id)
            if fresh or feed.over:
                yield self._shown(feed, running.run.writing if running else None)
            elif running:
                yield _changes(ticker=_ticker(running.run.writing()))
            if feed.over:
                return
            await asyncio.sleep(_POLL_HERE if running else _POLL_ELSEWHERE)
            fresh = await asyncio.to_thread(feed.update)

    def _shown(self, feed: Feed, writing: Callable[[], str] | None) -> tuple[Any, ...]:
        return _changes(
            run_id=feed.record.id,
            tree=feed.value,
            strip=fragments.strip(feed.record, feed.tree),
            answers=fragments.answers(feed.record, feed.tree),
            rules=fragments.rules(feed.record, feed.tree) if feed.over else "",
            cost=fragments.cost(feed.record),
            ticker=_ticker(writing()) if writing else "",
            run=gr.update(interactive=feed.over or writing is None),
            stop=gr.update(interactive=not feed.over and writing is not None),
        )

    def _stop(self, run_id: str) -> Any:
        self._host.stop(run_id)
        return gr.update(interactive=False)

    def _select(self, run_id: str, event: gr.SelectData) -> tuple[str, str, str]:
        record, events = self._host.store.read(run_id)
        tree = Tree.from_events(events)
        node = tree[int(event.value)]
        return (
            fragments.detail_head(record, tree, node),
            markdown(node.text),
            fragments.detail(record, tree, node),
        )


_HINT = (
    '<p class="hint">Click a step, or walk the tree with the arrow keys: its text, its score and why it was kept.</p>'
)

_OUTPUTS = (
    "run_id", "tree", "strip", "head", "text", "facts", "answers", "rules", "cost", "notice", "ticker", "run", "stop",
)  # fmt: skip


def _changes(**values: Any) -> tuple[Any, ...]:
    """New values for some of the page's outputs; the others stay as they are."""
    return tuple(values.get(name, gr.skip()) for name in _OUTPUTS)


def _ticker(text: str) -> str:
    """The end of the step being written: the one thing on the page that is not committed yet."""
    words = " ".join(text.split())[-160:]
    return f'<div class="ticker" aria-hidden="true">{escape(words)}</div>' if words else ""


def _notice(text: str, kind: str = "") -> str:
    role = "alert" if kind == "error" else "status"
    return f'<div class="notice {kind}" role="{role}">{escape(text)}</div>'


def _sentence(error: TtsError) -> str:
    text = error.message if isinstance(error, InvalidInput) else str(error)
    return text[:1].upper() + text[1:]
