"""A Gradio app as an ASGI app behind the door, with a look of its own and nothing of Gradio's but its pages."""

from __future__ import annotations

import secrets
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import gradio as gr
from fastapi import FastAPI
from starlette.middleware import Middleware
from starlette.routing import Route

from tts_ui.web.door import early
from tts_ui.web.door.delivery import delivered
from tts_ui.web.door.door import Door
from tts_ui.web.door.functions import functions_of, in_one_line
from tts_ui.web.door.hosts import Hosts
from tts_ui.web.door.identity import YEAR_S, Identity
from tts_ui.web.door.owner import Owners
from tts_ui.web.door.policy import PagePolicy
from tts_ui.web.door.server import Served, serve_app
from tts_ui.web.door.signing import Signer
from tts_ui.web.door.visitors import Visitors

#: Pages that may follow a run or wait for one at a time, and events that may wait for one of these to end. Gradio gives
#: each a place, not a thread; what blocks a thread is short.
_PAGES_AT_ONCE, _PAGES_WAITING = 256, 256
#: Pages whose state Gradio remembers: copies of all components, some 0.9 MB each.
_SESSIONS = 256
#: Seconds between two looks of Gradio's queue for events; its own thousand a second take 5 % of a core.
_QUEUE_POLL_S = 0.05


@dataclass(frozen=True, slots=True)
class Look:
    """What all pages have in common: style sheets, a `script` that is a part of each, an icon, Gradio's theme; and by
    the path of a page the addresses of the scripts that it imports (`imported`)."""

    theme: Any = None
    style_sheets: Sequence[Path] = ()
    script: str = ""
    imported: Mapping[str, Sequence[str]] = field(default_factory=dict)
    icon: Path | None = None


def serve_behind_door(
    demo: gr.Blocks, visitors: Visitors, routes: Iterable[Route] = (), look: Look | None = None, *,
    host: str = "127.0.0.1", port: int = 0, allowed: Iterable[str] = (), framed: bool = False, root_path: str = "",
    secret: bytes | None = None, owners: Owners | None = None, on_close: Callable[[], object] = lambda: None,
) -> Served:  # fmt: skip
    """Serve `demo` and `routes` on `host`; returns when they answer. Port 0 stands for any that is free. A page of
    `demo` that its navigation would not show is none: it only holds functions for programs.

    Args:
        allowed: further names under which the server may be asked for.
        framed: whether the pages are shown in the frame of a Hugging Face Space.
        root_path: the path under which a proxy serves it; the proxy takes it off.
        secret: signs visitors' cookies; without one they hold until the server ends.
        owners: who may sign in as the owner; nobody, without.
        on_close: is called when the server is closed.
    """
    look = look or Look()
    demo.queue(max_size=_PAGES_WAITING, default_concurrency_limit=None)
    demo.state_session_capacity = _SESSIONS
    demo.max_threads = demo._queue.max_thread_count = _PAGES_AT_ONCE
    demo._queue.sleep_when_free = _QUEUE_POLL_S
    demo._queue.progress_update_sleep_when_free = 1.0  # no page shows Gradio's own bars of progress
    # Its own description and documentation would be routes, too; the door would refuse them.
    outer = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    policy = Middleware(
        PagePolicy, scripts=[look.script], framed=framed,
        head=lambda path: early.links(_types(demo, path), look.imported.get(path.strip("/"), ())),
    )  # fmt: skip
    warnings.filterwarnings("ignore", "SSR mode is not supported with multi-page apps")  # it is not asked for
    gr.mount_gradio_app(
        outer, demo, "/", footer_links=[], run_history=False, show_error=not visitors.strict, ssr_mode=False, pwa=False,
        enable_monitoring=False, mcp_server=False, root_path=root_path or None, theme=look.theme,
        css_paths=list(look.style_sheets),
        head=f"<script>{look.script}</script>" if look.script else None,
        favicon_path=str(look.icon) if look.icon else None,
        app_kwargs={"routes": list(routes), "middleware": [policy], "openapi_url": None},
    )  # fmt: skip
    demo.app = outer.routes[-1].app  # type: ignore[attr-defined]  # mounting leaves the queue with another one
    demo.config = demo.get_config_file()  # and was read before the look was set
    demo.preprocess_data = in_one_line(demo.preprocess_data)  # type: ignore[method-assign, assignment]
    pages = [path for path, _, shown in demo.pages if shown]
    hosts = Hosts.of(host, allowed)
    secret = secret or secrets.token_bytes(32)
    identity = Identity(Signer(secret, "visitor", YEAR_S), owners or Owners.of(secret), framed=framed)
    door = Door(
        delivered(outer), pages, functions_of(demo), hosts, visitors.streams, identity, strict=visitors.strict,
        framed=framed, samples=visitors.samples,
    )  # fmt: skip

    def close() -> None:
        demo.close(verbose=False)
        on_close()

    return serve_app(door, host, port, before_closing=close)


def _types(demo: gr.Blocks, path: str) -> set[str]:
    """Those of the components of the page at this path; none where no page of `demo` is."""
    page = demo.config["page"].get(path.strip("/"))
    there = set(page["components"]) if page else set()
    return {each["type"] for each in demo.config["components"] if each["id"] in there}
