"""`/healthz`: whether the server is well, for what keeps it running. Cheap, and open to everybody: it says the version
that runs, and whether the database answers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from engine.store.version import product_version

#: Seconds that the database may take; a container's check waits little longer.
_ANSWERS_WITHIN_S = 3.0


def health_route(answers: Callable[[], object]) -> Route:
    """`GET /healthz`: 200 and `"store": true`, or 503 where `answers` raises or takes too long.

    `answers` asks the database something small. It is asked in a thread, one at a time: however many ask, a database
    that hangs holds one thread.
    """
    asking: asyncio.Task[object] | None = None

    async def health(_: Request) -> Response:
        nonlocal asking
        if asking is None or asking.done():
            asking = asyncio.create_task(asyncio.to_thread(answers))
        try:
            await asyncio.wait_for(asyncio.shield(asking), _ANSWERS_WITHIN_S)
            well = True
        except Exception:  # whatever kind of database it is, and whatever ails it
            well = False
        said = {"status": "ok" if well else "failing", "version": product_version(), "store": well}
        return JSONResponse(said, 200 if well else 503, headers={"cache-control": "no-store"})

    return Route("/healthz", health, methods=["GET"])
