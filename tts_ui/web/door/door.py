"""The door: every request passes it before Gradio sees it, and every answer after.

In this order: the host that is asked for, the page that asks, the route, the body. What does not belong here is refused
in one line.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from urllib.parse import parse_qs, unquote_plus
from weakref import WeakValueDictionary

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tts_ui.web.door import policy
from tts_ui.web.door.bodies import OWN_LIMIT, STRICT_LIMIT, Call, Moments, Refused, again, body_of, read
from tts_ui.web.door.functions import Function, check, samples_only
from tts_ui.web.door.hosts import Hosts
from tts_ui.web.door.identity import OWNER, VISITOR, Identity, Known
from tts_ui.web.door.refusals import refusal
from tts_ui.web.door.routes import Route, find, routes
from tts_ui.web.door.streams import Streams

#: Headers in which a stranger could tell Gradio under which address it is reached, and say that he is somebody else;
#: and the cookies, which nothing behind the door needs.
_UNTRUSTED = (b"x-gradio-server", VISITOR.encode(), OWNER.encode(), b"cookie")
#: What Gradio reads of the address of any page, and no page of ours has: 500 for a page that is not there, and a path
#: that is joined to a folder.
_UNTRUSTED_NAMES = frozenset({"page", "deep_link"})
#: The queries of what gradio_client reads before its first call; others name deep links and pages.
_BARE = (b"", b"serialize=False")


class Door:
    """Wraps an app.

    Args:
        pages: the app's pages, by their paths without the slash.
        functions: the app's, by number.
        identity: who asks.
        framed: whether the pages are shown in the frame of a Hugging Face Space.
        strict: whether others can reach the server.
        samples: whether nothing is to be computed.
    """

    def __init__(
        self, app: ASGIApp, pages: Iterable[str], functions: Mapping[int, Function], hosts: Hosts, streams: Streams,
        identity: Identity, *, strict: bool, framed: bool = False, samples: bool = False,
    ) -> None:  # fmt: skip
        self._app, self._routes, self._functions = app, routes(pages, strict=strict), functions
        self._hosts, self._streams, self._identity, self._samples = hosts, streams, identity, samples
        self._limit, self._framed = STRICT_LIMIT if strict else OWN_LIMIT, framed
        self._headers = policy.headers(framed)
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
        elif scope["type"] == "http":
            await self._answer(scope, receive, self._dressed(scope, send))
        else:  # no page opens a web socket
            await send({"type": "websocket.close", "code": 1008})

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        turn = ""
        try:
            self._check_names(Headers(scope=scope))
            route = find(self._routes, scope["method"], scope["path"])
            if route.computes and self._samples:
                raise Refused(403, samples_only())
            if route.kind == "bare" and scope["query_string"] not in _BARE:
                raise Refused(404, "not found")
            if route.shape or route.kind == "program":
                body, turn = await self._body(route, scope, receive)
                receive = again(body, receive)
        except Refused as refused:
            await refusal(scope["path"], refused)(scope, receive, send)
            return
        known = self._identity.known(scope, page=route.kind == "page")
        headers = [(name, value) for name, value in scope["headers"] if name.lower() not in _UNTRUSTED]
        headers += [(name.encode(), value.encode()) for name, value in known.headers.items()]
        scope = {**scope, "headers": headers}
        match route.kind:
            case "page":
                scope["query_string"] = _trusted(scope["query_string"])
                await self._app(scope, receive, _greeting(send, known))
            case "stream":
                await self._stream(scope, receive, send)
            case "direct" if turn:
                async with self._turns.setdefault(turn, asyncio.Lock()):
                    await self._app(scope, receive, send)
            case _:
                await self._app(scope, receive, send)

    def _check_names(self, headers: Headers) -> None:
        hosts = [headers.get("host", ""), *_listed(headers.get("x-forwarded-host"))]
        for host in hosts:
            if not self._hosts.knows(host):
                raise Refused(421, "this server is not known by that name; its owner can add it with --allow-host")
        origin = headers.get("origin")
        if origin is not None and not any(self._hosts.may_ask(origin, host) for host in hosts):
            raise Refused(403, "only this server's own pages may ask")

    async def _body(self, route: Route, scope: Scope, receive: Receive) -> tuple[bytes, str]:
        """The body, and the page whose questions are answered one after the other: those about the moments of a
        replay, or an answer that is overtaken would be shown last."""
        body = await body_of(scope, receive, self._limit)
        if route.shape is None:
            return body, ""
        said = read(route.shape, body)
        if isinstance(said, Call):
            check(said, self._functions, queued=route.kind == "queued", samples=self._samples)
            if isinstance(said.event_data, Moments) and said.event_data.asked is not None:
                return body, said.session_hash
        return body, ""

    async def _stream(self, scope: Scope, receive: Receive, send: Send) -> None:
        sessions = parse_qs(scope["query_string"].decode("latin-1")).get("session_hash", [""])
        with self._streams.open(sessions[0]) as stream:

            async def hand_over(message: Message) -> None:
                with stream.handing_over():
                    await send(message)

            await self._app(scope, receive, hand_over)

    def _dressed(self, scope: Scope, send: Send) -> Send:
        """`send` that adds the headers of every answer."""

        async def dress(message: Message) -> None:
            if message["type"] == "http.response.start":
                answer = MutableHeaders(scope=message)
                self._identity.dress(scope, answer)
                for name, value in self._headers.items():
                    answer.setdefault(name, value)
            await send(message)

        return dress


def _greeting(send: Send, known: Known) -> Send:
    """`send` that gives a browser its cookie with a page."""

    async def greet(message: Message) -> None:
        if message["type"] == "http.response.start" and known.cookie:
            answer = MutableHeaders(scope=message)
            answer.append("set-cookie", known.cookie)
            answer["cache-control"] = "private, no-cache"
        await send(message)

    return greet


def _trusted(query: bytes) -> bytes:
    """The query of a page's address without what only Gradio would read."""
    parts = query.split(b"&")
    named = ((unquote_plus(part.partition(b"=")[0].decode("latin-1")), part) for part in parts)
    return b"&".join(part for name, part in named if name not in _UNTRUSTED_NAMES)


def _listed(header: str | None) -> list[str]:
    """The entries of a header that proxies may have added to."""
    return [entry.strip() for entry in header.split(",")] if header else []
