"""What the Scaling page asks of the server: a figure with all that stands around it, and files of it.

Routes of our own beside Gradio's, as on the Runs page: an address is asked for, and none of its texts is a component's
value. Whose a sweep is, is asked here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from engine.errors import InvalidInput, TtsError
from engine.runs.host import Host
from engine.runs.sweeps.curves import Groups
from engine.store.sweep_records import SweepRecord
from tts_ui.web.door import Visitors
from tts_ui.web.parts.notices import sentence
from tts_ui.web.scaling import exports, figures, table
from tts_ui.web.scaling.asked import Asked, asked
from tts_ui.web.scaling.choices import choices, published_tables, suits
from tts_ui.web.scaling.guesses import guessed
from tts_ui.web.scaling.looks import PALETTES
from tts_ui.web.scaling.source import Source
from tts_ui.web.scaling.starting import Starter
from tts_ui.web.scaling.sweeps_list import sweep_row
from tts_ui.web.scaling.view import View, view
from tts_ui.web.scaling.words import notes, ties
from tts_ui.words.interface import say


class ScalingDesk:
    """Answers the Scaling page over one host's store."""

    def __init__(self, host: Host, visitors: Visitors) -> None:
        self._host, self._visitors, self._source = host, visitors, Source(host.store)
        self._starter = Starter(host)

    def routes(self) -> list[Route]:
        """Where an app must answer the page."""
        return [
            Route("/rte/scaling", self._told(self._show)),
            Route("/rte/scaling/progress", self._told(self._progress)),
            Route("/rte/scaling/guesses", self._told(self._guesses)),
            Route("/rte/scaling/{do}", self._told(self._do), methods=["POST"]),
            Route("/rte/scaling/{name}", self._told(self._file)),
        ]

    def _told(self, answer: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
        """`answer`, whose refusals are told: a mistake with its argument, a failure as one."""

        async def told(request: Request) -> Response:
            try:
                return await answer(request)
            except TtsError as error:
                argument = error.argument if isinstance(error, InvalidInput) else ""
                said = {"argument": argument, "error": sentence(error, discreet=self._visitors.strict)}
                status = 422 if isinstance(error, InvalidInput) else 503
                return JSONResponse(said, status, headers={"cache-control": "no-store"})

        return told

    async def _show(self, request: Request) -> Response:
        document = await asyncio.to_thread(self._document, request)
        return JSONResponse(document, headers={"cache-control": "no-store"})

    async def _progress(self, _: Request) -> Response:
        return JSONResponse({"running": self._starter.progress()}, headers={"cache-control": "no-store"})

    async def _guesses(self, request: Request) -> Response:
        """How well difficulty is guessed, which is asked for when it is unfolded: it reads the sweep once more."""

        def made() -> list[dict[str, Any]]:
            sweep, shown, groups = self._viewed(request)
            return guessed(self._source.own(sweep), groups, shown.asked) if sweep and shown and groups else []

        said = {"guesses": await asyncio.to_thread(made)}
        return JSONResponse(said, headers={"cache-control": "no-store"})

    async def _do(self, request: Request) -> Response:
        """Plan, start or stop a sweep; the door lets nobody else's requests through."""
        if self._visitors.strict:
            raise InvalidInput("sweep", say("scaling_says.no_start"))
        asked = await request.json()
        match request.path_params["do"]:
            case "plan":
                said = await asyncio.to_thread(self._starter.plan, asked)
            case "start":
                said = await asyncio.to_thread(self._starter.start, asked)
            case _:
                said = self._starter.stop(asked["sweep"])
        return JSONResponse(said, headers={"cache-control": "no-store"})

    async def _file(self, request: Request) -> Response:
        """The figure that the address asks for as a file: its points as CSV, or a page that works without a server."""
        made = exports.FORMATS.get(request.path_params["name"])
        if made is None:
            raise InvalidInput("name", say("scaling_says.no_export"))

        def make() -> tuple[str, bytes]:
            sweep, shown, _ = self._viewed(request)
            if sweep is None or shown is None:
                raise InvalidInput("sweep", say("scaling_says.nothing"))
            return exports.file_name(sweep.name, made.ending), made.make(sweep, shown)

        name, content = await asyncio.to_thread(make)
        return Response(content, media_type=made.media_type, headers={
            "content-disposition": f'attachment; filename="{name}"', "cache-control": "no-store",
        })  # fmt: skip

    def _document(self, request: Request) -> dict[str, Any]:
        within = self._visitors.sweeps(request)
        sweep, shown, groups = self._viewed(request)
        document: dict[str, Any] = {
            "sweeps": [sweep_row(each) for each in self._source.listed(within)],
            "may_start": not self._visitors.strict,
            "form": None if self._visitors.strict else self._starter.form(),
            "sweep": sweep.id if sweep else "",
            "figure": None,
        }
        if sweep and shown and groups and shown.points:
            document |= _figure(sweep, shown, groups)
        return document

    def _viewed(self, request: Request) -> tuple[SweepRecord | None, View | None, Groups | None]:
        address: Mapping[str, str] = request.query_params
        listed = self._source.listed(self._visitors.sweeps(request))
        sweep = self._source.chosen(address.get("sweep", "").strip(), listed)
        if sweep is None:
            return None, None, None
        groups = self._source.groups(sweep)
        return sweep, view(groups, asked(address, groups)), groups


def _figure(sweep: SweepRecord, shown: View, groups: Groups) -> dict[str, Any]:
    wanted: Asked = shown.asked
    published = published_tables(wanted.published)
    found = table.point_named(shown, wanted.point)
    return {
        "figure": figures.curves(shown, published),
        "bars": figures.bars(shown) if shown.bars else None,
        "palettes": PALETTES,
        "asked": {name: getattr(wanted, name) for name in ("x", "by", "envelope", "marks", "published")}
        | {name: getattr(wanted, name) or "any" for name in ("policy", "scorer", "strategy", "bin")}
        | {"rule": wanted.rule or "", "n": str(shown.bars_n or ""), "problems": "all" if wanted.everything else ""},
        "choices": choices(groups, suits(sweep.problem_set)),
        "notes": notes(sweep, shown),
        "ties": ties(shown),
        "rows": table.rows(shown),
        "point": table.problems(*found, groups) if found else None,
        "compared": table.comparison(shown, wanted.compare, groups) if len(wanted.compare) == 2 else None,
        "published": [
            {"model": each.model, "method": each.method, "accuracy": f"{each.accuracy:.1f}", "table": each.table}
            for each in published
        ],
    }
