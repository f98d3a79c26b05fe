"""How long runs are kept, where that has an end: what is older goes for good, with everything that hangs on it.

Never removed are runs that are still running, the examples, the runs of sweeps (their curves would fall apart), and
what has the tag `KEEP`; nor a run of a comparison before the others, which would be shown side by side with nothing.
A run's age counts from its last sign of life: its end, or when it was imported.
"""

from __future__ import annotations

import re
import sqlite3
import time
from collections.abc import Callable, Collection, Sequence
from datetime import UTC, datetime

from sqlalchemy import ColumnElement, Connection, Engine, and_, func, not_, or_, select
from sqlalchemy.exc import SQLAlchemyError

from engine.errors import InvalidInput
from engine.store.connect import snapshot
from engine.store.keeping import without_runs
from engine.store.records import RUN, RunRecord
from engine.store.tables import runs, tags

#: The tag that keeps a run for ever.
KEEP = "keep"
#: Runs that are removed in one transaction: nobody waits long for the database.
AT_ONCE = 25

_UNITS = {"h": 3600, "d": 24 * 3600, "w": 7 * 24 * 3600}
_LONGEST_S = 100 * 365 * 24 * 3600


def span(text: str, argument: str) -> int:
    """Seconds of a time as people write it: `12h`, `7d`, `2w`. Raises `InvalidInput(argument, ...)`."""
    found = re.fullmatch(r"\s*(\d{1,6})\s*([hdw])\s*", text, re.ASCII)
    seconds = int(found[1]) * _UNITS[found[2]] if found else 0
    if not 0 < seconds <= _LONGEST_S:
        raise InvalidInput(argument, f"{text[:40]!r} is no time; write hours, days or weeks as 12h, 7d or 2w")
    return seconds


class Clock:
    """A clock that nobody can set forward: while it runs it is never ahead of the time that has really passed, so a
    machine whose date jumps does not lose its runs. One that is set back makes runs stay longer."""

    def __init__(self, wall: Callable[[], float] = time.time, passed: Callable[[], float] = time.monotonic) -> None:
        self._wall, self._passed = wall, passed
        self._began, self._begin = wall(), passed()

    def now(self) -> float:
        """Unix seconds."""
        return min(self._wall(), self._began + self._passed() - self._begin)


def _old(before: float) -> list[ColumnElement[bool]]:
    kept = select(tags.c.run_id).where(func.lower(tags.c.tag) == KEEP)
    return [
        runs.c.created_at < datetime.fromtimestamp(before, UTC).isoformat(timespec="milliseconds"),
        runs.c.heartbeat < before,
        runs.c.status != "running",
        runs.c.origin != "example",
        runs.c.sweep_id.is_(None),
        runs.c.id.not_in(kept),
    ]


def _due(before: float, held: Collection[str]) -> list[ColumnElement[bool]]:
    return [*_old(before), or_(runs.c.comparison_id.is_(None), runs.c.comparison_id.not_in(held))]


def held(engine: Engine, before: float) -> list[str]:
    """The comparisons with a run that is old and one that stays."""
    its = runs.c.comparison_id
    stay = select(its).where(its.is_not(None), not_(and_(*_old(before))))
    with snapshot(engine) as connection:
        return list(connection.execute(select(its).where(*_old(before), its.in_(stay)).distinct()).scalars())


def expired(engine: Engine, before: float, limit: int) -> list[RunRecord]:
    """The runs that nobody keeps and that ended before this moment, oldest first."""
    due = _due(before, held(engine, before))
    with snapshot(engine) as connection:
        chosen = select(runs).where(*due).order_by(runs.c.created_at, runs.c.id).limit(limit)
        return [RUN.read(row) for row in connection.execute(chosen)]


def remove_expired(connection: Connection, before: float, held: Collection[str]) -> int:
    """Remove some of them for good, but for those of the comparisons that are `held`; returns how many."""
    chosen = select(runs.c.id).where(*_due(before, held)).order_by(runs.c.created_at).limit(AT_ONCE)
    run_ids = list(connection.execute(chosen).scalars())
    without_runs(connection, run_ids)
    return len(run_ids)


def erase(connection: Connection, run_ids: Sequence[str]) -> list[str]:
    """Remove these runs for good, but for those that are running and the examples; returns which."""
    may = (runs.c.id.in_(run_ids), runs.c.status != "running", runs.c.origin != "example")
    found = list(connection.execute(select(runs.c.id).where(*may)).scalars())
    without_runs(connection, found)
    return found


def shrink(engine: Engine) -> bool:
    """Give the room of what was removed back to the disk; False where another program uses the file."""
    if engine.dialect.name != "sqlite":
        return False
    try:
        with engine.connect() as connection:
            raw = connection.connection.driver_connection
            assert isinstance(raw, sqlite3.Connection)
            raw.execute("VACUUM")
            raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    except (SQLAlchemyError, sqlite3.OperationalError):
        return False
    return True
