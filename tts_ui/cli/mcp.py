"""`tts-ui mcp`: the tools for an agent on this machine, over standard input and output."""

from __future__ import annotations

import os
from contextlib import closing
from importlib.util import find_spec
from pathlib import Path

from engine.errors import TtsError
from engine.models.catalogue.catalogue import CATALOGUE, Catalogue
from engine.models.loop_thread import LoopThread
from engine.runs.host import Host
from engine.store import Store


def serve(db: str | None, models: Path | None) -> None:
    """Answer until the client closes its end. Whatever is printed goes to standard error: the other is the client's.

    Raises `InvalidInput`, `StoreError` or, without the package, `TtsError` before anything is answered.
    """
    if find_spec("mcp") is None:
        raise TtsError("the package mcp is not installed; install it with: pip install 'tts-ui[mcp]'")
    from mcp.server.stdio import stdio_server

    os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")  # it is read when gradio is imported
    from tts_ui.web.door import Visitors
    from tts_ui.web.programs import Desk
    from tts_ui.web.programs.mcp_tools import McpTools
    from tts_ui.web.programs.routes import APP_PAGE

    catalogue = Catalogue(models or CATALOGUE)
    with Store.open(db) as store, closing(Host(store, catalogue)) as host:
        server = McpTools(Desk(host, Visitors()), APP_PAGE.read_text(encoding="utf-8")).server()

        async def answer() -> None:
            async with stdio_server() as (reading, writing):
                await server.run(reading, writing, server.create_initialization_options())

        # In a thread that nobody waits for: what reads a line there cannot be cancelled, and Ctrl-C would wait for one.
        LoopThread("mcp").call(answer())
