"""`tts-ui serve` and its options."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from engine.runs.limits import Limits
from tts_ui.cli.limits import takes_limits
from tts_ui.cli.options import Db


@takes_limits
def serve(
    *,
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="The port to listen on; 0 takes a free one.")] = 7860,
    db: Db = None,
    models: Annotated[Path | None, typer.Option(metavar="FILE", help="The pairs of models to offer (TOML).")] = None,
    public: Annotated[
        bool, typer.Option("--public", help="The rules for strangers hold (see docs/serving.md).")
    ] = False,
    allow_host: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="A name under which a proxy serves it; may be repeated.")
    ] = None,
    root_path: Annotated[
        str, typer.Option(metavar="PATH", help="The path under which a proxy serves it, such as /trees.")
    ] = "",
    keep: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="Remove runs so long after their end (12h, 7d, 2w). Default: never."),
    ] = None,
    owner_token: Annotated[
        str | None,
        typer.Option(metavar="TOKEN", envvar="TTS_UI_OWNER_TOKEN", show_envvar=False,
                     help="Lets the owner in at /owner; better given as TTS_UI_OWNER_TOKEN."),
    ] = None,
    secret: Annotated[
        str | None,
        typer.Option(metavar="TEXT", envvar="TTS_UI_SECRET", show_envvar=False,
                     help="Signs visitors' cookies; better given as TTS_UI_SECRET. Default: made once, and kept."),
    ] = None,
    examples_only: Annotated[
        bool, typer.Option("--examples-only", help="Show recorded searches and compute nothing; implies --public.")
    ] = False,
    write_token: Annotated[
        str | None,
        typer.Option(metavar="TOKEN", envvar="TTS_UI_WRITE_TOKEN", show_envvar=False,
                     help="What programs show to compute or change anything through MCP, where strangers reach the "
                     "server; better given as TTS_UI_WRITE_TOKEN."),
    ] = None,
    words: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Texts in another language: a file or a folder (see docs/translating.md)."),
    ] = None,
    limits: Limits,
) -> None:  # fmt: skip
    """Start the app in a browser."""
    from tts_ui.cli.serve import check, check_token, speak

    names = allow_host or []
    check(host, port, models, names, root_path)
    check_token(write_token)
    speak(words)
    from tts_ui.cli.opening import opening

    opened = opening(
        host, db, public=public, keep=keep, secret=secret, owner_token=owner_token, examples_only=examples_only
    )
    from tts_ui.web.app import serve as serve_app

    serve_app(
        host=host, port=port, db=db, models=models, public=public, allowed=names, root_path=root_path.rstrip("/"),
        limits=limits, opening=opened, write_token=write_token or None,
    )  # fmt: skip
