"""`tts-ui mcp` and its options."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tts_ui.cli.options import Db


def mcp(
    *,
    db: Db = None,
    models: Annotated[Path | None, typer.Option(metavar="FILE", help="The pairs of models to offer (TOML).")] = None,
) -> None:
    """Offer the search to an agent on this machine: MCP over standard input and output."""
    from tts_ui.cli.mcp import serve

    serve(db, models)
