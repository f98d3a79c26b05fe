"""The formats of `tts-ui export`. A new one is a function here and a line in `FORMATS`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import typer

from engine.errors import InvalidInput
from engine.search.events import Event
from engine.store import RunRecord

Rendering = Callable[[RunRecord, Sequence[Event]], str]


def _json(record: RunRecord, events: Sequence[Event]) -> str:
    from engine.store.document import document
    from tts_ui.cli.terminal import json_text

    return json_text(document(record, events))


def _graphml(record: RunRecord, events: Sequence[Event]) -> str:
    from engine.search.tree import Tree
    from engine.store.graphml import graphml

    return graphml(Tree.from_events(events), record)


FORMATS: dict[str, Rendering] = {"json": _json, "graphml": _graphml}


def rendering(format: str) -> Rendering:
    if format not in FORMATS:
        raise InvalidInput("format", f"unknown format {format!r}; choose {' or '.join(FORMATS)}")
    return FORMATS[format]


def write(text: str, output: str) -> None:
    """Write `text` as UTF-8 to a file, or to standard output for `-`."""
    encoded = f"{text}\n".encode()
    if output == "-":
        typer.echo(encoded, nl=False)
        return
    try:
        Path(output).write_bytes(encoded)
    except OSError as error:
        raise InvalidInput("output", f"{output} cannot be written ({error.strerror}); choose another file") from error
    except ValueError as error:  # a NUL in the name
        raise InvalidInput("output", f"{output!r} is not a file name") from error
