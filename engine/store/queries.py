"""Reading the store: runs, and the events of a run rebuilt from its rows. Each call is one snapshot of the database."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, Engine, Row, Select, Table, func, select

from engine.errors import InvalidInput
from engine.search.events import Decision, Event, StepSampled, StepScored, Usage
from engine.store import records
from engine.store.connect import snapshot
from engine.store.records import (
    COMPARISON,
    DECIDED,
    RUN,
    SAMPLED,
    SCORED,
    SCORING,
    USAGE,
    ComparisonRecord,
    RunRecord,
    ScoringRecord,
)
from engine.store.shapes import clean
from engine.store.tables import bills, comparisons, decisions, nodes, raises, runs, scores, scorings

#: Longer than any id, and short enough for a LIKE pattern.
_LONGEST_PREFIX = 200

#: Steps as they were sampled first, and as each raise of their copies left them.
_STEP = [column for column in nodes.c if column.name not in ("seq", "copies", "first_copies")]
_DRAWN = select(*_STEP, nodes.c.seq, nodes.c.first_copies.label("copies")).where(nodes.c.id > 0)
_RAISED = select(*_STEP, raises.c.seq, raises.c.copies).join(
    raises, (raises.c.run_id == nodes.c.run_id) & (raises.c.node == nodes.c.id)
)


def find_run(engine: Engine, prefix: str) -> RunRecord:
    """The run with the id `prefix`, or the only one whose id begins with it. Raises `InvalidInput("run", ...)`."""
    with snapshot(engine) as connection:
        return _find(connection, prefix)


def whole_run(engine: Engine, run_id: str) -> RunRecord:
    """The run with exactly this id. Raises `InvalidInput("run", ...)`."""
    with snapshot(engine) as connection:
        return _whole(connection, run_id)


def find_comparison(engine: Engine, prefix: str) -> ComparisonRecord:
    """As `find_run`, for comparisons. Raises `InvalidInput("comparison", ...)`."""
    with snapshot(engine) as connection:
        return COMPARISON.read(_row(connection, comparisons, prefix, "comparison"))


def comparison_of(engine: Engine, run_ids: Sequence[str]) -> ComparisonRecord | None:
    """The comparison whose runs are exactly `run_ids`, in any order."""
    of_first = select(runs.c.comparison_id).where(runs.c.id.in_([clean(run_id) for run_id in run_ids[:1]]))
    with snapshot(engine) as connection:
        row = connection.execute(select(comparisons).where(comparisons.c.id.in_(of_first))).first()
    record = None if row is None else COMPARISON.read(row)
    return record if record and sorted(record.run_ids) == sorted(run_ids) else None


def sweep_runs(engine: Engine, sweep_id: str) -> list[RunRecord]:
    query = select(runs).where(runs.c.sweep_id == clean(sweep_id), runs.c.deleted_at.is_(None)).order_by(runs.c.id)
    with snapshot(engine) as connection:
        return [RUN.read(row) for row in connection.execute(query)]


def comparison_with(engine: Engine, run_id: str) -> ComparisonRecord | None:
    its = select(runs.c.comparison_id).where(runs.c.id == clean(run_id))
    with snapshot(engine) as connection:
        row = connection.execute(select(comparisons).where(comparisons.c.id.in_(its))).first()
    return None if row is None else COMPARISON.read(row)


def known_runs(engine: Engine, run_ids: Collection[str]) -> set[str]:
    present = (runs.c.id.in_(list(run_ids)), runs.c.deleted_at.is_(None))
    with snapshot(engine) as connection:
        return set(connection.execute(select(runs.c.id).where(*present)).scalars())


def run_scorings(engine: Engine, run_id: str) -> list[ScoringRecord]:
    """What was added to a run after its end, oldest first."""
    with snapshot(engine) as connection:
        return _scorings(connection, _whole(connection, run_id).id)


def read_run(engine: Engine, run_id: str, after: int, until: int | None) -> tuple[RunRecord, list[Event]]:
    """A run and its events with seq > `after` and <= `until`, both from the same moment. `RunStarted` comes first if
    `after` is negative, `RunFinished` after the last event of a run that had ended by then, then scores added later."""
    with snapshot(engine) as connection:
        record = _whole(connection, run_id)
        if until is not None and until < last_seq(connection, record.id, decided=True):
            record = _at(connection, record, until)
        elif record.status != "running":
            record = replace(record, scorings=tuple(_scorings(connection, record.id)))
        log = _events(connection, record.id, after, until)
    started = [records.started(record)] if after < 0 else []
    decided, added = ([event for event in log if _added(event) is later] for later in (False, True))
    finished = [records.finished(record)] if record.status != "running" else []
    return record, [*started, *decided, *finished, *added]


def _added(event: StepSampled | StepScored | Decision) -> bool:
    return isinstance(event, StepScored) and event.scoring is not None


def judged_otherwise(engine: Engine, run_ids: Sequence[str]) -> set[str]:
    """Those of `run_ids` that have a score by people or rollouts."""
    found: set[str] = set()
    kinds = scores.c.kind.in_(("human", "estimated"))
    with snapshot(engine) as connection:
        for first in range(0, len(run_ids), 500):
            these = scores.c.run_id.in_(run_ids[first : first + 500])
            found.update(connection.execute(select(scores.c.run_id).where(these, kinds).distinct()).scalars())
    return found


def last_seq(connection: Connection, run_id: str, *, decided: bool = False) -> int:
    """The last seq of a run's rows; `decided`: without scores that were added later."""
    of_tables = [
        connection.execute(select(func.max(table.c.seq)).where(table.c.run_id == run_id, *but)).scalar()
        for table, but in (
            (nodes, ()), (raises, ()), (decisions, ()), (scores, (scores.c.scoring.is_(None),) if decided else ()),
        )
    ]  # fmt: skip
    return max((seq for seq in of_tables if seq is not None), default=0)


def read_bills(engine: Engine, run_id: str, after: int) -> list[tuple[int, Usage]]:
    """What a run had spent at the end of each of its rounds with a last seq > `after`: that seq, and the usage."""
    query = select(bills).where(bills.c.run_id == clean(run_id), bills.c.seq > after).order_by(bills.c.seq)
    with snapshot(engine) as connection:
        return [(row.seq, USAGE.read(row)) for row in connection.execute(query)]


def _at(connection: Connection, record: RunRecord, until: int) -> RunRecord:
    """The record of a run as it was when `until` was its last seq: still running, with the bill of that moment."""
    spent = select(bills).where(bills.c.run_id == record.id, bills.c.seq <= until).order_by(bills.c.seq.desc()).limit(1)
    bill = connection.execute(spent).first()
    return replace(
        record, status="running", stop_reason=None, answer=None, correct=None, graded_by=None, error=None, grades={},
        usage=Usage() if bill is None else USAGE.read(bill), bill_known=bill is not None,
    )  # fmt: skip


def _scorings(connection: Connection, run_id: str) -> list[ScoringRecord]:
    found = connection.execute(select(scorings).where(scorings.c.run_id == run_id).order_by(scorings.c.id))
    return [SCORING.read(row) for row in found]


def _whole(connection: Connection, run_id: str) -> RunRecord:
    row = connection.execute(select(runs).where(runs.c.id == clean(run_id))).first()
    if row is None:
        raise InvalidInput("run", f"no run has the id {run_id[:_LONGEST_PREFIX]!r}; give the whole id")
    return _present(RUN.read(row))


def _present(record: RunRecord) -> RunRecord:
    if record.deleted_at is not None:
        raise InvalidInput("run", f"the run {record.id} was deleted; the page Runs can still bring it back")
    return record


def _find(connection: Connection, prefix: str) -> RunRecord:
    return _present(RUN.read(_row(connection, runs, prefix, "run", "; `tts-ui runs` lists them")))


def _row(connection: Connection, table: Table, prefix: str, what: str, advice: str = "") -> Row[Any]:
    """The row with the id `prefix`, or the only one whose id begins with it; `what` names it in an `InvalidInput`."""
    prefix = clean(prefix.strip())
    if not prefix:
        raise InvalidInput(what, f"give a {what}'s id or the beginning of one")
    row = connection.execute(select(table).where(table.c.id == prefix)).first()
    if row is not None:
        return row
    if len(prefix) > _LONGEST_PREFIX:
        raise InvalidInput(what, f"that is too long for a {what}'s id{advice}")
    matching = table.c.id.istartswith(prefix, autoescape=True)
    found = connection.execute(select(table).where(matching).order_by(table.c.id).limit(2)).all()
    if not found:
        raise InvalidInput(what, f"no {what} id begins with {prefix!r}{advice}")
    if len(found) > 1:
        raise InvalidInput(what, f"several {what} ids begin with {prefix!r}; give more of it")
    return found[0]


def _events(
    connection: Connection, run_id: str, after: int, until: int | None
) -> list[StepSampled | StepScored | Decision]:
    def rows(query: Select[*tuple[Any, ...]], table: Table) -> Sequence[Row[Any]]:
        within = query.where(table.c.run_id == run_id, table.c.seq > after)
        return connection.execute(within if until is None else within.where(table.c.seq <= until)).all()

    log: list[StepSampled | StepScored | Decision] = [SAMPLED.read(row) for row in rows(_DRAWN, nodes)]
    log += [SAMPLED.read(row) for row in rows(_RAISED, raises)]
    log += [SCORED.read(row) for row in rows(select(scores), scores)]
    log += [DECIDED.read(row) for row in rows(select(decisions), decisions)]
    return sorted(log, key=lambda event: event.seq)
