"""`tts-ui solve`: check everything that needs no model, search, and print what the store has of it afterwards."""

from __future__ import annotations

import shlex
from contextlib import closing

from engine.errors import StoreError, TtsError
from engine.runs.host import Host
from engine.runs.limits import Limits
from engine.runs.question import Question
from engine.search.events import Event
from engine.search.params import RunParams
from engine.search.tree import Tree
from engine.store import RunRecord
from engine.store.document import document
from tts_ui.cli import terminal
from tts_ui.cli.errors import FAILED, OK, STOPPED
from tts_ui.cli.kept import KeepingStore
from tts_ui.cli.models import catalogue_of
from tts_ui.cli.options import SearchOptions
from tts_ui.cli.watch import Progress, crash, interruptible, problem_text, with_reference


def solve(problem: str, params: RunParams, options: SearchOptions) -> int:
    """Run the search, print its result, return the exit code. Mistakes raise `TtsError` before models are loaded."""
    question = Question(problem_text(problem), options.answer)
    Limits().admitted(question, [params])
    catalogue, pair = catalogue_of(options.models)
    catalogue.scorer(pair.name, options.scorer)
    catalogue.check_rules(pair.name, [params.rule])
    progress = Progress()
    with KeepingStore.open(options.db) as store, closing(Host(store, catalogue)) as host:
        with progress.loading(pair.name) as show:
            question = with_reference(question, host)
            catalogue.load(pair.name, options.scorer, show)
        with interruptible() as interrupted:
            running = host.submit(question, params, pair.name, options.scorer)
            progress.warn_foreign(host, question, pair.name)
            progress.watch([running], store, interrupted)
        bug = crash(running)
        found, unrecorded = store.found(running)
        shown_db = store.url if "://" in (options.db or "") else options.db
        if found is not None:  # before the store is closed, which fails where it could not record everything
            _print(*found, options.as_json, None if unrecorded else f"tts-ui show {found[0].id}{where(shown_db)}")
        if unrecorded:
            raise StoreError(f"the search is not on record: {unrecorded}")
    if bug is not None:
        raise bug
    if interrupted.is_set():
        return STOPPED
    if found is not None and found[0].status == "failed":
        raise TtsError(found[0].error or "the search failed")
    return OK if found is not None else FAILED


def where(db: str | None) -> str:
    """The option that names the database again, for a command to copy."""
    return f" --db {shlex.quote(db)}" if db else ""


def _print(record: RunRecord, events: list[Event], as_json: bool, look_again: str | None) -> None:
    if as_json:
        terminal.print_json(document(record, events))
    else:
        terminal.print_summary(record, Tree.from_events(events), look_again)
