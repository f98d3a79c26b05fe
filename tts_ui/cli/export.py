"""`tts-ui export`: a run, or a comparison, written to a file. The formats are in `engine.store.exporters`, the page
that works from disk in `tts_ui.web.share`."""

from __future__ import annotations

import os
import secrets
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

import typer

from engine.errors import InvalidInput
from engine.store import ComparisonRecord, Store
from engine.store.exporters import FORMATS, LABELS, render, render_labels
from engine.store.exporters.run_json import comparison

PAGE = "html"
NAMES = (*FORMATS, *LABELS, PAGE)
#: What a comparison is exported as: the others have one tree each.
_OF_COMPARISONS = ("json", PAGE)


def check(format: str, output: str, runs: int, labels: str | None) -> None:
    """Refuse what cannot be written, before a database is opened. Raises `InvalidInput`."""
    if format not in NAMES:
        raise InvalidInput("format", f"unknown format {format!r}; choose {', '.join(NAMES[:-1])} or {NAMES[-1]}")
    if labels is not None and format not in LABELS:
        raise InvalidInput("labels", f"{format} holds all labels; leave it out, or choose {', '.join(LABELS)}")
    if runs > 1 and format not in LABELS:
        raise InvalidInput("run", f"{runs} runs are written as {', '.join(LABELS)} only; export one at a time")
    if format == "png" and output == "-" and sys.stdout.isatty():
        raise InvalidInput("output", "a picture is nothing for a terminal; name a file with -o")


def labels_of(store: Store, prefixes: Sequence[str], format: str, labels: str | None) -> bytes:
    """The labels of these runs, in the order in which they are named. Raises `InvalidInput`."""
    run_ids = [store.run(prefix).id for prefix in prefixes]
    return render_labels(format, (store.read(run_id) for run_id in run_ids), labels)


def exported(store: Store, prefix: str, format: str) -> bytes:
    """The run, or else the comparison, whose id begins with `prefix`. Raises `InvalidInput`."""
    try:
        run_ids: Sequence[str] = [store.run(prefix).id]
        compared = None
    except InvalidInput as no_run:
        compared = _comparison(store, prefix, no_run)
        run_ids = compared.run_ids
    if compared and format not in _OF_COMPARISONS:
        raise InvalidInput(
            "format", f"{prefix!r} is a comparison; choose {' or '.join(_OF_COMPARISONS)}, or one of its runs"
        )
    if format == PAGE:
        from engine.domains import Domains
        from tts_ui.web.share.page import page_of

        with Domains() as domains:
            return page_of(store, run_ids, domains)
    read = [store.read(run_id) for run_id in run_ids]
    return comparison(compared, read) if compared else render(format, *read[0])


def _comparison(store: Store, prefix: str, no_run: InvalidInput) -> ComparisonRecord:
    try:
        return store.comparison(prefix)
    except InvalidInput:
        raise no_run from None


def write(content: bytes, output: str) -> None:
    """Write to a file, or to standard output for `-`."""
    if output == "-":
        typer.echo(_for_a_terminal(content) if sys.stdout.isatty() else content, nl=False)
        return
    try:
        _replace(Path(output), content)
    except OSError as error:
        raise InvalidInput("output", f"{output} cannot be written ({error.strerror}); choose another file") from error
    except ValueError as error:  # a NUL in the name
        raise InvalidInput("output", f"{output!r} is not a file name") from error


def _for_a_terminal(content: bytes) -> bytes:
    """Text with visible marks in place of what would steer the terminal. Raises `InvalidInput` for a picture."""
    from tts_ui.cli.terminal import printable

    try:
        lines = content.decode().split("\n")
    except UnicodeDecodeError:
        raise InvalidInput("output", "this is no text for a terminal; give -o FILE") from None
    return "\n".join(map(printable, lines)).encode()


def _replace(path: Path, content: bytes) -> None:
    """Write a file whole or not at all: what was there stays until the new one is complete."""
    path = path.resolve()  # a link stays one
    if path.exists() and not path.is_file():
        path.write_bytes(content)  # a terminal, a pipe: nothing to replace
        return
    new = path.with_name(f".{path.name[:100]}.{secrets.token_hex(8)}")
    try:
        with open(new, "xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        if path.exists():
            shutil.copymode(path, new)
        os.replace(new, path)
    finally:
        new.unlink(missing_ok=True)
