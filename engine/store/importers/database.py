"""A database of ours (SQLite): its runs are read one by one, checked like a document, and keep their ids.

Bills of every round, scorings, sweeps and comparisons come along. A file of an older version is read as a copy that is
brought up to date; the file itself is not touched.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from engine.errors import InvalidInput, StoreError
from engine.search.events import Event, RunStarted, StepScored
from engine.store.checked import checked
from engine.store.document import document
from engine.store.ids import SHOWN
from engine.store.importers.json_values import Progress
from engine.store.records import RunRecord, ScoringRecord
from engine.store.store import Store
from engine.store.whole import WholeRun

NAME = "tts-ui database"
_MAGIC = b"SQLite format 3\x00"
_PAGE = 200


def recognises(path: Path) -> bool:
    with open(path, "rb") as file:
        return file.read(len(_MAGIC)) == _MAGIC


def runs(path: Path, progress: Progress | None, warn: Callable[[str], None]) -> Iterator[WholeRun]:
    """Every run that is over; others are only warned of. Raises `InvalidInput` for a run that does not fit, or if it is
    no database of ours."""
    try:
        store = Store.reading(str(path))
    except StoreError as error:
        raise InvalidInput("FILE", f"{path.name} is no database of tts-ui ({error})") from error
    with store:
        total, done = store.count(), 0
        while page := store.runs(limit=_PAGE, offset=done):
            for record in page:
                if record.status == "running":
                    warn(f"run {record.id[:SHOWN]}: it is still running, and is left out")
                else:
                    yield _whole(store, record, path.name)
            done += len(page)
            if progress is not None:
                progress(done, total)


def _whole(store: Store, record: RunRecord, name: str) -> WholeRun:
    record, log = store.read(record.id)
    try:
        checked(document(record, log))
    except InvalidInput as error:
        raise InvalidInput("FILE", f"{name}, run {record.id[:40]}: {error.message}") from error
    first = log[0]
    assert isinstance(first, RunStarted)
    said = replace(first, origin="import", source=first.source or name, source_format=first.source_format or NAME)
    own = [event for event in log[1:] if not (isinstance(event, StepScored) and event.scoring)]
    return WholeRun.of(
        [said, *own], record.usage, bills=store.bills(record.id), comparison=store.comparison_with(record.id),
        added=_added(record, log),
    )  # fmt: skip


def _added(record: RunRecord, log: list[Event]) -> list[tuple[ScoringRecord, list[StepScored]]]:
    scores = [event for event in log if isinstance(event, StepScored) and event.scoring]
    return [(scoring, [score for score in scores if score.scoring == scoring.id]) for scoring in record.scorings]
