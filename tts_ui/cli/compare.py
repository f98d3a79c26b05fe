"""`tts-ui compare`: several strategies on one problem, side by side, and one table of what they found and spent."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing

from engine.errors import StoreError, TtsError
from engine.runs.host import Host
from engine.runs.limits import Limits
from engine.runs.question import Question
from engine.search.events import Event
from engine.search.params import RunParams
from engine.search.tree import Tree
from engine.store import ComparisonRecord, RunRecord
from engine.store.document import comparison_document
from tts_ui.cli import terminal
from tts_ui.cli.errors import FAILED, OK, STOPPED
from tts_ui.cli.kept import KeepingStore
from tts_ui.cli.models import catalogue_of
from tts_ui.cli.options import SearchOptions
from tts_ui.cli.solve import where
from tts_ui.cli.terminal_comparison import print_comparison
from tts_ui.cli.watch import Progress, crash, interruptible, problem_text, with_reference


def compare(problem: str, params: Sequence[RunParams], options: SearchOptions, *, paired: bool) -> int:
    """Run the searches, print the table, return the exit code. Mistakes raise `TtsError` before models are loaded."""
    question = Question(problem_text(problem), options.answer)
    Limits().admitted(question, params)
    catalogue, pair = catalogue_of(options.models)
    catalogue.scorer(pair.name, options.scorer)
    catalogue.check_rules(pair.name, [each.rule for each in params])
    progress = Progress()
    with KeepingStore.open(options.db) as store, closing(Host(store, catalogue)) as host:
        with progress.loading(pair.name) as show:
            question = with_reference(question, host)
            catalogue.load(pair.name, options.scorer, show)
        with interruptible() as interrupted:
            comparing = host.compare(question, params, pair.name, options.scorer, paired=paired)
            progress.warn_foreign(host, question, pair.name)
            progress.watch(comparing.runs, store, interrupted)
        bugs = [bug for bug in map(crash, comparing.runs) if bug is not None]
        ends = [store.found(running) for running in comparing.runs]
        found = [run for run, _ in ends if run is not None]
        unrecorded = next((why for _, why in ends if why), None)
        shown_db = store.url if "://" in (options.db or "") else options.db
        again = [] if unrecorded else [f"tts-ui show {run.id}{where(shown_db)}" for run, _ in found]
        _print(store.compared(comparing.id), found, options.as_json, again)
        if unrecorded:
            raise StoreError(f"not all of the comparison is on record: {unrecorded}")
    if bugs:
        raise bugs[0]
    if interrupted.is_set():
        return STOPPED
    failed = [run for run, _ in found if run.status == "failed"]
    if failed:
        raise TtsError("; ".join(f"{run.strategy} failed: {run.error}" for run in failed))
    return OK if len(found) == len(comparing.runs) else FAILED


def _print(
    record: ComparisonRecord, found: Sequence[tuple[RunRecord, list[Event]]], as_json: bool, look_again: Sequence[str]
) -> None:
    if as_json:
        terminal.print_json(comparison_document(record, found))
    else:
        print_comparison(record, [(run, Tree.from_events(events)) for run, events in found], look_again)
