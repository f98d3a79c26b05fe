"""The routes that the pages use. Whatever else Gradio offers is closed: uploads and files, the proxy, deep links, the
functions by their names, monitoring. What programs may ask (`tts_ui.web.programs`) is named here, too."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel

from tts_ui.web.door.bodies import (
    SESSION,
    Call,
    Cancel,
    Change,
    Halt,
    Mine,
    Order,
    Refused,
    Reset,
    SignIn,
    Swept,
    Worked,
)

#: What a route is to the door: a page, a page's stream, a call of a function that is queued or is not, one that takes
#: no query of its own, one for programs (its body is JSON and short enough; what it holds, they check), or just open.
Kind = Literal["page", "stream", "queued", "direct", "bare", "program", ""]


@dataclass(frozen=True, slots=True)
class Route:
    """`shape` is what a body must be; without one a request has none. `computes`: a model may be asked, which a server
    of samples refuses."""

    methods: tuple[str, ...]
    path: re.Pattern[str]
    kind: Kind = ""
    shape: type[BaseModel] | None = None
    computes: bool = False


def route(
    methods: str, path: str, kind: Kind = "", shape: type[BaseModel] | None = None, *, computes: bool = False
) -> Route:
    """One entry of the list; `path` is a regular expression that the whole path must match."""
    return Route(tuple(methods.split()), re.compile(path), kind, shape, computes)


def routes(pages: Iterable[str], *, strict: bool) -> list[Route]:
    """Those of an app with these pages ("" is the first). Files are opened, and sweeps started, only where nobody else
    can reach it; where others can, the owner signs in, and a visitor may be forgotten."""
    shared = [
        route("GET", r"/rte/mine"),
        route("POST", r"/rte/mine", shape=Mine),
        route("GET", r"/rte/owner"),
        route("POST", r"/rte/owner/sign-in", shape=SignIn),
        route("POST", r"/rte/owner", shape=Order),
        route("GET", r"/rte/owner/(hub|back)", "page"),  # a sign-in at the Hub: the way there, and back
    ]
    own = [
        route("POST", r"/rte/runs/file"),
        route("POST", r"/rte/scaling/(plan|start)", shape=Swept),
        route("POST", r"/rte/scaling/stop", shape=Halt),
        route("GET", r"/rte/scaling/progress"),
    ]
    return [
        *(route("GET HEAD", f"/{re.escape(page)}", "page") for page in pages),
        route("GET", r"/healthz"),  # for what keeps the server running
        route("GET", r"/rte/[\w.-]+"),  # our own scripts
        route("GET", r"/rte/runs(/choices)?"),  # what the page of runs shows
        route("POST", r"/rte/runs/change", shape=Change),
        route("GET", r"/rte/scaling(/points\.csv|/figure\.html|/guesses)?"),  # curves of sweeps, and as files
        route("GET", r"/rte/lab/solution"),  # what the lab begins with
        route("POST", r"/rte/lab/(about|score|cuts|keep)", shape=Worked, computes=True),
        route("GET", r"/rte/learn(/handout|/notes)?"),  # lessons, and what is printed of them
        *(shared if strict else own),
        route("GET", r"/export/[\w.:,-]+/[a-z0-9]+"),  # runs as files
        route("GET", r"/assets/[\w.-]+"),  # Gradio's front end
        route("GET", r"/static/js/iframeResizer\.contentWindow\.min\.js"),
        route("GET", r"/theme\.css"),
        route("GET HEAD", r"/favicon\.ico"),
        route("GET", r"/gradio_api/app_id"),  # a page whose connection broke asks whether this is still its server
        route("GET", rf"/gradio_api/heartbeat/{SESSION}"),
        route("GET", r"/gradio_api/queue/data", "stream"),
        route("POST", r"/gradio_api/queue/join", "queued", Call),
        route("POST", r"/gradio_api/run/predict", "direct", Call),
        route("POST", r"/gradio_api/cancel", shape=Cancel),
        route("POST", r"/gradio_api/reset", shape=Reset),
        *PROGRAMS,
    ]


#: What programs use: gradio_client reads how the pages are built and what their named functions take.
PROGRAMS = [
    route("GET", r"/config", "bare"),
    route("GET", r"/gradio_api/info", "bare"),
    route("GET", r"/v1/models(/[\w./:-]+)?"),
    route("POST", r"/v1/chat/completions", "program", computes=True),
    route("POST", r"/mcp", "program"),
]


def find(open_routes: Iterable[Route], method: str, path: str) -> Route:
    """The route that answers this. Raises `Refused`: 404, or 405 where another method would do."""
    there = [route for route in open_routes if route.path.fullmatch(path)]
    for route in there:
        if method in route.methods:
            return route
    raise Refused(405, "method not allowed") if there else Refused(404, "not found")
