"""The store: one object that records searches and reads them back.

One store per process and database; any number of threads may use it. Everything it returns was committed.
"""

from __future__ import annotations

import json
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from sqlalchemy import Connection, Engine, Row, delete, select, update
from sqlalchemy.exc import SQLAlchemyError

from engine.errors import StoreError
from engine.search.events import Event, ModelInfo, RunFinished, ScoreKind, StepScored, Usage
from engine.search.tree import Tree
from engine.store import keeping, labels, listing, queries, retention, scorings, started, sweeps
from engine.store.address import is_sqlite_uri, resolve
from engine.store.connect import open_engine, reason, snapshot, writing
from engine.store.ids import new_run_id
from engine.store.listing import Choices, Listed, ListedComparison, Wanted
from engine.store.owner import Owner, this_process
from engine.store.reading import open_reading
from engine.store.recorder import Recorder
from engine.store.records import OUTCOME, ComparisonRecord, RunRecord, ScoringRecord, finished
from engine.store.shapes import clean
from engine.store.sweep_records import OutcomeRecord, SweepRecord, SweepStatus
from engine.store.tables import outcomes, runs
from engine.store.whole import WholeRun


class Store:
    """Runs and their events in a SQLite or PostgreSQL database. Use it as a context manager, or `close` it."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._recorder = Recorder(engine)

    @classmethod
    def open(cls, url: str | None = None) -> Self:
        """Open (or create) the database: `url` (a path or SQLAlchemy URL), else `TTS_UI_DB`, else the user's own file.

        Runs of dead processes are marked `interrupted`; what was deleted long ago is removed. Raises `StoreError`, one
        line that says what to do.
        """
        store = cls(open_engine(resolve(url)))
        try:
            store.mark_interrupted()
            store.remove_deleted()
        except StoreError:
            store.close()
            raise
        return store

    @classmethod
    def reading(cls, url: str | None = None) -> Self:
        """As `open`, to read only: nothing is created, changed or left behind, so a read-only file or a full disk does.

        Raises `NoDatabase` where there is none, else `StoreError`.
        """
        return cls(open_reading(resolve(url)))

    @property
    def url(self) -> str:
        """Where the runs are, safe to show (a password is hidden)."""
        return self._engine.url.render_as_string(hide_password=True)

    @property
    def file(self) -> Path | None:
        """The SQLite file, where it is one."""
        url = self._engine.url
        plain = url.get_backend_name() == "sqlite" and not is_sqlite_uri(url)
        return Path(str(url.database)) if plain else None

    @property
    def error(self) -> str | None:
        """Why the last transaction failed, while what it held still waits to be written; None when all is well."""
        return self._recorder.error

    def record(
        self,
        events: Sequence[Event],
        usage: Usage,
        run_id: str,
        comparison: ComparisonRecord | None = None,
        outcomes: Sequence[OutcomeRecord] = (),
    ) -> None:
        """Queue a round's events, the run's usage so far, the comparison it is in, and (with its end) what it came to;
        returns at once (see `Recorder.record`)."""
        self._recorder.record(events, usage, run_id, comparison, outcomes)

    def record_whole(self, whole_runs: Iterable[WholeRun]) -> list[str]:
        """Record runs that are over, all or none; returns the ids of those that were not there yet, when they are
        committed. `whole_runs` is read while the transaction is open, so it should be at hand."""
        return self._recorder.save_whole(whole_runs)

    def comparison_with(self, run_id: str) -> ComparisonRecord | None:
        """The comparison that a run was made for, if any."""
        return queries.comparison_with(self._engine, run_id)

    def known(self, run_ids: Collection[str]) -> set[str]:
        """Those of `run_ids` that are recorded, and not deleted."""
        return queries.known_runs(self._engine, run_ids)

    def flush(self, run_id: str | None = None) -> None:
        """Block until what was recorded so far is committed; raises `StoreError` if it cannot be (`Recorder.flush`).

        On an event loop, call it through `asyncio.to_thread`.
        """
        self._recorder.flush(run_id)

    def run(self, prefix: str) -> RunRecord:
        """The run with this id, or the only one whose id begins with it: for people at a terminal. Raises
        `InvalidInput("run", ...)`."""
        return queries.find_run(self._engine, prefix)

    def whole_run(self, run_id: str) -> RunRecord:
        """The run with exactly this id, as everything takes it but `run`. Raises `InvalidInput("run", ...)`."""
        return queries.whole_run(self._engine, run_id)

    def runs(self, search: str | None = None, limit: int = 50, offset: int = 0, **wanted: Any) -> list[RunRecord]:
        """Runs, newest first; `search` and the rest of what is wanted as `Wanted` takes them."""
        return [each.record for each in self.listed(Wanted(search=search, **wanted), limit, offset)]

    def listed(self, wanted: Wanted, limit: int, offset: int = 0) -> list[Listed]:
        """A page of the runs that are wanted, in their order, with what is kept with them."""
        return listing.list_runs(self._engine, wanted, limit, offset)

    def count(self, wanted: Wanted | None = None) -> int:
        """How many runs are wanted; None: all of them."""
        return listing.count_runs(self._engine, wanted or Wanted())

    def comparisons(self, wanted: Wanted, limit: int, offset: int = 0) -> tuple[list[ListedComparison], int]:
        """A page of the comparisons with a run that is wanted, newest first, and how many there are."""
        return listing.list_comparisons(self._engine, wanted, limit, offset)

    def choices(self, within: Collection[str] | None = None) -> Choices:
        """What a list of runs can be filtered by; `within` as `Wanted` takes it."""
        return listing.choices(self._engine, within)

    def describe(self, run_id: str, tags: Sequence[str], note: str | None) -> None:
        """Give a run tags and a note (see `engine.store.keeping`). Raises `InvalidInput` for an unknown run."""
        self._recorder.perform(lambda connection: keeping.describe(connection, run_id, tags, note))

    def tags(self, run_id: str) -> tuple[str, ...]:
        """The tags of a run, in alphabetical order."""
        with snapshot(self._engine) as connection:
            return listing.tags_of(connection, [run_id]).get(run_id, ())

    def tags_together(self, run_ids: Sequence[str]) -> dict[str, set[str]]:
        """The tags of each of these runs and of the runs that were compared with it."""
        with snapshot(self._engine) as connection:
            return listing.tags_together(connection, run_ids)

    def delete(self, run_ids: Sequence[str]) -> list[str]:
        """Mark runs as deleted, so that only `restore` finds them; returns which. Raises `InvalidInput`, and deletes
        none, if one is running or an example."""
        return self._recorder.perform(lambda connection: keeping.mark_deleted(connection, run_ids))

    def restore(self, run_ids: Sequence[str]) -> list[str]:
        """Bring deleted runs back; returns which."""
        return self._recorder.perform(lambda connection: keeping.restore(connection, run_ids))

    def started(self, visitor: str, run_ids: Sequence[str]) -> None:
        """Keep that a visitor (a hash, see `engine.store.started`) started these runs; returns when it is committed."""
        self._recorder.perform(lambda connection: started.put(connection, visitor, run_ids))

    def starter(self, run_id: str) -> str | None:
        """The visitor who started a run (see `engine.store.started`)."""
        return started.starter(self._engine, run_id)

    def started_by(self, visitor: str, most: int) -> list[str]:
        """The newest runs that a visitor started."""
        return started.runs_of(self._engine, visitor, most)

    def started_by_nobody(self, most: int) -> list[str]:
        """The newest runs that no visitor started: those that came by the command line or from files."""
        return started.by_nobody(self._engine, most)

    def forget_visitor(self, visitor: str) -> None:
        """Forget which runs a visitor started; the runs stay."""
        self._recorder.perform(lambda connection: started.forget(connection, visitor))

    def expired(self, before: float, limit: int = 1_000_000) -> list[RunRecord]:
        """The runs that nobody keeps and that ended before this moment (Unix seconds), oldest first (see
        `engine.store.retention`)."""
        return retention.expired(self._engine, before, limit)

    def prune(self, before: float) -> int:
        """Remove those for good, a few at a time; returns how many went."""
        gone, held = 0, retention.held(self._engine, before)
        while went := self._recorder.perform(partial(retention.remove_expired, before=before, held=held)):
            gone += went
        return gone

    def erase(self, run_ids: Sequence[str]) -> list[str]:
        """Remove runs for good, a few at a time, but for those that are running and the examples; returns which."""
        gone: list[str] = []
        for first in range(0, len(run_ids), retention.AT_ONCE):
            some = run_ids[first : first + retention.AT_ONCE]
            gone += self._recorder.perform(partial(retention.erase, run_ids=some))
        return gone

    def shrink(self) -> bool:
        """Give the room of removed runs back to the disk (SQLite; PostgreSQL does so by itself): False where another
        program uses the file, and the room is used for the next runs instead."""
        return retention.shrink(self._engine)

    def sweep(self, sweep_id: str) -> list[RunRecord]:
        """The runs of one cell of a sweep, oldest first."""
        return queries.sweep_runs(self._engine, sweep_id)

    def save_sweep(self, sweep: SweepRecord) -> None:
        """Write a sweep, or what has become of it; returns when it is committed."""
        self._recorder.perform(lambda connection: sweeps.save(connection, sweep))

    def note_sweep(self, sweep: str, status: SweepStatus, done: int, elapsed_s: float, error: str | None) -> None:
        """Write down how far a sweep has come, and that its process is alive; returns when it is committed."""
        self._recorder.perform(lambda connection: sweeps.note(connection, sweep, status, done, elapsed_s, error))

    def find_sweep(self, name: str) -> SweepRecord:
        """The sweep with this name or id, or the only one whose id begins so. Raises `InvalidInput("sweep", ...)`."""
        return sweeps.find(self._engine, name)

    def sweeps(self) -> list[SweepRecord]:
        """All sweeps, newest first, without their questions."""
        return sweeps.listed(self._engine)

    def save_outcomes(self, found: Sequence[OutcomeRecord]) -> None:
        """Write what runs that are over came to; returns when it is committed."""
        self._recorder.save_outcomes(found)

    def outcomes(
        self,
        sweep_names: Collection[str] | None = None,
        rules: Collection[str] | None = None,
        policy: str | None = None,
    ) -> Sequence[Row[*tuple[Any, ...]]]:
        """What the runs of sweeps (all, or those of these ids or names) came to, with their bills: the rows that
        `engine.store.sweeps.outcome_rows` describes."""
        return sweeps.outcome_rows(self._engine, sweep_names, rules, policy)

    def done(self, cells: Collection[str]) -> dict[str, set[str]]:
        """The problems that are done under each of these cells of sweeps."""
        return sweeps.done_runs(self._engine, cells)

    def mean_costs(self) -> Sequence[Row[*tuple[Any, ...]]]:
        """What finished runs cost on average (see `engine.store.sweeps.means`)."""
        return sweeps.means(self._engine)

    def pace(self) -> float | None:
        """The FLOPs a second of the latest sweeps on this host, as their runs were charged; None without any."""
        return sweeps.pace(self._engine, this_process().host)

    def unlisted_sweeps(self) -> Sequence[Row[*tuple[Any, ...]]]:
        """Sweeps that are known by their runs only (see `engine.store.sweeps.unlisted`)."""
        return sweeps.unlisted(self._engine)

    def without_outcomes(self) -> list[str]:
        """The runs of sweeps that are done and graded, but were never read: those of older versions."""
        return sweeps.without_outcomes(self._engine)

    def comparison(self, prefix: str) -> ComparisonRecord:
        """As `run`, for comparisons. Raises `InvalidInput("comparison", ...)`."""
        return queries.find_comparison(self._engine, prefix)

    def comparison_of(self, run_ids: Sequence[str]) -> ComparisonRecord | None:
        """The comparison whose runs are exactly these, in any order; None if there is none."""
        return queries.comparison_of(self._engine, run_ids)

    def read(self, run_id: str, after: int = -1, until_seq: int | None = None) -> tuple[RunRecord, list[Event]]:
        """A run and its events of the same moment: `run` and `events` in one snapshot.

        With `until_seq`, both as they were when that was the last seq: a run that ended later is still running, and its
        usage is that of the last round until then.
        """
        record, events = queries.read_run(self._engine, run_id, after, until_seq)
        why = self._recorder.refused(record.id)
        if why and record.status == "running" and until_seq is None:  # it has ended, and nobody may write that down
            record = replace(record, status="failed", error=why)
            events.append(finished(record))
        return record, events

    def bills(self, run_id: str, after: int = -1) -> list[tuple[int, Usage]]:
        """What a run had spent at the end of each of its rounds with a last seq > `after`: that seq, and the usage.
        None for runs that came without."""
        return queries.read_bills(self._engine, run_id, after)

    def add_scoring(
        self, run_id: str, scorer: ModelInfo, kind: ScoreKind, scores: Sequence[StepScored], usage: Usage
    ) -> ScoringRecord:
        """Add a judge's scores to a run that has ended, with what they cost; returns when they are committed.

        Their seqs follow the run's last. The run's decisions, answers, usage and status stay as
        they are. Raises `InvalidInput` if the run is still running or was decided on this judge, or a score is of
        another judge or kind, of a node that is not there, or of one that this judge has scored already.
        """
        created_at = datetime.now(UTC).isoformat(timespec="milliseconds")
        scoring = ScoringRecord(new_run_id(), self.whole_run(run_id).id, scorer, kind, created_at, usage)
        self.save_scoring(scoring, scores)
        return scoring

    def save_scoring(self, scoring: ScoringRecord, scores: Sequence[StepScored]) -> None:
        """Add a scoring that has its id already: `add_scoring` for one that was exported."""
        self._recorder.perform(lambda connection: scorings.add(connection, scoring, scores))

    def label(self, run_id: str, labeller: str, ratings: Mapping[int, int | None]) -> None:
        """Keep what a person says of steps (-1, 0, 1; None takes it back), in place of what they had said (see
        `engine.store.labels`); returns when it is committed. Raises `InvalidInput`."""
        self._recorder.perform(lambda connection: labels.put(connection, run_id, labeller, ratings))

    def labelled(self, run_ids: Sequence[str]) -> set[str]:
        """Those of `run_ids` in which people or rollouts have judged a step."""
        return queries.judged_otherwise(self._engine, run_ids)

    def regrade(self, run_id: str, reference: str, outcome: RunFinished) -> None:
        """Record a reference answer that came after the run's end, and the grades that follow from it (`correct`,
        `graded_by` and `grades` of `outcome`); returns when they are committed. What was read of it under the old
        grades is forgotten."""
        graded = OUTCOME.values(outcome)
        statement = update(runs).where(runs.c.id == run_id, runs.c.status != "running").values(
            reference_answer=clean(reference), correct=graded["correct"], graded_by=graded["graded_by"],
            grades=json.loads(graded["grades"]),
        )  # fmt: skip

        def save(connection: Connection) -> None:
            connection.execute(statement)
            connection.execute(delete(outcomes).where(outcomes.c.run_id == run_id))

        self._recorder.perform(save)

    def scorings(self, run_id: str) -> list[ScoringRecord]:
        """What was added to a run after its end, oldest first."""
        return queries.run_scorings(self._engine, run_id)

    def events(self, run_id: str, after: int = -1) -> list[Event]:
        """The run's events with seq > `after`, in order. `RunStarted` leads if `after` < 0; of a run that is over there
        is `RunFinished`, whatever `after` is, and after it only scores that were added."""
        return self.read(run_id, after)[1]

    def tree(self, run_id: str) -> Tree:
        """The tree that the run has built so far."""
        return Tree.from_events(self.events(run_id))

    def mark_interrupted(self) -> list[str]:
        """Mark running runs whose process is dead as `interrupted`; returns their ids. Cheap when there are none."""
        owned = select(runs.c.id, runs.c.owner_host, runs.c.owner_pid, runs.c.owner_started, runs.c.heartbeat)
        with snapshot(self._engine) as connection:
            running = connection.execute(owned.where(runs.c.status == "running")).all()
        dead = [row for row in running if not Owner(*row[1:4]).alive(row.heartbeat)]
        if dead:
            self._interrupt(dead)
        return [row.id for row in dead]

    def remove_deleted(self) -> None:
        """Remove for good what was deleted a day ago or longer (see `engine.store.keeping`). Cheap if there is none."""
        before = time.time() - keeping.KEPT_S
        with snapshot(self._engine) as connection:
            due = keeping.due(connection, before)
        if due:
            self._recorder.perform(lambda connection: keeping.remove(connection, before))

    def _interrupt(self, dead: Sequence[Row[*tuple[Any, ...]]]) -> None:
        try:
            with writing(self._engine).begin() as connection:
                for row in dead:
                    # A heartbeat in between means that the owner is alive after all.
                    unchanged = (runs.c.id == row.id, runs.c.status == "running", runs.c.heartbeat == row.heartbeat)
                    connection.execute(update(runs).where(*unchanged).values(status="interrupted"))
        except SQLAlchemyError as error:
            raise StoreError(f"cannot write to the database: {reason(error)}") from error

    def close(self) -> None:
        """Commit what is pending and close the database. Raises `StoreError` if something could not be saved."""
        try:
            self._recorder.close()
        finally:
            self._engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: TracebackType | None) -> None:
        self.close()
