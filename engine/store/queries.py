"""Reading the store: runs, and the events of a run rebuilt from its rows. Each call is one snapshot of the database."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Engine, Row, Table, or_, select

from engine.errors import InvalidInput
from engine.search.events import Decision, Event, StepSampled, StepScored
from engine.store import rows
from engine.store.comparison_rows import ComparisonRecord, comparison_record
from engine.store.connect import snapshot
from engine.store.rows import RunRecord, clean
from engine.store.tables import comparisons, decisions, nodes, runs, scores

#: Longer than any id, and short enough for a LIKE pattern.
_LONGEST_PREFIX = 200
_LONGEST_SEARCH = 1000


def find_run(engine: Engine, prefix: str) -> RunRecord:
    """The run whose id is, or alone begins with, `prefix`. Raises `InvalidInput("run", ...)`."""
    with snapshot(engine) as connection:
        return _find(connection, prefix)


def find_comparison(engine: Engine, prefix: str) -> ComparisonRecord:
    """The comparison whose id is, or alone begins with, `prefix`. Raises `InvalidInput("comparison", ...)`."""
    with snapshot(engine) as connection:
        return comparison_record(_row(connection, comparisons, prefix, "comparison"))


def comparison_of(engine: Engine, run_ids: Sequence[str]) -> ComparisonRecord | None:
    """The comparison whose runs are exactly `run_ids`, in whatever order."""
    of_first = select(runs.c.comparison_id).where(runs.c.id.in_([clean(run_id) for run_id in run_ids[:1]]))
    with snapshot(engine) as connection:
        row = connection.execute(select(comparisons).where(comparisons.c.id.in_(of_first))).first()
    record = None if row is None else comparison_record(row)
    return record if record and sorted(record.run_ids) == sorted(run_ids) else None


def list_runs(engine: Engine, search: str | None, limit: int, offset: int) -> list[RunRecord]:
    """Runs, newest first; `search` is looked for in problem, answer and strategy, whatever its case."""
    query = select(runs).order_by(runs.c.created_at.desc(), runs.c.id.desc()).limit(limit).offset(offset)
    if search:
        wanted = clean(search[:_LONGEST_SEARCH])
        columns = (runs.c.problem, runs.c.answer, runs.c.strategy)
        query = query.where(or_(*(column.icontains(wanted, autoescape=True) for column in columns)))
    with snapshot(engine) as connection:
        return [rows.run_record(row) for row in connection.execute(query)]


def sweep_runs(engine: Engine, sweep_id: str) -> list[RunRecord]:
    query = select(runs).where(runs.c.sweep_id == clean(sweep_id)).order_by(runs.c.id)
    with snapshot(engine) as connection:
        return [rows.run_record(row) for row in connection.execute(query)]


def read_run(engine: Engine, run_id: str, after: int) -> tuple[RunRecord, list[Event]]:
    """A run and its events with seq > `after`, both of one moment; `RunStarted` comes first if `after` is negative,
    `RunFinished` last if the run has ended."""
    with snapshot(engine) as connection:
        record = _find(connection, run_id)
        log: list[Event] = [*_events(connection, record.id, after)]
    if after < 0:
        log.insert(0, rows.started(record))
    if record.status != "running":
        log.append(rows.finished(record))
    return record, log


def _find(connection: Connection, prefix: str) -> RunRecord:
    return rows.run_record(_row(connection, runs, prefix, "run", "; `tts-ui runs` lists them"))


def _row(connection: Connection, table: Table, prefix: str, what: str, advice: str = "") -> Row[Any]:
    """The row of `table` whose id is, or alone begins with, `prefix`. Raises `InvalidInput` with `what` it is."""
    prefix = clean(prefix.strip())
    if not prefix:
        raise InvalidInput(what, f"give a {what}'s id or the beginning of one")
    row = connection.execute(select(table).where(table.c.id == prefix)).first()
    if row is not None:
        return row
    if len(prefix) > _LONGEST_PREFIX:
        raise InvalidInput(what, f"no {what} has so long an id{advice}")
    matching = table.c.id.istartswith(prefix, autoescape=True)
    found = connection.execute(select(table).where(matching).order_by(table.c.id).limit(2)).all()
    if not found:
        raise InvalidInput(what, f"no {what}'s id begins with {prefix!r}{advice}")
    if len(found) > 1:
        raise InvalidInput(what, f"several {what}s' ids begin with {prefix!r}; give more of it")
    return found[0]


def _events(connection: Connection, run_id: str, after: int) -> list[StepSampled | StepScored | Decision]:
    of_run = {
        table: connection.execute(select(table).where(table.c.run_id == run_id, seq > after)).all()
        for table, seq in ((nodes, nodes.c.revised_seq), (scores, scores.c.seq), (decisions, decisions.c.seq))
    }
    log: list[StepSampled | StepScored | Decision] = []
    log += [sampled for row in of_run[nodes] if row.id > 0 for sampled in rows.samplings(row, after)]
    log += [rows.scoring(row) for row in of_run[scores]]
    log += [rows.decision(row) for row in of_run[decisions]]
    return sorted(log, key=lambda event: event.seq)
