"""`tts-ui runs --prune 7d`: removes old runs for good, or lists which would go."""

from __future__ import annotations

import time

import typer

from engine.errors import InvalidInput, NoDatabase
from engine.store import Store
from engine.store.document import runs_document
from engine.store.retention import span
from tts_ui.cli import terminal


def prune_runs(older: str | None, db: str | None, *, dry_run: bool, filtered: bool, as_json: bool) -> None:
    """Remove the runs that ended so long ago and that nobody keeps (see `engine.store.retention`), or list them."""
    if older is None:
        raise InvalidInput("dry_run", "it belongs to --prune; add --prune 7d")
    if filtered:
        raise InvalidInput("prune", "it takes no filters, only --dry-run; a run with the tag keep stays")
    before = time.time() - span(older, "prune")
    try:
        with Store.reading(db) as store:
            due = store.expired(before)
    except NoDatabase:
        due = []
    if as_json:
        terminal.print_json(runs_document(due))
    elif dry_run and due:
        terminal.print_runs(due)
    counted = f"{len(due):,} run{'' if len(due) == 1 else 's'}"
    if dry_run or not due:
        if not as_json:
            typer.echo(f"{counted} would go" if due else "no run is that old, or all that are stay")
        return
    with Store.open(db) as store:
        gone, small = store.prune(before), store.shrink()
    if not as_json:
        room = "the database is smaller now" if small else "the room is used for the next runs"
        typer.echo(f"{gone:,} run{'' if gone == 1 else 's'} removed; {room}")
