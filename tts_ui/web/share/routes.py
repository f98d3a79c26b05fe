"""`/export/RUN/FORMAT`: a run as a file, and `/export/RUN,RUN/html`: runs side by side. Whoever knows the whole ids may
have it, as with the page that shows them."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from engine.errors import InvalidInput, TtsError
from engine.runs.host import Host
from engine.store import RunRecord
from engine.store.exporters import FORMATS, LABELS, render, render_labels
from engine.store.exporters.run_json import comparison
from tts_ui.web.door import Visitors
from tts_ui.web.parts.notices import not_told, sentence
from tts_ui.web.share.menu import PAGE
from tts_ui.words.interface import say
from tts_ui.words.parameters import LETTERS

#: Files that are made at a time (each takes a processor while it is made), and requests that may wait for one.
_AT_ONCE, _WAITING = 2, 32

_TAME = re.compile(r"[^A-Za-z0-9_-]+")


def export_route(host: Host, visitors: Visitors) -> Route:
    """Where the pages' Share menus lead."""
    exports = _Exports(host, visitors)
    return Route("/export/{runs}/{format}", exports.answer)


@dataclass
class _Exports:
    host: Host
    visitors: Visitors
    waiting: int = 0
    places: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_AT_ONCE))

    async def answer(self, request: Request) -> Response:
        if self.waiting >= _WAITING:
            return PlainTextResponse(say("share.busy"), 503, {"retry-after": "5"})
        self.waiting += 1
        try:
            async with self.places:
                asked = request.path_params["runs"], request.path_params["format"], request.query_params.get("labels")
                return await asyncio.to_thread(self._file, *asked)
        except TtsError as error:
            return PlainTextResponse(sentence(error, discreet=self.visitors.strict), 404)
        finally:
            self.waiting -= 1

    def _file(self, named: str, format: str, labels: str | None) -> Response:
        run_ids = named.split(",")
        if len(run_ids) > len(LETTERS) or len(set(run_ids)) < len(run_ids):
            raise InvalidInput("runs", say("share.number", n=len(LETTERS)))
        records = [self.host.store.whole_run(run_id) for run_id in run_ids]
        if format == PAGE:
            from tts_ui.web.share.page import page_of

            content = page_of(self.host.store, run_ids, self.host.domains)
        elif format in LABELS:
            content = render_labels(format, (self.host.store.read(run_id) for run_id in run_ids), labels)
        elif format not in FORMATS:
            raise InvalidInput("format", say("share.no_format", format=repr(format[:20])))
        else:
            content = self._exported(format, run_ids)
        name = file_name(records[0].strategy if len(records) == 1 else "comparison", records[0].id, format)
        return Response(content, media_type=_media_type(format), headers={
            "content-disposition": f'attachment; filename="{name}"', "cache-control": "no-store",
        })  # fmt: skip

    def _exported(self, format: str, run_ids: list[str]) -> bytes:
        read = [self.host.store.read(run_id) for run_id in run_ids]
        if self.visitors.strict:  # why a run failed may name folders and inner addresses
            read = [(replace(record, error=record.error and not_told()), events) for record, events in read]
            read = [(_without_parent(record, run_ids), events) for record, events in read]
        if len(read) == 1:
            return render(format, *read[0])
        found = self.host.store.comparison_of(run_ids)
        if found is None or format != "json":
            raise InvalidInput("runs", say("share.side_by_side"))
        return comparison(found, read)


def _without_parent(record: RunRecord, run_ids: Sequence[str]) -> RunRecord:
    """The run without the address of the one it goes on from: who has the one need not know the other."""
    return record if record.parent_run in run_ids else replace(record, parent_run=None, fork_node=None)


def file_name(what: str, run_id: str, format: str) -> str:
    """Letters, digits and dashes, whatever an imported run is called."""
    kind = f"{format}.jsonl" if format in LABELS else format
    return f"{_TAME.sub('-', what)[:40]}-{_TAME.sub('-', run_id)[:18]}.{kind}"


def _media_type(format: str) -> str:
    """A page is no page of this server's: a browser may save it, and not show it from here."""
    formats = FORMATS | LABELS
    return formats[format].media_type if format in formats else "application/octet-stream"
