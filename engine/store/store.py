"""The store: one object that records searches and reads them back.

One store per process and database; any number of threads may use it. Everything it returns was committed.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Self

from sqlalchemy import Connection, Engine, Row, select, update
from sqlalchemy.exc import SQLAlchemyError

from engine.errors import StoreError
from engine.search.events import Event, ModelInfo, RunFinished, ScoreKind, StepScored, Usage
from engine.search.tree import Tree
from engine.store import queries, scorings
from engine.store.connect import open_engine, reason, resolve, snapshot, writing
from engine.store.ids import new_run_id
from engine.store.owner import Owner
from engine.store.recorder import Recorder
from engine.store.records import OUTCOME, ComparisonRecord, RunRecord, ScoringRecord
from engine.store.shapes import clean
from engine.store.tables import runs


class Store:
    """Runs and their events in a SQLite or PostgreSQL database. Use it as a context manager, or `close` it."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._recorder = Recorder(engine)

    @classmethod
    def open(cls, url: str | None = None) -> Store:
        """Open (or create) the database: `url` (a path or SQLAlchemy URL), else `TTS_UI_DB`, else the user's own file.

        Runs of dead processes are marked `interrupted`. Raises `StoreError`, one line that says what to do.
        """
        store = cls(open_engine(resolve(url)))
        try:
            store.mark_interrupted()
        except StoreError:
            store.close()
            raise
        return store

    @property
    def url(self) -> str:
        """Where the runs are, safe to show (a password is hidden)."""
        return self._engine.url.render_as_string(hide_password=True)

    @property
    def error(self) -> str | None:
        """Why the last transaction failed, while what it held still waits to be written; None when all is well."""
        return self._recorder.error

    def record(
        self, events: Sequence[Event], usage: Usage, run_id: str, comparison: ComparisonRecord | None = None
    ) -> None:
        """Queue a round's events, the run's usage so far, and the comparison it is in; returns at once (see
        `Recorder.record`)."""
        self._recorder.record(events, usage, run_id, comparison)

    def flush(self, run_id: str | None = None) -> None:
        """Block until what was recorded so far is committed; raises `StoreError` if it cannot be (`Recorder.flush`).

        On an event loop, call it through `asyncio.to_thread`.
        """
        self._recorder.flush(run_id)

    def run(self, prefix: str) -> RunRecord:
        """The run with this id, or the only one whose id begins with it. Raises `InvalidInput("run", ...)`."""
        return queries.find_run(self._engine, prefix)

    def runs(self, search: str | None = None, limit: int = 50, offset: int = 0) -> list[RunRecord]:
        """Runs, newest first; `search` is looked for in problem, answer and strategy."""
        return queries.list_runs(self._engine, search, limit, offset)

    def sweep(self, sweep_id: str) -> list[RunRecord]:
        """The runs of one cell of a sweep, oldest first."""
        return queries.sweep_runs(self._engine, sweep_id)

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
        return queries.read_run(self._engine, run_id, after, until_seq)

    def add_scoring(
        self, run_id: str, scorer: ModelInfo, kind: ScoreKind, scores: Sequence[StepScored], usage: Usage
    ) -> ScoringRecord:
        """Add a judge's scores to a run that has ended, with what they cost; returns when they are committed.

        Their seqs follow the run's last. The run's decisions, answers, usage and status stay as
        they are. Raises `InvalidInput` if the run is still running or was decided on this judge, or a score is of
        another judge or kind, of a node that is not there, or of one that this judge has scored already.
        """
        created_at = datetime.now(UTC).isoformat(timespec="milliseconds")
        scoring = ScoringRecord(new_run_id(), self.run(run_id).id, scorer, kind, created_at, usage)
        self.save_scoring(scoring, scores)
        return scoring

    def save_scoring(self, scoring: ScoringRecord, scores: Sequence[StepScored]) -> None:
        """Add a scoring that has its id already: `add_scoring` for one that was exported."""
        self._recorder.perform(lambda connection: scorings.add(connection, scoring, scores))

    def regrade(self, run_id: str, reference: str, outcome: RunFinished) -> None:
        """Record a reference answer that came after the run's end, and the grades that follow from it (`correct`,
        `graded_by` and `grades` of `outcome`); returns when they are committed."""
        graded = OUTCOME.values(outcome)
        statement = update(runs).where(runs.c.id == run_id, runs.c.status != "running").values(
            reference_answer=clean(reference), correct=graded["correct"], graded_by=graded["graded_by"],
            grades=json.loads(graded["grades"]),
        )  # fmt: skip

        def save(connection: Connection) -> None:
            connection.execute(statement)

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
