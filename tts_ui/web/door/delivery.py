"""How an answer travels: compressed, and with a word on how long a browser may keep it.

Gradio compresses what has a name that ends like a script, anew for everybody who asks, and says nothing on keeping.
What has its version in its address never changes: it is compressed once and better, and a browser keeps it without
asking again. Of the rest a browser asks whether it has changed.
"""

from __future__ import annotations

import asyncio
import re
import zlib
from collections.abc import Callable
from weakref import WeakValueDictionary

import brotli
from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware.gzip import GZipMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

#: The names of Gradio's front end end in a hash of what the file holds; the addresses of its theme and of our own
#: scripts have one as `v`.
_HASHED = re.compile(rb"/assets/[\w.-]+-[\w-]{8}\d*\.\w+|/theme\.css\?v=[0-9a-f]{32,}|/rte/[\w.-]+\.js\?v=[0-9a-f]{12}")
_KEPT, _ASKED_AGAIN = "public, max-age=31536000, immutable", "no-cache"
#: Of zlib; the highest takes three times as long for a hundredth less.
_LEVEL = 6
#: By the name that a browser knows them by, the better one first: plotly.js is a tenth less than what Gradio's own
#: compression makes of it piece by piece, in the same 0.2 s.
_PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "br": lambda body: brotli.compress(body, mode=brotli.MODE_TEXT, quality=6),
    "gzip": lambda body: zlib.compress(body, level=9, wbits=31),
}
_TEXTS = ("text/", "application/javascript", "application/json", "image/svg")


def delivered(app: ASGIApp) -> ASGIApp:
    """`app` with answers that travel well. Streams of events are left as they are: a piece is sent when it is there."""
    return _Known(_PackedOnce(GZipMiddleware(app, compresslevel=_LEVEL)))


class _Known:
    """Adds `Cache-Control` where a file says nothing of it, and answers 304 where a browser has it already."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] not in ("GET", "HEAD"):
            await self._app(scope, receive, send)
            return
        known = Headers(scope=scope).get("if-none-match", "")
        unchanged = False

        async def keep(message: Message) -> None:
            nonlocal unchanged
            if message["type"] == "http.response.start" and message["status"] == 200:
                headers = MutableHeaders(scope=message)
                if _never_changes(scope):
                    headers["cache-control"] = _KEPT
                if tag := headers.get("etag"):
                    headers["etag"] = _weak(tag)
                    headers.setdefault("cache-control", _ASKED_AGAIN)
                    if unchanged := _weak(tag) in map(_weak, re.split(r"\s*,\s*", known)):
                        message["status"] = 304
                        for name in ("content-length", "content-encoding", "content-type"):
                            del headers[name]
            elif unchanged and message["type"] == "http.response.body":
                message["body"] = b""
            await send(message)

        await self._app(scope, receive, keep)


class _PackedOnce:
    """Keeps what never changes in memory as it travels. There are as many such answers as there are files of that kind:
    a path that is none is answered with 404, and nothing is kept of it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._kept: dict[tuple[str, str], list[Message]] = {}
        self._packing: WeakValueDictionary[tuple[str, str], asyncio.Lock] = WeakValueDictionary()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "GET" or not _never_changes(scope):
            await self._app(scope, receive, send)
            return
        accepted = Headers(scope=scope).get("accept-encoding", "")
        encoding = next((name for name in _PACKERS if re.search(rf"\b{name}\b", accepted)), "")
        key = scope["path"], encoding
        if key not in self._kept:
            async with self._packing.setdefault(key, asyncio.Lock()):  # the first visitors of a server come at once
                answer = self._kept.get(key) or await self._answer(scope, receive, encoding)
            if answer[0]["status"] == 200:
                self._kept[key] = answer
        else:
            answer = self._kept[key]
        for message in answer:
            await send({**message, "headers": list(message["headers"])} if "headers" in message else dict(message))

    async def _answer(self, scope: Scope, receive: Receive, encoding: str) -> list[Message]:
        """The head and the body, compressed."""
        plain = [each for each in scope["headers"] if each[0].lower() not in (b"accept-encoding", b"range")]
        held: list[Message] = []

        async def hold(message: Message) -> None:
            held.append(message)

        await self._app({**scope, "headers": plain}, receive, hold)
        body = b"".join(part.get("body", b"") for part in held[1:])
        headers = MutableHeaders(scope=held[0])
        if encoding and held[0]["status"] == 200 and headers.get("content-type", "").startswith(_TEXTS):
            body = await asyncio.to_thread(_PACKERS[encoding], body)
            headers["content-encoding"], headers["vary"] = encoding, "Accept-Encoding"
            del headers["accept-ranges"]
        headers["content-length"] = str(len(body))
        return [held[0], {"type": "http.response.body", "body": body}]


def _never_changes(scope: Scope) -> bool:
    """Whether the address says which version it is."""
    query: bytes = scope["query_string"]
    return _HASHED.fullmatch(scope["path"].encode() + (b"?" + query if query else b"")) is not None


def _weak(tag: str) -> str:
    """A tag of the file, however it travels: compressed in one way, in another, or not."""
    return tag if not tag or tag.startswith("W/") else f"W/{tag}"
