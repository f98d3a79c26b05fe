"""The tools through MCP (the Model Context Protocol): what a client lists, calls and reads.

`show` is an MCP App: hosts that show pages show the run as the page that one can also download, which asks no network
for anything; all others have the tree as text. On a server that others can reach, what computes or changes anything
needs the write token.
"""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

from mcp import MCPError
from mcp.server.apps import APP_MIME_TYPE, EXTENSION_ID
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel.server import Server
from mcp.types import (
    INVALID_PARAMS,
    CallToolRequestParams,
    CallToolResult,
    ListResourcesResult,
    ListResourceTemplatesResult,
    ListToolsResult,
    PaginatedRequestParams,
    ReadResourceRequestParams,
    ReadResourceResult,
    Resource,
    ResourceTemplate,
    TextContent,
    TextResourceContents,
    ToolAnnotations,
)
from mcp.types import Tool as Listed
from starlette.requests import Request

from engine.errors import InvalidInput, TtsError
from engine.store.version import product_version
from tts_ui.web.programs.caller import Caller, here, of_http, shows
from tts_ui.web.programs.desk import Desk, Document
from tts_ui.web.programs.refusals import told
from tts_ui.web.programs.spoken import spoken
from tts_ui.web.programs.tools import TOOLS, Tool
from tts_ui.web.share.page import page_of

#: The App, and where it finds the page of a run.
APP = "ui://tts-ui/run"
PAGE = "ui://tts-ui/runs/"
#: What a page may ask for: nothing.
_NOTHING: dict[str, Any] = {"csp": {"connectDomains": [], "resourceDomains": []}}
#: Pages that are made at a time: each takes a processor while it is made.
_PAGES = 2

Context = ServerRequestContext[Any, Any]


@dataclass(frozen=True)
class McpTools:
    """The tools over one desk; `app` is the page of the App, `write_token` lets a stranger's client change things."""

    desk: Desk
    app: str = field(repr=False)
    write_token: str | None = field(default=None, repr=False)
    _places: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_PAGES))

    def server(self) -> Server[Any]:
        """A server of the protocol, for any transport."""
        server: Server[Any] = Server(
            "tts-ui", version=product_version(), title="Reasoning Tree Explorer",
            instructions="Search for the answers to maths problems with a policy model and a process reward model, and "
            "look at the search tree. Give problems as a person would type them.",
            on_list_tools=self._list, on_call_tool=self._call, on_list_resources=self._resources,
            on_list_resource_templates=self._templates, on_read_resource=self._read,
        )  # fmt: skip
        server.extensions[EXTENSION_ID] = {"mimeTypes": [APP_MIME_TYPE]}
        return server

    # --- tools -------------------------------------------------------------------------------------------------------

    async def _list(self, context: Context, params: PaginatedRequestParams | None) -> ListToolsResult:
        return ListToolsResult(tools=[_listed(tool) for tool in TOOLS.values()])

    async def _call(self, context: Context, params: CallToolRequestParams) -> CallToolResult:
        tool = TOOLS.get(params.name)
        if tool is None:
            raise MCPError(INVALID_PARAMS, f"there is no tool {params.name[:40]!r}; there are {', '.join(TOOLS)}")
        try:
            caller = self._caller(context, tool)
            last: Document = {}
            async with aclosing(self.desk.do(tool.name, params.arguments or {}, caller)) as documents:
                async for last in documents:
                    await context.session.report_progress(*_progress(last))
        except TtsError as error:
            said = told(error, discreet=self.desk.visitors.strict)
            return CallToolResult(content=[TextContent(text=said)], is_error=True)
        page = {"ui": {"resourceUri": f"{PAGE}{last['run']}"}} if tool.name == "show" else None
        return CallToolResult(content=[TextContent(text=spoken(tool.name, last))], structured_content=last, _meta=page)

    def _caller(self, context: Context, tool: Tool) -> Caller:
        """Who asks. Raises `InvalidInput` where a change needs the token."""
        if not isinstance(context.request, Request):
            return here()
        if tool.changes and self.desk.visitors.strict:
            self._check(context.request)
        return of_http(context.request, self.write_token)

    def _check(self, request: Request) -> None:
        if self.write_token is None:
            raise InvalidInput(
                "authorization", "this server lets nobody compute or change anything through MCP; its owner can, with "
                "--write-token"
            )  # fmt: skip
        if not shows(request, self.write_token):
            raise InvalidInput(
                "authorization", "this tool needs the server's write token; send the header Authorization: Bearer TOKEN"
            )

    # --- resources ---------------------------------------------------------------------------------------------------

    async def _resources(self, context: Context, params: PaginatedRequestParams | None) -> ListResourcesResult:
        app = Resource(
            uri=APP, name="run", title="The tree of a run", mime_type=APP_MIME_TYPE, _meta={"ui": _NOTHING},
            description="Shows what the tool show returns.",
        )  # fmt: skip
        return ListResourcesResult(resources=[app])

    async def _templates(
        self, context: Context, params: PaginatedRequestParams | None
    ) -> ListResourceTemplatesResult:  # fmt: skip
        pages = ResourceTemplate(
            uri_template=f"{PAGE}{{run}}", name="page of a run", title="A run as a page", mime_type=APP_MIME_TYPE,
            description="The run as one page that asks no network for anything.",
        )  # fmt: skip
        return ListResourceTemplatesResult(resource_templates=[pages])

    async def _read(self, context: Context, params: ReadResourceRequestParams) -> ReadResourceResult:
        uri = str(params.uri)
        if uri == APP:
            text = self.app
        elif uri.startswith(PAGE):
            text = await self._page(uri.removeprefix(PAGE))
        else:
            raise MCPError(INVALID_PARAMS, f"there is no resource {uri[:80]!r}", {"uri": uri})
        contents = TextResourceContents(uri=uri, mime_type=APP_MIME_TYPE, text=text, _meta={"ui": _NOTHING})
        return ReadResourceResult(contents=[contents])

    async def _page(self, run: str) -> str:
        host = self.desk.host
        try:
            async with self._places:
                page = await asyncio.to_thread(page_of, host.store, [run], host.domains)
        except TtsError as error:
            said = told(error, discreet=self.desk.visitors.strict)
            raise MCPError(INVALID_PARAMS, said, {"uri": f"{PAGE}{run[:200]}"}) from None
        return page.decode()


def _listed(tool: Tool) -> Listed:
    return Listed(
        name=tool.name, title=tool.title, description=tool.about, input_schema=tool.schema(),
        annotations=ToolAnnotations(
            title=tool.title, read_only_hint=not tool.changes, destructive_hint=False, open_world_hint=False,
        ),
        _meta={"ui": {"resourceUri": APP}} if tool.name == "show" else None,
    )  # fmt: skip


def _progress(document: Document) -> tuple[float, float | None, str]:
    """Tokens generated so far, of nobody knows how many; and in words."""
    runs = document.get("runs", [document])
    tokens = sum(each.get("generated_tokens", 0) for each in runs if isinstance(each, dict))
    return float(tokens), None, document.get("waits_for") or f"{tokens} tokens generated"
