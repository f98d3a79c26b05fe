"""What a browser may do with a page: the headers of every answer, and each page's Content-Security-Policy.

Scripts come from this server, or are among those that the page brings with it and that are named by their hash, so text
that slipped into a page as HTML would not run. Gradio needs two exceptions: it makes functions of the scripts that a
component declares ('unsafe-eval'), and sets styles on elements ('unsafe-inline', for styles only).
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable, Iterable

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

POLICY = "content-security-policy"

#: The site whose frame shows a Space.
SPACES = "https://huggingface.co"

_HEAD = '<meta charset="utf-8" />'

_INLINE = re.compile(r"<script(?![^>]*\ssrc=)[^>]*>(.*?)</script", re.DOTALL | re.IGNORECASE)


def framers(framed: bool) -> str:
    """Who may show the pages in a frame."""
    return f"frame-ancestors 'self'{f' {SPACES}' if framed else ''}"


def headers(framed: bool) -> dict[str, str]:
    """Those of every answer."""
    return {
        "x-content-type-options": "nosniff",
        "referrer-policy": "same-origin",  # the address of a run lets others look at it
        "cross-origin-resource-policy": "same-origin",
        POLICY: f"default-src 'none'; {framers(framed)}",
    }


def page_policy(page: str, scripts: Iterable[str], framed: bool) -> str:
    """That of a page: `scripts` are those that it adds to itself later."""
    hashes = " ".join(dict.fromkeys(map(_hash, [*_INLINE.findall(page), *scripts])))
    return "; ".join(
        [
            "default-src 'none'",
            f"script-src 'self' 'unsafe-eval' {hashes}",
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data: blob:",
            "font-src 'self' data:",
            "connect-src 'self'",
            "base-uri 'self'",
            "form-action 'self'",
            framers(framed),
        ]
    )


def _hash(script: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"


class PagePolicy:
    """Gives every HTML answer of `app` its policy, and its head what `head` says for its path. It must see pages before
    they are compressed."""

    def __init__(
        self, app: ASGIApp, scripts: Iterable[str], framed: bool, head: Callable[[str], str] = lambda _: ""
    ) -> None:
        self._app, self._scripts, self._framed, self._head = app, tuple(scripts), framed, head

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        held: list[Message] = []  # a page's start and all of its parts

        async def read(message: Message) -> None:
            begins = message["type"] == "http.response.start"
            if begins and Headers(scope=message).get("content-type", "").startswith("text/html"):
                held.append(message)
            elif not held:
                await send(message)
            else:
                held.append(message)
                if not message.get("more_body", False):
                    page = b"".join(part.get("body", b"") for part in held[1:]).decode("utf-8", "replace")
                    headers = MutableHeaders(scope=held[0])
                    headers[POLICY] = page_policy(page, self._scripts, self._framed)
                    body = page.replace(_HEAD, _HEAD + self._head(scope["path"]), 1).encode()
                    if body:  # none, where only the head of the answer was asked for
                        headers["content-length"] = str(len(body))
                    await send(held[0])
                    await send({"type": "http.response.body", "body": body})
                    held.clear()

        await self._app(scope, receive, read if scope["type"] == "http" else send)
