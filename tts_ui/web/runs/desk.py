"""What the Runs page asks of the server: a page of the list, what to filter it by, changes, and files to open.

These are routes of our own beside Gradio's: a list is read and not followed, and none of its texts is a component's
value. The door has let them through; whose a run is, is asked here.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from engine.errors import InvalidInput, TtsError
from engine.runs.importing import import_file
from engine.store import Store
from engine.store.keeping import note_in, tags_in
from engine.store.retention import KEEP
from tts_ui.web.door import Visitors
from tts_ui.web.parts import retention
from tts_ui.web.parts.notices import sentence
from tts_ui.web.runs.asked import Asked, asked
from tts_ui.web.runs.opening import following
from tts_ui.web.runs.rows import choices_row, comparison_row, run_row
from tts_ui.words.interface import say

#: Rows of a page.
ROWS = 50
#: Bytes of a file that is opened; more is for the command line.
_LARGEST = 1 << 30


class Desk:
    """Answers the Runs page over one store; `kept_until` says when a run will be removed, if ever."""

    def __init__(self, store: Store, visitors: Visitors, kept_until: retention.Until = retention.for_ever) -> None:
        self._store, self._visitors, self._kept_until = store, visitors, kept_until

    def routes(self) -> list[Route]:
        """Where an app must answer the page."""
        return [
            Route("/rte/runs", self._told(self._list)),
            Route("/rte/runs/choices", self._told(self._choices)),
            Route("/rte/runs/change", self._told(self._change), methods=["POST"]),
            Route("/rte/runs/file", self._told(self._file), methods=["POST"]),
        ]

    def _told(self, answer: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
        """`answer`, whose refusals are told: a mistake with its argument, a failure as one."""

        async def told(request: Request) -> Response:
            try:
                return await answer(request)
            except TtsError as error:
                status = 422 if isinstance(error, InvalidInput) else 503
                return JSONResponse(self._refusal(error), status, headers={"cache-control": "no-store"})

        return told

    def _refusal(self, error: TtsError) -> dict[str, str]:
        argument = error.argument if isinstance(error, InvalidInput) else ""
        return {"argument": argument, "error": sentence(error, discreet=self._visitors.strict)}

    async def _list(self, request: Request) -> Response:
        """A page of runs or comparisons: the rows, how many there are in all, and of how many pages this is which."""

        def read() -> dict[str, Any]:
            wanted = asked(request.query_params, self._visitors.may_list(request))
            self._store.mark_interrupted()
            return self._comparisons(wanted) if wanted.comparisons else self._runs(wanted, request)

        return _fresh(await asyncio.to_thread(read))

    def _runs(self, asked: Asked, request: Request) -> dict[str, Any]:
        total = self._store.count(asked.wanted)
        page = _within(asked.page, total)
        listed = self._store.listed(asked.wanted, ROWS, (page - 1) * ROWS) if total else []
        untils = retention.untils(self._store, [each.record for each in listed], self._kept_until)
        rows = [
            run_row(each, mine=self._visitors.may_change(request, each.record.id)) | {"kept": retention.in_a_row(until)}
            for each, until in zip(listed, untils, strict=True)
        ]
        return {"rows": rows, "total": total, "page": page, "pages": _pages(total)}

    def _comparisons(self, asked: Asked) -> dict[str, Any]:
        page = asked.page
        listed, total = self._store.comparisons(asked.wanted, ROWS, (page - 1) * ROWS)
        if page != _within(page, total):
            page = _within(page, total)
            listed, total = self._store.comparisons(asked.wanted, ROWS, (page - 1) * ROWS)
        rows = [
            comparison_row(each)
            | {
                "kept": retention.in_a_row(
                    retention.together([self._kept_until(run, each.tags.get(run.id, ())) for run in each.runs])
                )
            }
            for each in listed
        ]
        return {"rows": rows, "total": total, "page": page, "pages": _pages(total)}

    async def _choices(self, request: Request) -> Response:
        choices = await asyncio.to_thread(lambda: self._store.choices(self._visitors.may_list(request)))
        all_sweeps = self._visitors.sweeps(request) is None
        sweeps = await asyncio.to_thread(self._store.sweeps) if all_sweeps else []
        return _fresh(choices_row(choices, sweeps))

    async def _change(self, request: Request) -> Response:
        """Describe a run, delete runs or bring them back; answers which runs that changed."""
        change = await request.json()
        run_ids: list[str] = change["runs"]
        for run_id in run_ids:
            await asyncio.to_thread(self._visitors.check, request, run_id)
        match change["do"]:
            case "delete":
                changed = await asyncio.to_thread(self._store.delete, run_ids)
            case "restore":
                changed = await asyncio.to_thread(self._store.restore, run_ids)
            case _:
                tags, note = tags_in(change.get("tags", "")), note_in(change.get("note", ""))
                changed = run_ids[:1]
                kept = await asyncio.to_thread(self._may_keep, request, changed[0], tags)
                await asyncio.to_thread(self._store.describe, changed[0], kept, note)
        return _fresh({"changed": changed})

    def _may_keep(self, request: Request, run_id: str, named: Sequence[str]) -> Sequence[str]:
        """These tags, with the one that keeps a run for ever as it was: that is the owner's. Raises `InvalidInput`."""
        if not self._visitors.strict or self._visitors.is_owner(request):
            return named
        kept = [tag for tag in self._store.tags(run_id) if tag.casefold() == KEEP]
        if not kept and KEEP in map(str.casefold, named):
            raise InvalidInput("tags", say("runs_page.keep_is_the_owners", tag=KEEP))
        return sorted([*kept, *(tag for tag in named if tag.casefold() != KEEP)])

    async def _file(self, request: Request) -> Response:
        """Open the file that comes as the body: lines of JSON say how far it is, and the last one what it brought."""
        if request.headers.get("content-type") != "application/octet-stream":
            raise InvalidInput("FILE", say("runs_file.type"))
        folder = TemporaryDirectory(prefix="tts-ui-")
        path = Path(folder.name) / _file_name(request.query_params.get("name", ""))
        try:
            await _receive(request, path)
        except BaseException:
            folder.cleanup()
            raise
        told = following(lambda progress: import_file(self._store, path, progress=progress), self._refusal, folder)
        lines = (json.dumps(said) + "\n" for said in told)
        headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
        return StreamingResponse(lines, media_type="application/x-ndjson", headers=headers)


def _file_name(given: str) -> str:
    """What a browser calls a file, as a name of one here: what is said of the file names it."""
    return re.sub(r"[^\w. ()+-]", "_", given[-60:]).lstrip(".") or "file"


async def _receive(request: Request, path: Path) -> None:
    """Write a body to a file. Raises `InvalidInput` if it is too long, empty or broken off."""
    length = 0
    try:
        with path.open("wb") as file:
            async for chunk in request.stream():
                length += len(chunk)
                if length > _LARGEST:
                    raise InvalidInput("FILE", say("runs_file.too_long"))
                file.write(chunk)
    except ClientDisconnect as error:
        raise InvalidInput("FILE", say("runs_file.broken_off")) from error
    except OSError as error:
        raise InvalidInput("FILE", say("runs_file.not_kept", why=error.strerror)) from error
    if not length:
        raise InvalidInput("FILE", say("runs_file.empty"))


def _fresh(document: dict[str, Any]) -> JSONResponse:
    return JSONResponse(document, headers={"cache-control": "no-store"})


def _pages(total: int) -> int:
    return max(1, -(-total // ROWS))


def _within(page: int, total: int) -> int:
    """The page that is shown: the last one, where fewer are left than were asked for."""
    return min(page, _pages(total))
