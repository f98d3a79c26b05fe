"""The list of runs: search, filters, order and pages, over a hundred thousand of them.

Which runs are on a page, and how many there are, is read from one index (`tables.LISTED`) unless a text is searched
for; only the rows of the page itself are read whole.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, Select, func, or_, select

from engine.errors import InvalidInput
from engine.store.beginning import begins
from engine.store.connect import snapshot
from engine.store.records import COMPARISON, RUN, ComparisonRecord, RunRecord
from engine.store.shapes import clean
from engine.store.tables import comparisons, runs, tags

_LONGEST_SEARCH = 1000

_ENDED = runs.c.status == "done"
#: How a run came out, by the word that a list is filtered by; `deleted` are those that can still be brought back.
OUTCOMES: dict[str, ColumnElement[bool]] = {
    "correct": runs.c.correct.is_(True),
    "wrong": runs.c.correct.is_(False),
    "ungraded": runs.c.correct.is_(None) & _ENDED,
    **{status: runs.c.status == status for status in ("running", "stopped", "failed", "interrupted")},
    "deleted": runs.c.deleted_at.is_not(None),
}

#: The orders of a list; runs that are equal in it come newest first.
ORDERS: dict[str, tuple[ColumnElement[Any], ...]] = {
    "newest": (runs.c.created_at.desc(), runs.c.id.desc()),
    "oldest": (runs.c.created_at, runs.c.id),
    "tokens": (runs.c.generated_tokens.desc(), runs.c.created_at.desc(), runs.c.id.desc()),
    "time": (runs.c.wall_s.desc(), runs.c.created_at.desc(), runs.c.id.desc()),
    "strategy": (runs.c.strategy, runs.c.created_at.desc(), runs.c.id.desc()),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Wanted:
    """Which runs a list shows; None asks for nothing. Raises `InvalidInput` naming the field at fault.

    Attributes:
        search: a text in problem, answer, strategy, note or tags, ignoring case.
        models, judge: the names of the policy and of the scorer; an empty judge stands for none.
        outcome: one of `OUTCOMES`; deleted runs are listed only where they are asked for.
        since, until: days (UTC), both included.
        sweep: the id of the sweep that made it.
        within: the only runs that may be seen besides the examples; None for all.
        order: one of `ORDERS`.
    """

    search: str | None = None
    strategy: str | None = None
    models: str | None = None
    judge: str | None = None
    outcome: str | None = None
    origin: str | None = None
    tag: str | None = None
    since: date | None = None
    until: date | None = None
    sweep: str | None = None
    within: Collection[str] | None = None
    order: str = "newest"

    def __post_init__(self) -> None:
        if self.outcome is not None and self.outcome not in OUTCOMES:
            raise InvalidInput("outcome", f"{self.outcome[:40]!r} is none; choose one of {', '.join(OUTCOMES)}")
        if self.order not in ORDERS:
            raise InvalidInput("sort", f"{self.order[:40]!r} is no order; choose one of {', '.join(ORDERS)}")

    @property
    def conditions(self) -> list[ColumnElement[bool]]:
        """What a row of `runs` must be."""
        equal = {"strategy": self.strategy, "policy": self.models, "origin": self.origin}
        found = [runs.c[name] == clean(value) for name, value in equal.items() if value is not None]
        if self.judge is not None:
            found.append(runs.c.scorer == clean(self.judge) if self.judge else runs.c.scorer.is_(None))
        if self.outcome != "deleted":
            found.append(runs.c.deleted_at.is_(None))
        if self.outcome is not None:
            found.append(OUTCOMES[self.outcome])
        if self.tag is not None:
            found.append(runs.c.id.in_(select(tags.c.run_id).where(tags.c.tag == clean(self.tag))))
        if self.since is not None:
            found.append(runs.c.created_at >= self.since.isoformat())
        if self.until is not None and self.until < date.max:
            found.append(runs.c.created_at < (self.until + timedelta(days=1)).isoformat())
        if self.sweep is not None:
            found.append(begins(runs.c.sweep_id, f"{clean(self.sweep)}/"))
        if self.within is not None:
            found.append(or_(runs.c.origin == "example", runs.c.id.in_(sorted(self.within))))
        if self.search:
            found.append(_holding(clean(self.search[:_LONGEST_SEARCH])))
        return found


def _holding(text: str) -> ColumnElement[bool]:
    columns = (runs.c.problem, runs.c.answer, runs.c.strategy, runs.c.note)
    tagged = select(tags.c.run_id).where(tags.c.tag.icontains(text, autoescape=True))
    return or_(*(column.icontains(text, autoescape=True) for column in columns), runs.c.id.in_(tagged))


@dataclass(frozen=True, slots=True)
class Listed:
    """A run on a list: its row, its tags, and the runs that it is compared with (itself among them), if it is."""

    record: RunRecord
    tags: tuple[str, ...]
    compared: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ListedComparison:
    """A comparison on a list, with those of its runs that are still there, in its order, and the tags of each."""

    record: ComparisonRecord
    runs: tuple[RunRecord, ...]
    tags: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Choices:
    """What there is to filter by, each in alphabetical order; an empty judge stands for runs without one."""

    strategies: tuple[str, ...]
    models: tuple[str, ...]
    judges: tuple[str, ...]
    origins: tuple[str, ...]
    tags: tuple[str, ...]


def list_runs(engine: Engine, wanted: Wanted, limit: int, offset: int) -> list[Listed]:
    """A page of the runs that are wanted, in their order."""
    with snapshot(engine) as connection:
        return _page(connection, wanted, limit, offset)


def count_runs(engine: Engine, wanted: Wanted) -> int:
    """How many runs are wanted."""
    with snapshot(engine) as connection:
        return int(connection.execute(select(func.count()).select_from(runs).where(*wanted.conditions)).scalar_one())


def list_comparisons(engine: Engine, wanted: Wanted, limit: int, offset: int) -> tuple[list[ListedComparison], int]:
    """A page of the comparisons with a run that is wanted, newest first (or oldest, if that is asked for), and how many
    there are."""
    of_runs = select(runs.c.comparison_id).where(runs.c.comparison_id.is_not(None), *wanted.conditions)
    chosen = select(comparisons).where(comparisons.c.id.in_(of_runs))
    newest = (comparisons.c.created_at.desc(), comparisons.c.id.desc())
    order = (comparisons.c.created_at, comparisons.c.id) if wanted.order == "oldest" else newest
    with snapshot(engine) as connection:
        count = connection.execute(select(func.count()).select_from(chosen.subquery())).scalar_one()
        rows = connection.execute(chosen.order_by(*order).limit(limit).offset(offset))
        found = [COMPARISON.read(row) for row in rows]
        members = _records(connection, [run_id for each in found for run_id in each.run_ids])
        tagged = tags_of(connection, list(members))
    kept = {run_id: record for run_id, record in members.items() if record.deleted_at is None}
    listed = [ListedComparison(each, tuple(kept[run] for run in each.run_ids if run in kept), tagged) for each in found]
    return listed, int(count)


def choices(engine: Engine, within: Collection[str] | None = None) -> Choices:
    """What the runs that may be seen can be filtered by."""
    seen = Wanted(within=within).conditions
    columns = (runs.c.strategy, runs.c.policy, runs.c.scorer, runs.c.origin)
    with snapshot(engine) as connection:
        kinds = connection.execute(select(*columns).where(*seen).distinct()).all()
        named = select(tags.c.tag).distinct().order_by(tags.c.tag)
        if within is not None:
            named = named.where(tags.c.run_id.in_(sorted(within)))
        tagged = connection.execute(named).scalars().all()
    strategies, models, judges, origins = (
        tuple(sorted({row[place] or "" for row in kinds})) for place in range(len(columns))
    )
    return Choices(strategies, models, judges, origins, tuple(tagged))


def tags_of(connection: Connection, run_ids: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """The tags of runs, in alphabetical order."""
    found: dict[str, tuple[str, ...]] = {}
    chosen = select(tags).where(tags.c.run_id.in_(run_ids)).order_by(tags.c.run_id, tags.c.tag)
    for row in connection.execute(chosen):
        found[row.run_id] = (*found.get(row.run_id, ()), row.tag)
    return found


def tags_together(connection: Connection, run_ids: Sequence[str]) -> dict[str, set[str]]:
    """The tags of runs and of those that were compared with them, which are kept or removed together."""
    its = select(runs.c.id, runs.c.comparison_id).where(runs.c.id.in_(run_ids), runs.c.comparison_id.is_not(None))
    comparison = {row.id: row.comparison_id for row in connection.execute(its)}
    compared = _compared(connection, set(comparison.values()))
    beside = {run_id: {run_id, *compared.get(comparison.get(run_id), ())} for run_id in run_ids}
    tagged = tags_of(connection, sorted(set().union(*beside.values())))
    return {run_id: {tag for each in among for tag in tagged.get(each, ())} for run_id, among in beside.items()}


def _compared(connection: Connection, comparison_ids: Collection[str]) -> dict[str | None, tuple[str, ...]]:
    """The runs of comparisons."""
    if not comparison_ids:
        return {}
    chosen = select(comparisons.c.id, comparisons.c.run_ids).where(comparisons.c.id.in_(comparison_ids))
    return {row.id: tuple(row.run_ids) for row in connection.execute(chosen)}


def _page(connection: Connection, wanted: Wanted, limit: int, offset: int) -> list[Listed]:
    ids = [row.id for row in connection.execute(_ids(wanted).limit(limit).offset(offset))]
    records = _records(connection, ids)
    tagged = tags_of(connection, ids)
    in_one = {record.comparison_id for record in records.values() if record.comparison_id}
    together = _compared(connection, in_one)
    return [
        Listed(records[run_id], tagged.get(run_id, ()), together.get(records[run_id].comparison_id, ()))
        for run_id in ids
    ]


def _ids(wanted: Wanted) -> Select[tuple[str]]:
    return select(runs.c.id).where(*wanted.conditions).order_by(*ORDERS[wanted.order])


def _records(connection: Connection, run_ids: Sequence[str]) -> dict[str, RunRecord]:
    """Whole rows by their ids, a few hundred at a time: a statement takes only so many values."""
    found: dict[str, RunRecord] = {}
    for first in range(0, len(run_ids), 500):
        for row in connection.execute(select(runs).where(runs.c.id.in_(run_ids[first : first + 500]))):
            found[row.id] = RUN.read(row)
    return found


def day(text: str, argument: str) -> date:
    """A day as people write it. Raises `InvalidInput(argument, ...)`."""
    try:
        return date.fromisoformat(text.strip())
    except ValueError as error:
        raise InvalidInput(argument, f"{text[:40]!r} is not a day; write it as 2026-11-30") from error
