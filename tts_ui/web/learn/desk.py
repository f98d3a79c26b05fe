"""What the page of lessons asks of the server besides its searches: the words of a lesson, and paper to print."""

from __future__ import annotations

import asyncio

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from engine.store import Store
from tts_ui.web.learn import paper
from tts_ui.web.learn.document import document
from tts_ui.web.learn.recorded import recorded
from tts_ui.web.learn.texts import lesson_named, lessons


class LearnDesk:
    """Answers over the store in which a lesson's recorded runs are kept as soon as somebody opens it."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def routes(self) -> list[Route]:
        """Where an app must answer the page."""
        return [
            Route("/rte/learn", self._lesson),
            Route("/rte/learn/handout", self._paper),
            Route("/rte/learn/notes", self._paper),
        ]

    async def _lesson(self, request: Request) -> Response:
        name = request.query_params.get("lesson", "")[:100]
        return JSONResponse(await asyncio.to_thread(self._told, name), headers={"cache-control": "no-store"})

    def _told(self, name: str) -> dict[str, object]:
        if lesson_named(name):
            recorded(name).keep_in(self._store)
        return document(name)

    async def _paper(self, request: Request) -> Response:
        """The handout or the notes of one lesson, or of all where none is named."""
        name = request.query_params.get("lesson", "")[:100]
        found = lesson_named(name)
        chosen = (found,) if found else lessons()
        make = paper.notes if request.url.path.endswith("/notes") else paper.handout
        return HTMLResponse(await asyncio.to_thread(make, chosen))
