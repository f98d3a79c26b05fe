"""Which program asks: whose its runs are, and whether it still takes what it is told."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, cast

import gradio as gr
from starlette.requests import Request

from tts_ui.web.door import Visitors
from tts_ui.web.door.identity import came_from
from tts_ui.web.door.visitors import Asking

#: Addresses are told apart by a name that nobody can work out: it holds for the life of the server.
_SECRET = secrets.token_bytes(32)
#: Whoever shows the write token, whose runs are those that were started with it. No page's session is called so.
_TRUSTED = "write token"


@dataclass(frozen=True, slots=True)
class Caller:
    """A program.

    Attributes:
        asking: as `Visitors` knows it: whose its runs are.
        place: who it is in the line.
        address: where it reached the server, without a final slash; empty over standard input and output.
        takes: whether it takes what it is told right now; a run that nobody takes is stopped.
    """

    asking: Asking
    place: str
    address: str = ""
    takes: Callable[[], bool] = lambda: True


@dataclass(frozen=True)
class _Program:
    """A request of no page, as `Visitors` takes it."""

    headers: Mapping[str, str]
    session_hash: str


def of_gradio(request: gr.Request, visitors: Visitors) -> Caller:
    """A client of the named endpoints: like a page, it is known by its session, and watches while it takes its
    stream."""
    raw = request.request
    session = request.session_hash
    address = _address(raw) if isinstance(raw, Request) else ""
    return Caller(request, visitors.name(request), address, lambda: visitors.streams.taken(session))


def of_http(request: Request, write_token: str | None) -> Caller:
    """A client of our own routes. While its request is open it is waited for.

    It is known by a page's cookie or by the write token. The keys that clients of the OpenAI API send are no secrets
    ("anything", "none"), and a server behind a proxy has all its clients from one address, so what starts without
    either is nobody's. In the line a client is its address: keys can be made up, and each would have a place.
    """
    name = _TRUSTED if shows(request, write_token) else ""
    came = came_from(request.headers, request.client.host if request.client else "")
    place = hmac.new(_SECRET, came.encode(), hashlib.sha256).hexdigest()
    return Caller(cast(Asking, _Program(request.headers, name)), place, _address(request))


def shows(request: Request, write_token: str | None) -> bool:
    """Whether it shows the write token."""
    kind, _, shown = request.headers.get("authorization", "").partition(" ")
    right = write_token is not None and secrets.compare_digest(shown.strip().encode(), write_token.encode())
    return right and kind.lower() == "bearer"


def here() -> Caller:
    """A program on this machine, over standard input and output."""
    return Caller(cast(Asking, _Program({}, "standard input")), "standard input")


def _address(request: Any) -> str:
    """The address under which the server was asked; the door has checked the names in it."""
    headers = request.headers
    proto = headers.get("x-forwarded-proto", request.url.scheme).split(",")[0].strip()
    host = headers.get("x-forwarded-host", headers.get("host", "")).split(",")[0].strip()
    root = str(request.scope.get("root_path", "")).rstrip("/")
    scheme = proto if proto in ("http", "https") else "http"
    return f"{scheme}://{host}{root}"
