"""The one writer of a process: a thread that takes rounds of events from a queue and commits them, transaction by
transaction.

`record` only turns events into rows and queues them, so a search never waits for a disk. What cannot be committed now
(locked, disk full, server gone) stays in memory, is tried again, and is reported. If that goes on, searches are told to
stop, once each; their ends wait with the rest. What never can be committed (a broken rule of the tables) stops the
recording of that run only, and its row says that it failed.
"""

from __future__ import annotations

import atexit
import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, bindparam, func, select, update
from sqlalchemy.exc import InterfaceError, OperationalError, SQLAlchemyError

from engine.errors import StoreError
from engine.search.events import Event, Usage
from engine.store.connect import reason, snapshot, writing
from engine.store.records import ComparisonRecord
from engine.store.rounds import Round, RoundWriter
from engine.store.sweep_records import OutcomeRecord
from engine.store.tables import nodes, runs
from engine.store.whole import WholeRun, save

#: Seconds that a round may wait for others to share its transaction.
LINGER_S = 0.09
HEARTBEAT_S = 5.0
#: Seconds between attempts when the database refuses: doubled each time, from the first to the last.
RETRY_S = (0.25, 5.0)
#: Rows that may wait in memory for a database that refuses them, before searches are told to stop.
CAPACITY = 500_000
#: Seconds that a database may refuse before searches are told to stop.
PATIENCE_S = 30.0

_log = logging.getLogger(__name__)

T = TypeVar("T")

_BEAT = (
    update(runs)
    .where(runs.c.id.in_(bindparam("of_runs", expanding=True)))
    # An owner that slept so long that another host presumed it dead takes its runs back.
    .values(heartbeat=bindparam("now"), status="running")
)
_ABANDON = (
    update(runs)
    .where(runs.c.id.in_(bindparam("of_runs", expanding=True)), runs.c.status == "running")
    .values(status="interrupted")
)


_FAIL = (
    update(runs)
    .where(runs.c.id == bindparam("of_run"), runs.c.status == "running")
    .values(status="failed", error=bindparam("why"))
)


class Recorder:
    """The queue and its thread. Every attribute is guarded by `_changed`, except those that only the writer touches."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._rounds = RoundWriter(engine.dialect)
        self._changed = threading.Condition()
        self._queue: list[Round] = []
        self._jobs: list[tuple[Callable[[Connection], Any], Future[Any]]] = []
        self._waiting_since = 0.0
        self._size = 0
        self._next_node: dict[str, int] = {}
        self._rejected: dict[str, str] = {}
        self._told: dict[str, str] = {}
        self._refusing_since: float | None = None
        self._urgent = False
        self._closing = False
        self._closed = False
        self._attempts = 0
        self._failed_attempt = 0
        self._retry_after_s = 0.0
        self.error: str | None = None
        # The writer's own: the runs whose heartbeat it keeps, and its connection.
        self._running: set[str] = set()
        self._last_beat = time.monotonic()
        self._connection: Connection | None = None
        self._thread = threading.Thread(target=self._write, name="recorder", daemon=True)
        self._thread.start()
        atexit.register(self.close)

    def record(
        self,
        events: Sequence[Event],
        usage: Usage,
        run_id: str,
        comparison: ComparisonRecord | None = None,
        outcomes: Sequence[OutcomeRecord] = (),
    ) -> None:
        """Queue `events` of one run, its usage so far, the comparison it is in, if any, and what it came to; returns at
        once.

        Events of a run arrive in the order of their `seq`. Raises `StoreError` if the run is no longer recorded, a
        number is not finite, or the database has refused too much or for too long: the run is to end then, and what is
        handed over after that (the same events and its end) is taken.
        """
        with self._changed:
            self._check(run_id)
            arrived = Round(run_id, usage, comparison, outcomes)
            next_node = arrived.fill(events, self._next_node.get(run_id), self._stored_nodes)
            if arrived.finish is not None:
                self._next_node.pop(run_id, None)
                self._urgent = True
            elif next_node is not None:
                self._next_node[run_id] = next_node
            if not self._queue:
                self._waiting_since = time.monotonic()
            self._queue.append(arrived)
            self._size += len(arrived)
            if len(self._queue) == 1 or self._urgent:
                self._changed.notify_all()

    def refused(self, run_id: str) -> str | None:
        """Why this run was told to stop, while its end cannot be committed; else None."""
        with self._changed:
            return self._told.get(run_id)

    def flush(self, run_id: str | None = None) -> None:
        """Block until what was recorded before this call (of one run, or of all) is committed.

        Raises `StoreError` if an attempt that began after this call failed (what waits is kept, and tried again), or if
        the run's recording was given up.
        """
        with self._changed:
            waiting = [due for due in self._queue if run_id in (None, due.run_id)]
            last, began = (waiting[-1] if waiting else None), self._attempts
            while last is not None and any(due is last for due in self._queue):
                if self._failed_attempt > began:
                    raise StoreError(self.error or "the database cannot be written to")
                if self._closed:
                    raise StoreError("the store is closed")
                self._urgent = True
                self._changed.notify_all()
                self._changed.wait()
            if run_id in self._rejected:
                raise StoreError(self._rejected[run_id])

    def perform(self, job: Callable[[Connection], T]) -> T:
        """Have the writer run `job` in a transaction of its own, after what was recorded before; returns what it
        returned when that is committed. Raises what `job` raises, and `StoreError` if the database refuses."""
        done: Future[T] = Future()
        with self._changed:
            if self._closing:
                raise StoreError("the store is closed")
            self._jobs.append((job, done))
            self._urgent = True
            self._changed.notify_all()
        return done.result()

    def save_whole(self, whole_runs: Iterable[WholeRun]) -> list[str]:
        """Write runs that are over in one transaction, all or none (see `engine.store.whole.save`)."""
        written: list[str] = []
        self.perform(lambda connection: written.extend(save(connection, self._rounds, whole_runs)))
        return written

    def save_outcomes(self, found: Sequence[OutcomeRecord]) -> None:
        """Write what runs that are over came to, all or none."""
        self.perform(lambda connection: self._rounds.read(connection, found))

    def close(self) -> None:
        """Commit what waits and end the thread. Raises `StoreError` if something could not be saved."""
        atexit.unregister(self.close)
        with self._changed:
            if self._closing:
                return
            self._closing = True
            self._changed.notify_all()
        self._thread.join()
        if self._queue:
            raise StoreError(f"{self._size} rows could not be saved: {self.error}")

    # -- record: events to rows

    def _check(self, run_id: str) -> None:
        if self._closing:
            raise StoreError("the store is closed")
        if run_id in self._rejected:
            raise StoreError(self._rejected[run_id])
        if self._given_up() and run_id not in self._told:
            self._told[run_id] = f"{self._size} rows wait for a database that refuses them: {self.error}"
            raise StoreError(self._told[run_id])

    def _given_up(self) -> bool:
        since = self._refusing_since
        return self._size > CAPACITY or (since is not None and time.monotonic() - since > PATIENCE_S)

    def _stored_nodes(self, run_id: str) -> int:
        """How many nodes a run has that this recorder did not begin: a finished one to which scores are added."""
        with snapshot(self._engine) as connection:
            last = connection.execute(select(func.max(nodes.c.id)).where(nodes.c.run_id == run_id)).scalar()
        if last is None:
            raise StoreError(f"run {run_id} is not recorded: its RunStarted comes first")
        return int(last) + 1

    # -- the writer's thread

    def _write(self) -> None:
        while True:
            with self._changed:
                self._await_work()
                due = list(self._queue)
                jobs, self._jobs = self._jobs, []
                stop = self._closing
                self._urgent = False
                self._attempts += 1
            if due:
                self._commit(due)
            for job, done in jobs:
                self._perform(job, done)
            self._beat()
            if stop:
                break
        self._let_go()
        if self._connection is not None:
            self._connection.close()
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _await_work(self) -> None:
        """Wait until a transaction or a heartbeat is due."""
        while not self._closing and not (self._urgent and (self._queue or self._jobs)):
            times = []
            if self._queue:
                times.append(self._waiting_since + (self._retry_after_s or LINGER_S))
            if self._running:
                times.append(self._last_beat + HEARTBEAT_S)
            wait = min(times) - time.monotonic() if times else None
            if wait is not None and wait <= 0:
                return
            self._changed.wait(wait)

    @contextmanager
    def _transaction(self) -> Iterator[Connection]:
        """A transaction on the writer's own connection, which is kept: a new one each time would double the cost."""
        if self._connection is None:
            self._connection = writing(self._engine).connect()
        try:
            with self._connection.begin():
                yield self._connection
        except BaseException:
            self._connection.close()
            self._connection = None
            raise

    def _commit(self, due: list[Round]) -> None:
        try:
            with self._transaction() as connection:
                self._rounds.save(connection, due)
        except (OperationalError, InterfaceError, StoreError) as error:
            self._failed(error)
        except Exception as error:
            run_ids = dict.fromkeys(part.run_id for part in due)
            if len(run_ids) == 1:
                self._reject(due, error)
                return
            for run_id in run_ids:
                self._commit([part for part in due if part.run_id == run_id])
        else:
            self._committed(due)

    def _perform(self, job: Callable[[Connection], Any], done: Future[Any]) -> None:
        try:
            with self._transaction() as connection:
                result = job(connection)
        except SQLAlchemyError as error:
            done.set_exception(StoreError(f"the database cannot be written to: {reason(error)}"))
        except Exception as error:
            done.set_exception(error)
        else:
            done.set_result(result)

    def _committed(self, due: list[Round]) -> None:
        for saved in due:
            if saved.run is not None:
                self._running.add(saved.run_id)
            if saved.finish is not None:
                self._running.discard(saved.run_id)
        with self._changed:
            self._forget(due)
            self.error, self._retry_after_s, self._refusing_since = None, 0.0, None
            self._told.clear()
            self._changed.notify_all()

    def _forget(self, due: list[Round]) -> None:
        gone = set(map(id, due))
        self._queue = [waiting for waiting in self._queue if id(waiting) not in gone]
        self._size -= sum(map(len, due))
        self._waiting_since = time.monotonic()

    def _failed(self, error: SQLAlchemyError | StoreError) -> None:
        with self._changed:
            self.error = f"the database cannot be written to: {reason(error)}"
            self._failed_attempt = self._attempts
            self._waiting_since = time.monotonic()
            self._refusing_since = self._refusing_since or self._waiting_since
            first, longest = RETRY_S
            self._retry_after_s = min(longest, 2 * self._retry_after_s or first)
            self._changed.notify_all()
        _log.warning("%s (%d rows wait for the next attempt)", self.error, self._size)

    def _reject(self, due: list[Round], error: Exception) -> None:
        run_id = due[0].run_id
        why = reason(error) if isinstance(error, SQLAlchemyError) else f"{type(error).__name__}: {error}"[:300]
        _log.error("run %s is no longer recorded: %s", run_id[:40], why)
        self._running.discard(run_id)
        with self._changed:
            self._rejected[run_id] = f"run {run_id} is no longer recorded: {why}"
            self._next_node.pop(run_id, None)
            self._forget(due)
            self._changed.notify_all()
        try:
            with self._transaction() as connection:
                connection.execute(_FAIL, {"of_run": run_id, "why": f"no longer recorded: {why}"})
        except (SQLAlchemyError, StoreError) as refused:
            _log.warning("run %s could not be marked failed: %s", run_id, reason(refused))

    def _beat(self) -> None:
        """Say that the runs of this process are alive; a failure shows in `error`, and the next one tries again."""
        now = time.monotonic()
        if not self._running or now < self._last_beat + HEARTBEAT_S:
            return
        self._last_beat = now
        try:
            with self._transaction() as connection:
                connection.execute(_BEAT, {"of_runs": list(self._running), "now": time.time()})
        except (SQLAlchemyError, StoreError) as error:
            _log.warning("the heartbeat could not be written: %s", reason(error))

    def _let_go(self) -> None:
        """Mark the runs that are still running as interrupted: nothing records them once the store is closed."""
        if not self._running:
            return
        try:
            with self._transaction() as connection:
                connection.execute(_ABANDON, {"of_runs": list(self._running)})
        except (SQLAlchemyError, StoreError) as error:
            _log.warning("running runs could not be marked interrupted: %s", reason(error))
