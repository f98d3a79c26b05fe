"""Whose runs are whose on a server that strangers share.

A visitor is known by a hash of the id in the cookie of his browser: what is kept here opens nothing, and says nothing
of anybody but that some runs were started by the same browser. Of a visitor who is not known, or has been forgotten,
the hash is empty: that a stranger started the run is still known, so that a server of samples does not show it.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, Engine, insert, select, update

from engine.store.connect import snapshot
from engine.store.tables import runs
from engine.store.tables import started as table


def put(connection: Connection, visitor: str, run_ids: Sequence[str]) -> None:
    """Keep who started these runs; the first to be named stays, and runs that are gone are left out."""
    there = set(connection.execute(select(runs.c.id).where(runs.c.id.in_(run_ids))).scalars())
    taken = set(connection.execute(select(table.c.run_id).where(table.c.run_id.in_(run_ids))).scalars())
    rows = [{"run_id": run_id, "visitor": visitor} for run_id in dict.fromkeys(run_ids) if run_id in there - taken]
    if rows:
        connection.execute(insert(table), rows)


def starter(engine: Engine, run_id: str) -> str | None:
    """Who started a run; empty for a visitor who is not known, None where no visitor did."""
    with snapshot(engine) as connection:
        return connection.execute(select(table.c.visitor).where(table.c.run_id == run_id)).scalar()


def runs_of(engine: Engine, visitor: str, most: int) -> list[str]:
    """The runs that a visitor started, the newest first."""
    chosen = select(table.c.run_id).where(table.c.visitor == visitor).order_by(table.c.run_id.desc()).limit(most)
    with snapshot(engine) as connection:
        return list(connection.execute(chosen).scalars())


def forget(connection: Connection, visitor: str) -> None:
    """Forget which runs a visitor started."""
    connection.execute(update(table).where(table.c.visitor == visitor).values(visitor=""))


def by_nobody(engine: Engine, most: int) -> list[str]:
    """The newest runs that no visitor started."""
    chosen = select(runs.c.id).where(runs.c.id.not_in(select(table.c.run_id)), runs.c.deleted_at.is_(None))
    with snapshot(engine) as connection:
        return list(connection.execute(chosen.order_by(runs.c.created_at.desc()).limit(most)).scalars())
