"""From a click on Run to the first step: who asks, what is being loaded, how many come before."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from html import escape
from typing import Any

import gradio as gr

from engine.models.catalogue.catalogue import Catalogue
from engine.runs.admission import Standing
from engine.runs.host import Host
from engine.runs.ticket import Ticket
from tts_ui.words.interface import say

#: Seconds between two looks at a request that waits.
_POLL_S = 0.2


class Tickets:
    """The requests that wait, by the page that made them: its Stop takes them back."""

    def __init__(self) -> None:
        self._of_page: dict[str | None, Ticket[Any]] = {}

    @contextmanager
    def held(self, request: gr.Request, ticket: Ticket[Any]) -> Iterator[None]:
        """Until it begins, or until the page is left."""
        self._of_page[request.session_hash] = ticket
        try:
            yield
        finally:
            self._of_page.pop(request.session_hash, None)

    def leave(self, request: gr.Request) -> bool:
        """Take back what this page waits for; False if it waits for nothing."""
        ticket = self._of_page.get(request.session_hash)
        if ticket:
            ticket.leave()
        return ticket is not None


async def until_begun(
    ticket: Ticket[Any], host: Host, models: str | None, scorer: str | None
) -> AsyncIterator[tuple[str, str]]:
    """What a request waits for, whenever that changes and until it begins: for models, and its place in the line."""
    begun = asyncio.wrap_future(ticket.future)
    begun.add_done_callback(lambda done: done.cancelled() or done.exception())  # `ticket.result` raises it
    said = ("", "")
    while not ticket.done:
        host.watch(ticket.id)
        standing = ticket.standing()
        waits_for = (_load(host.catalogue, models, scorer), in_line(standing) if standing else "")
        if waits_for != said:
            said = waits_for
            yield waits_for
        await asyncio.wait([begun], timeout=_POLL_S)


def in_line(standing: Standing) -> str:
    """The place in the line, in words."""
    before = say("waiting.before", n=standing.before) if standing.before else say("waiting.next")
    searched = say("waiting.searched", n=standing.running)
    own = say("waiting.own", own=standing.own) if standing.own else ""
    return say("waiting.line", before=before, searched=searched, own=own)


def strip(line: str) -> str:
    """The place in the line where the answer will stand."""
    return f'<div class="strip"><span>{escape(line)}</span></div>'


def _load(catalogue: Catalogue, models: str | None, scorer: str | None) -> str:
    if catalogue.loaded(models, scorer):
        return ""
    download = catalogue.download
    return f"{download}".replace("d", "D", 1) if download else say("waiting.loading")
