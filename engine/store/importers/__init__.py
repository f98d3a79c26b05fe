"""Files of other tools, and of our own, read into the store: one module a format, recognised by content.

Importing goes in two steps. First every record is turned into a run and checked, and the finished rows are put aside in
a temporary file; then all of them are written in one transaction. So a fault in the last record leaves nothing behind,
a file of any size is never in memory as a whole, and the database is locked for the writing only. Ids are derived from
what the file says: importing it again changes nothing.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

from engine.errors import InvalidInput
from engine.search.events import Event
from engine.store.checked import checked
from engine.store.ids import ALPHABET, new_run_id
from engine.store.importers import (
    database,
    documents,
    mcts_reasoning,
    openr,
    plain,
    prm800k,
    processbench,
    search_and_learn,
    thinkbooster,
    treequest,
)
from engine.store.importers.completions import MISPLACED
from engine.store.importers.conversion import Origin, Reader, Ready, drafted_run, ready_run
from engine.store.importers.draft import Draft
from engine.store.importers.json_values import Progress, json_values
from engine.store.importers.spool import Spool
from engine.store.imports import events
from engine.store.store import Store
from engine.store.whole import WholeRun


class Format(Protocol):
    """A kind of file: its name, whether a record is of that kind, and the runs that a record holds."""

    NAME: str

    def recognises(self, record: Mapping[str, Any]) -> bool: ...

    def runs(self, record: Mapping[str, Any], place: str) -> Iterator[Draft | Ready]: ...


#: Each record is of the first format that recognises it; the last one takes any problem with solutions.
FORMATS: tuple[Format, ...] = (
    documents, treequest, thinkbooster, mcts_reasoning, openr, prm800k, processbench, search_and_learn, plain,
)  # fmt: skip

#: The share of a file's runs whose solutions seem misplaced from which all are warned of, and what is said then.
_MANY = 1 / 3
MANY_MISPLACED = "many completions in the file seem to belong to other problems than theirs"
#: Characters of an id: as many as those of our own runs have.
_ID_CHARS = 36


@dataclass(frozen=True, slots=True)
class Imported:
    """What came of a file: the runs that were added, how many were there already, what looked wrong, and its format."""

    run_ids: tuple[str, ...]
    known: int
    warnings: tuple[str, ...]
    format: str = ""


def import_file(store: Store, path: Path | str, reader: Reader, *, progress: Progress | None = None) -> Imported:
    """Add the runs of a file to the store, all or none.

    `progress` is called with how much is read and how much there is (bytes; of a database, runs). Raises
    `InvalidInput("FILE", ...)`, one line that names the place, and `StoreError` if the database refuses.
    """
    path = Path(path)
    try:
        if database.recognises(path):
            return _Import(store, path).of_database(progress)
        return _Import(store, path).of_records(reader, progress)
    except OSError as error:
        raise InvalidInput("FILE", f"{path} cannot be read ({error.strerror or error}); name another file") from error


def items(path: Path | str, progress: Progress | None = None) -> Iterator[tuple[str, Draft | Ready]]:
    """What the records of a file hold, each with its place in the file, and nothing of it stored, graded or elected.

    Raises `InvalidInput("FILE", ...)`.
    """
    path = Path(path)
    try:
        for number, (line, value) in enumerate(json_values(path, progress), 1):
            place = f"{path.name}, {_place(number, line)}"
            yield from ((place, item) for item in items_in(value, place))
    except OSError as error:
        raise InvalidInput("FILE", f"{path} cannot be read ({error.strerror or error}); name another file") from error


def items_in(value: object, place: str) -> Iterator[Draft | Ready]:
    """What one record holds. Raises `InvalidInput("FILE", ...)`."""
    format = _format_of(value, place)
    assert isinstance(value, Mapping)
    return format.runs(value, place)


def log_of(item: Draft | Ready, place: str) -> list[Event]:
    """What a record holds as the events of a run that has no id. Raises `InvalidInput("FILE", ...)`."""
    document = (
        item.document if isinstance(item, Ready) else item.document(new_run_id(), datetime.now(UTC).isoformat())[0]
    )
    try:
        return events(checked(document), "import")
    except InvalidInput as error:
        raise InvalidInput("FILE", f"{place}: {error.message}") from error


def _place(number: int, line: int) -> str:
    return f"line {line}" if line == number else f"record {number} (line {line})"


class _Import:
    """One file on its way into a store."""

    def __init__(self, store: Store, path: Path) -> None:
        self._store, self._path, self._name = store, path, path.name
        self._began = datetime.now(UTC)
        self._seen: set[str] = set()
        self._found, self._warnings = 0, list[str]()
        self._format, self._misplaced = "", 0

    def of_records(self, reader: Reader, progress: Progress | None) -> Imported:
        values = enumerate(json_values(self._path, progress), 1)
        return self.of_runs((run for number, (line, value) in values for run in self._of(value, number, line, reader)))

    def of_database(self, progress: Progress | None) -> Imported:
        return self.of_runs(database.runs(self._path, progress, self._warnings.append), database.NAME)

    def of_runs(self, whole_runs: Iterator[WholeRun | None], format: str = "") -> Imported:
        """Take in runs, each as a whole, or None for one that is known already; write them when all are there."""
        with Spool() as spool:
            for whole in whole_runs:
                self._found += 1
                if whole is not None:
                    spool.put(whole)
            if not self._found:
                raise InvalidInput("FILE", f"{self._name}: there is no run in it; name another file")
            written = self._store.record_whole(self._warned(spool))
        return Imported(tuple(written), self._found - len(written), tuple(self._warnings), format or self._format)

    def _warned(self, spool: Spool) -> Iterator[WholeRun]:
        """The runs; if the solutions of many seem misplaced, so may be those of the rest, however alike they look."""
        many = self._misplaced > _MANY * self._found
        for whole in spool:
            run = whole.rounds[0].run
            if many and run is not None and run["warning"] is None:
                run["warning"] = MANY_MISPLACED
            yield whole

    def _of(self, value: object, number: int, line: int, reader: Reader) -> Iterator[WholeRun | None]:
        place = _place(number, line)
        format = _format_of(value, f"{self._name}, {place}")
        assert isinstance(value, Mapping)
        self._format = self._format or format.NAME
        # The first record is the newest run: lists show it first.
        moment = (self._began - timedelta(microseconds=number)).isoformat(timespec="microseconds")
        origin = Origin(self._name, format.NAME, f"{self._name}, {place}", moment)
        for at, item in enumerate(format.runs(value, origin.place)):
            if isinstance(item, Ready):
                yield ready_run(item, origin)
                continue
            run_id = _run_id(format.NAME, value, at, origin.place)
            self._misplaced += MISPLACED in item.warnings
            if warning := item.warning():
                self._warnings.append(f"{place}: {warning}")
            known = run_id in self._seen or self._store.known([run_id])
            self._seen.add(run_id)
            yield None if known else drafted_run(item, run_id, origin, reader)


def _format_of(value: object, place: str) -> Format:
    if not isinstance(value, Mapping):
        raise InvalidInput("FILE", f"{place}: a record is a JSON object, and this is none; docs/importing.md has them")
    format = next((format for format in FORMATS if format.recognises(value)), None)
    if format is None:
        has = ", ".join(map(str, list(value)[:6])) or "nothing"
        raise InvalidInput("FILE", f"{place}: no format is known that has {has[:200]}; docs/importing.md lists them")
    return format


def _run_id(format: str, record: Mapping[str, Any], at: int, place: str) -> str:
    """The same for the same record, whatever the file is called and wherever in it the record stands."""
    try:
        content = json.dumps([format, at, record], sort_keys=True, separators=(",", ":"))
    except RecursionError as error:
        raise InvalidInput("FILE", f"{place}: it is nested too deeply") from error
    number = int.from_bytes(hashlib.sha256(content.encode()).digest())
    return "".join(ALPHABET[number >> (5 * digit) & 31] for digit in range(_ID_CHARS))
