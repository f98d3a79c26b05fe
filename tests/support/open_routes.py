"""The door's routes as an OpenAPI description, made from its own declaration, for what reads such descriptions.

Gradio's description is closed to everybody, and would be of its routes. A route that the door opens is described as
soon as its pattern has an address here; a test holds that each has one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from tts_ui.web.door.bodies import SESSION
from tts_ui.web.door.routes import Route, routes

#: Addresses by the door's patterns, and the names that an address may have.
ADDRESSES: Mapping[str, tuple[str, ...]] = {
    r"/rte/[\w.-]+": ("/rte/{name}",),
    r"/healthz": ("/healthz",),
    r"/rte/learn(/handout|/notes)?": ("/rte/learn", "/rte/learn/handout", "/rte/learn/notes"),
    r"/rte/mine": ("/rte/mine",),
    r"/rte/owner": ("/rte/owner",),
    r"/rte/owner/sign-in": ("/rte/owner/sign-in",),
    r"/rte/owner/(hub|back)": ("/rte/owner/hub", "/rte/owner/back"),
    r"/config": ("/config",),
    r"/gradio_api/info": ("/gradio_api/info",),
    r"/v1/models(/[\w./:-]+)?": ("/v1/models", "/v1/models/{name}"),
    r"/v1/chat/completions": ("/v1/chat/completions",),
    r"/mcp": ("/mcp",),
    r"/rte/runs(/choices)?": ("/rte/runs", "/rte/runs/choices"),
    r"/rte/runs/change": ("/rte/runs/change",),
    r"/rte/runs/file": ("/rte/runs/file",),
    r"/rte/scaling(/points\.csv|/figure\.html|/guesses)?": (
        "/rte/scaling", "/rte/scaling/points.csv", "/rte/scaling/figure.html", "/rte/scaling/guesses",
    ),
    r"/rte/scaling/(plan|start)": ("/rte/scaling/plan", "/rte/scaling/start"),
    r"/rte/scaling/stop": ("/rte/scaling/stop",),
    r"/rte/scaling/progress": ("/rte/scaling/progress",),
    r"/rte/lab/solution": ("/rte/lab/solution",),
    r"/rte/lab/(about|score|cuts|keep)": ("/rte/lab/about", "/rte/lab/score", "/rte/lab/cuts", "/rte/lab/keep"),
    r"/export/[\w.:,-]+/[a-z0-9]+": ("/export/{runs}/{format}",),
    r"/assets/[\w.-]+": ("/assets/{name}",),
    r"/static/js/iframeResizer\.contentWindow\.min\.js": ("/static/js/iframeResizer.contentWindow.min.js",),
    r"/theme\.css": ("/theme.css",),
    r"/favicon\.ico": ("/favicon.ico",),
    r"/gradio_api/app_id": ("/gradio_api/app_id",),
    r"/gradio_api/queue/join": ("/gradio_api/queue/join",),
    r"/gradio_api/run/predict": ("/gradio_api/run/predict",),
    r"/gradio_api/cancel": ("/gradio_api/cancel",),
    r"/gradio_api/reset": ("/gradio_api/reset",),
}  # fmt: skip
#: Streams, which go on for as long as the page is there; what asks them must leave.
STREAMS = (rf"/gradio_api/heartbeat/{SESSION}", r"/gradio_api/queue/data")
#: What an address says after its question mark, of any page and table.
QUERY = (
    "run", "runs", "like", "node", "judges", "q", "tag", "status", "strategy", "models", "judge", "order", "page",
    "after", "limit", "sweep", "tab", "lesson", "class", "labels",
    "name", "metric", "x", "y", "set", "within", "against",
)  # fmt: skip
PAGES = ("", "compare", "scaling", "runs", "lab", "learn", "limits", "owner")


def addresses(route: Route) -> tuple[str, ...]:
    """Raises `KeyError` for a route that has none here yet."""
    pattern = route.path.pattern
    plain = pattern.replace("\\", "")
    return ADDRESSES.get(pattern) or ((plain,) if route.kind == "page" else ADDRESSES[pattern])


def described(*, strict: bool, pages: Iterable[str] = PAGES) -> dict[str, Any]:
    """OpenAPI 3.1 of all that the door lets through, but for streams."""
    paths: dict[str, dict[str, Any]] = {}
    for route in routes(pages, strict=strict):
        if route.path.pattern in STREAMS:
            continue
        for address in addresses(route):
            for method in route.methods:
                paths.setdefault(address, {})[method.lower()] = _operation(route, address)
    return {"openapi": "3.1.0", "info": {"title": "Reasoning Tree Explorer", "version": "1"}, "paths": paths}


def _operation(route: Route, address: str) -> dict[str, Any]:
    text = {"type": "string"}
    query = [{"name": name, "in": "query", "schema": text} for name in QUERY] if "GET" in route.methods else []
    path = [
        {"name": name, "in": "path", "required": True, "schema": text} for name in re.findall(r"\{(\w+)\}", address)
    ]
    operation: dict[str, Any] = {"parameters": path + query, "responses": {"default": {"description": "an answer"}}}
    if route.shape:
        schema = route.shape.model_json_schema(ref_template="#/components/schemas/{model}")
        operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": _inlined(schema)}}}
    elif route.kind == "program":
        operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": {"type": "object"}}}}
    return operation


def _inlined(schema: dict[str, Any]) -> Any:
    """The schema with what it refers to in its place."""
    known = schema.pop("$defs", {})

    def inline(part: Any) -> Any:
        if isinstance(part, dict):
            name = str(part.get("$ref", "")).rpartition("/")[2]
            return inline(known[name]) if name else {key: inline(value) for key, value in part.items()}
        return [inline(each) for each in part] if isinstance(part, list) else part

    return inline(schema)
