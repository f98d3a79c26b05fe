"""MCP over streamable HTTP: one address, each request by itself, no sessions to keep."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from typing import Any

from mcp.server.lowlevel.server import Server
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from starlette.requests import Request
from starlette.types import Receive, Scope, Send

from tts_ui.web.door.bodies import again

#: What is answered as JSON, not as a stream of events: clients take an event of 1 MB at most, and the page of a run,
#: with the script that draws it, is larger.
_WHOLE = "resources/read"


class McpHttp:
    """An ASGI app. The door has checked the names and the length of every request by then."""

    def __init__(self, server: Server[Any]) -> None:
        self._streaming = _Managed(StreamableHTTPSessionManager(server, stateless=True))
        self._whole = _Managed(StreamableHTTPSessionManager(server, stateless=True, json_response=True))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = await Request(scope, receive).body()
        managed = self._whole if _method(body) == _WHOLE else self._streaming
        await managed.answer(scope, again(body, receive), send)


class _Managed:
    """A session manager, which runs from the first request on."""

    def __init__(self, manager: StreamableHTTPSessionManager) -> None:
        self._manager = manager
        self._started = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._task = self._task or asyncio.create_task(self._run())
        await self._started.wait()
        await self._manager.handle_request(scope, receive, send)

    async def _run(self) -> None:
        """Until the web server's loop ends: it cancels what is left on it."""
        async with self._manager.run():
            self._started.set()
            await asyncio.Event().wait()


def _method(body: bytes) -> object:
    with suppress(ValueError, RecursionError):
        asked = json.loads(body)
        return asked.get("method") if isinstance(asked, dict) else None
    return None
