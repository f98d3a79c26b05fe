"""`tts-ui compare`: several strategies on one problem, side by side, and one table of what they found and spent."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from contextlib import closing

from engine.errors import TtsError
from engine.runs.host import Host
from engine.runs.question import Question
from engine.search.events import Event
from engine.search.params import RunParams
from engine.search.tree import Tree
from engine.store import ComparisonRecord, RunRecord, Store
from engine.store.document import comparison_document
from tts_ui.cli import terminal
from tts_ui.cli.errors import FAILED, OK, STOPPED
from tts_ui.cli.models import catalogue_of
from tts_ui.cli.options import SearchOptions
from tts_ui.cli.terminal_comparison import print_comparison
from tts_ui.cli.watch import Progress, crash, interruptible, problem_text, read_back, with_reference


def compare(problem: str, params: Sequence[RunParams], options: SearchOptions, *, paired: bool) -> int:
    """Run the searches, print the table, return the exit code. Mistakes raise `TtsError` before models are loaded."""
    question = Question(problem_text(problem), options.answer)
    catalogue, pair = catalogue_of(options.models)
    catalogue.scorer(pair.name, options.scorer)
    progress = Progress()
    with Store.open(options.db) as store, closing(Host(store, catalogue)) as host:
        with progress.loading(pair.name) as show:
            question = with_reference(question, host)
            catalogue.load(pair.name, options.scorer, show)
        with interruptible() as interrupted:
            comparing = host.compare(question, params, pair.name, options.scorer, paired=paired)
            progress.warn_foreign(host, question, pair.name)
            progress.watch(comparing.runs, store, interrupted)
        bugs = [bug for bug in map(crash, comparing.runs) if bug is not None]
        store.flush()
        found = [run for run in (read_back(store, running.id) for running in comparing.runs) if run is not None]
        record = store.comparison(comparing.id)
        shown_db = store.url if "://" in (options.db or "") else options.db
    _print(record, found, options.as_json, shown_db)
    if bugs:
        raise bugs[0]
    if interrupted.is_set():
        return STOPPED
    failed = [run for run, _ in found if run.status == "failed"]
    if failed:
        raise TtsError("; ".join(f"{run.strategy} failed: {run.error}" for run in failed))
    return OK if len(found) == len(comparing.runs) else FAILED


def _print(
    record: ComparisonRecord, found: Sequence[tuple[RunRecord, list[Event]]], as_json: bool, db: str | None
) -> None:
    if as_json:
        terminal.print_json(comparison_document(record, found))
        return
    where = f" --db {shlex.quote(db)}" if db else ""
    runs = [(run, Tree.from_events(events)) for run, events in found]
    print_comparison(record, runs, [f"tts-ui show {run.id}{where}" for run, _ in found])
