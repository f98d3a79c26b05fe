"""Where programs ask besides the named endpoints: an OpenAI-compatible server, and MCP where its package is there."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from tts_ui.web.programs.chat import Chat
from tts_ui.web.programs.desk import Desk

#: The page of the MCP App.
APP_PAGE = Path(__file__).parents[1] / "static" / "programs" / "app.html"


def program_routes(desk: Desk, write_token: str | None = None) -> list[Route]:
    """`write_token`: what a client of MCP must show, on a server that others can reach, to compute or to change; the
    runs that are started with it are those of whoever shows it."""
    chat = Chat(desk, write_token)
    return [
        Route("/v1/models", chat.models),
        Route("/v1/models/{model:path}", chat.model),
        Route("/v1/chat/completions", chat.complete, methods=["POST"]),
        _mcp(desk, write_token),
    ]


def _mcp(desk: Desk, write_token: str | None) -> Route:
    if find_spec("mcp") is None:
        return Route("/mcp", _without, methods=["POST"])
    from tts_ui.web.programs.mcp_http import McpHttp
    from tts_ui.web.programs.mcp_tools import McpTools

    tools = McpTools(desk, APP_PAGE.read_text(encoding="utf-8"), write_token)
    return Route("/mcp", McpHttp(tools.server()), methods=["POST"])


async def _without(_: object) -> Response:
    return PlainTextResponse("this server has no MCP; its owner can add it: pip install 'tts-ui[mcp]'", 404)
