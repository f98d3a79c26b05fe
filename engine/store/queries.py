"""Reading the store: runs, and the events of a run rebuilt from its rows. Each call is one snapshot of the database."""

from __future__ import annotations

from sqlalchemy import Connection, Engine, or_, select

from engine.errors import InvalidInput
from engine.events import Decision, Event, StepSampled, StepScored
from engine.store import rows
from engine.store.connect import snapshot
from engine.store.rows import RunRecord, clean
from engine.store.tables import decisions, nodes, runs, scores

#: Longer than any id, and short enough for a LIKE pattern.
_LONGEST_PREFIX = 200
_LONGEST_SEARCH = 1000


def find_run(engine: Engine, prefix: str) -> RunRecord:
    """The run whose id is, or alone begins with, `prefix`. Raises `InvalidInput("run", ...)`."""
    with snapshot(engine) as connection:
        return _find(connection, prefix)


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
    prefix = clean(prefix.strip())
    if not prefix:
        raise InvalidInput("run", "give a run's id or the beginning of one")
    row = connection.execute(select(runs).where(runs.c.id == prefix)).first()
    if row is not None:
        return rows.run_record(row)
    if len(prefix) > _LONGEST_PREFIX:
        raise InvalidInput("run", "no run has so long an id; `tts-ui runs` lists them")
    matching = runs.c.id.istartswith(prefix, autoescape=True)
    found = connection.execute(select(runs).where(matching).order_by(runs.c.id).limit(2)).all()
    if not found:
        raise InvalidInput("run", f"no run's id begins with {prefix!r}; `tts-ui runs` lists them")
    if len(found) > 1:
        raise InvalidInput("run", f"several runs' ids begin with {prefix!r}; give more of it")
    return rows.run_record(found[0])


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
