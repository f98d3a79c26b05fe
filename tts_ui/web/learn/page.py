"""The page of lessons: words that its script puts in place, and between them the trees of a lesson's searches."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import gradio as gr

from engine.errors import TtsError
from engine.runs.host import Host
from tts_ui.web.components import SearchTree, replay_place, script_address
from tts_ui.web.door import Visitors
from tts_ui.web.learn import steps
from tts_ui.web.learn.recorded import Side, recorded
from tts_ui.web.learn.texts import lesson_named
from tts_ui.web.parts import waiting
from tts_ui.web.parts.feed import Feed, Feeds
from tts_ui.web.parts.moments import newest
from tts_ui.web.parts.notices import notice, refusing, sentence
from tts_ui.web.parts.side_by_side import column_classes, detail_pane, heads_at, selected, told
from tts_ui.web.parts.whole_texts import on_ask
from tts_ui.words import parameters
from tts_ui.words.interface import say
from tts_ui.words.interface.markup import literal

STATIC = Path(__file__).parent.parent / "static" / "learn"
_GROUP, _LETTERS = "learn", "ab"
#: Seconds between two looks at a search that grows.
_POLL_S = 0.15

_JS_ON_LOAD = """
import(new URL("rte/%s", document.baseURI).href)
  .then(({ mountLearn }) => mountLearn(element.querySelector(".learn")))
  .catch((error) => {
    element.querySelector(".learn-error").textContent = %s;
    console.error(error);
  });
"""


class LearnPage:
    """Builds the page into the current route of `blocks` and answers its events."""

    def __init__(self, host: Host, blocks: gr.Blocks, visitors: Visitors) -> None:
        self._host, self._visitors, self._tickets = host, visitors, waiting.Tickets()
        self._feeds = Feeds(host.store, domains=host.domains, discreet=visitors.strict)
        self._build(blocks)

    # --- what is on it ----------------------------------------------------------------------------------------------

    def _build(self, blocks: gr.Blocks) -> None:
        script = _JS_ON_LOAD % (script_address(STATIC / "learn_page.js"), literal("learn.failed"))
        template = (STATIC / "learn.html").read_text(encoding="utf-8")
        gr.HTML("", html_template=template, js_on_load=script, apply_default_css=False, elem_id="learn")
        lesson = gr.Textbox(visible="hidden", elem_id="learn-lesson")
        run_ids = gr.Textbox(visible="hidden", elem_id="run-ids")
        tries = gr.State(0)
        with gr.Column(elem_id="learn-stage"):
            with gr.Row(elem_classes="learn-buttons"):
                watch = gr.Button(say("learn.watch"), variant="primary", elem_id="learn-watch")
                again = gr.Button(say("learn.again"), elem_id="learn-again")
                stop = gr.Button(say("learn.stop"), elem_id="stop", interactive=False)
            notices = gr.HTML("", elem_id="notice", container=False, padding=False)
            replay_place(_GROUP)
            with gr.Row(elem_classes="trees"):
                columns = [self._column(place) for place in range(len(_LETTERS))]
            pane = detail_pane(steps.hint())
        gr.HTML('<div class="learn learn-after"></div>', apply_default_css=False, elem_id="learn-after")

        boxes, heads, trees = (list(parts) for parts in zip(*columns, strict=True))
        shown = [*boxes, *heads, *trees, run_ids, *pane, notices, again, stop]
        quiet: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
        blocks.load(self._open, None, [lesson, *boxes], **quiet)
        watch.click(self._watch, [lesson], shown, **quiet)
        again.click(self._again, [lesson, tries], [tries, *shown], concurrency_limit=None, trigger_mode="once", **quiet)
        stop.click(self._stop, [run_ids], [stop], queue=False, **quiet)
        for tree in trees:
            tree.select(self._select, [run_ids], list(pane), queue=False, trigger_mode="multiple", **quiet)
            tree.seek(newest(self._seek), [run_ids], heads, queue=False, trigger_mode="multiple", **quiet)
            on_ask(tree, self._feeds)

    @staticmethod
    def _column(place: int) -> tuple[gr.Column, gr.HTML, SearchTree]:
        """The place of one search: what it is and came to, and its tree."""
        letter = _LETTERS[place]
        with gr.Column(min_width=280, elem_classes=column_classes(place == 0)) as box:
            head = gr.HTML("", elem_id=f"head-{letter}", container=False, padding=False)
            tree = SearchTree(
                height=380, group=_GROUP, sync_url=False, elem_id=f"tree-{letter}", colorbar=True, empty_text="",
            )  # fmt: skip
        return box, head, tree

    # --- what it does -----------------------------------------------------------------------------------------------

    @staticmethod
    def _open(request: gr.Request) -> tuple[Any, ...]:
        """Room for as many trees as the lesson of the address has."""
        found = lesson_named((request.query_params.get("lesson") or "").strip())
        count = len(recorded(found.name).sides) if found else 1
        boxes = (gr.update(elem_classes=column_classes(place < count)) for place in range(len(_LETTERS)))
        return (found.name if found else "", *boxes)

    def _watch(self, lesson: str) -> tuple[Any, ...]:
        """The recorded runs, whole; the page plays them."""
        told = self._sides(lesson)
        recorded(lesson).keep_in(self._host.store)
        return self._shown([self._feeds.get(side.run_id) for side in told], running=False)

    @staticmethod
    def _sides(lesson: str) -> Sequence[Side]:
        if lesson_named(lesson) is None:
            raise gr.Error(say("learn.unknown"), print_exception=False)
        return recorded(lesson).sides

    async def _again(self, lesson: str, tries: int, request: gr.Request) -> AsyncIterator[tuple[Any, ...]]:
        """The lesson's searches with another seed, one after the other; nothing is started for a client that does not
        take them."""
        if not await self._visitors.streams.opened(request.session_hash):
            return
        seed, done = tries + 1, list[Feed]()
        try:
            for side in self._sides(lesson):
                params = side.with_seed(seed)
                ticket = self._host.line_up(
                    recorded(lesson).question, params, side.models, side.scorer, visitor=self._visitors.name(request)
                )
                with self._tickets.held(request, ticket):
                    async for told, waits in waiting.until_begun(ticket, self._host, side.models, side.scorer):
                        yield seed, *_changes(
                            notice=notice(told or waits) if told or waits else "", again=gr.update(interactive=False),
                            stop=gr.update(interactive=bool(waits)),
                        )  # fmt: skip
                running = ticket.result()
                await asyncio.to_thread(self._visitors.started, request, running.id)
                yield seed, *_changes(notice="", head="", text="", facts=steps.hint())
                async for feed in self._grown(running.id, request):
                    yield seed, *self._shown([*done, feed], running=not feed.over)
                done.append(await asyncio.to_thread(self._feeds.get, running.id))
                if done[-1].record.status != "done":  # stopped: the others are not wanted either
                    break
            yield seed, *self._shown(done, running=False)
        except TtsError as error:
            told = notice(sentence(error, discreet=self._visitors.strict), "error")
            yield seed, *_changes(notice=told, again=gr.update(interactive=True), stop=gr.update(interactive=False))

    async def _grown(self, run_id: str, request: gr.Request) -> AsyncIterator[Feed]:
        """The run whenever it has grown, until it is over."""
        feed = await asyncio.to_thread(self._feeds.read, run_id)
        fresh = True
        while True:
            if run_id in self._host.running and self._visitors.streams.taken(request.session_hash):
                self._host.watch(run_id)
            if fresh or feed.over:
                yield feed
            if feed.over:
                await asyncio.to_thread(self._feeds.keep, feed)
                return
            await asyncio.sleep(_POLL_S)
            fresh = await asyncio.to_thread(feed.update)

    def _shown(self, feeds: Sequence[Feed], *, running: bool) -> tuple[Any, ...]:
        labels = parameters.labels([feed.record for feed in feeds])
        changes: dict[str, Any] = {}
        for place, (feed, label) in enumerate(zip(feeds, labels, strict=True)):
            changes[f"head {place}"] = steps.search_head(place, label, feed.record, feed.tree)
            changes[f"tree {place}"] = feed.value
        return _changes(
            run_ids=",".join(feed.record.id for feed in feeds), notice="", stop=gr.update(interactive=running),
            again=gr.update(interactive=not running), **changes,
        )  # fmt: skip

    def _stop(self, run_ids: str, request: gr.Request) -> Any:
        if self._tickets.leave(request):
            return gr.update(interactive=False)
        with refusing():
            for run_id in _ids(run_ids):
                if run_id in self._host.running:
                    self._visitors.check(request, run_id)
                    self._host.stop(run_id)
        return gr.update(interactive=False)

    def _select(self, run_ids: str, event: gr.SelectData) -> tuple[Any, ...]:
        """The selected step, and what became of it in each tree."""
        linked: dict[str, int | None] = event.linked
        with refusing():
            feeds = [self._feeds.get(run_id, linked.get(run_id) or 0) for run_id in _ids(run_ids)]
        labels = parameters.labels([feed.record for feed in feeds])
        nodes = [steps.node_at(feed, linked.get(feed.record.id)) for feed in feeds]
        facts = steps.side_by_side(labels, feeds, nodes)
        step = selected(nodes, [feed.tree for feed in feeds], event.value)
        return told(self._host.domains, feeds[0].record.domain, step, facts)

    def _seek(self, run_ids: str, event: gr.EventData, _request: gr.Request) -> tuple[Any, ...]:
        """What stands above each tree, as it was at the moment that the replay shows."""
        with refusing():
            feeds = [self._feeds.get(run_id) for run_id in _ids(run_ids)]
        return heads_at(event, feeds, steps.search_head, len(_LETTERS))


_OUTPUTS = (
    *(f"{part} {place}" for part in ("box", "head", "tree") for place in range(len(_LETTERS))),
    "run_ids", "head", "text", "facts", "notice", "again", "stop",
)  # fmt: skip


def _changes(**values: Any) -> tuple[Any, ...]:
    """New values for some of the page's outputs; the others stay as they are."""
    return tuple(values.get(name, gr.skip()) for name in _OUTPUTS)


def _ids(named: str) -> list[str]:
    return [run_id for run_id in named.split(",") if run_id]
