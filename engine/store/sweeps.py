"""Reading and writing sweeps and what their runs came to. Each call is one snapshot of the database."""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, Engine, Row, Select, Text, cast, distinct, exists, func, literal, or_, select, update

from engine.errors import InvalidInput
from engine.store.connect import snapshot
from engine.store.shapes import clean
from engine.store.statements import saving
from engine.store.sweep_records import SWEEP, SweepRecord, SweepStatus
from engine.store.tables import outcomes, runs, sweeps

_BRIEF: list[Any] = [column for column in sweeps.c if column.name != "questions"]

#: What is read of each run that came to something, in this order; `params` follows as JSON text.
_OF_RUN = [
    runs.c[name]
    for name in (
        "problem", "policy", "policy_parameters", "scorer", "strategy", "generated_tokens", "prompt_tokens",
        "scored_tokens", "flops_paper", "flops_all", "wall_s",
    )
]  # fmt: skip


def save(connection: Connection, sweep: SweepRecord) -> None:
    changing = [name for name in SWEEP.columns if name not in ("id", "created_at")]
    saving(sweeps, connection.dialect, changing).execute(connection, [SWEEP.values(sweep)])


def note(
    connection: Connection, sweep: str, status: SweepStatus, done: int, elapsed_s: float, error: str | None
) -> None:
    noted = {"status": status, "done": done, "elapsed_s": elapsed_s, "error": clean(error), "heartbeat": time.time()}
    connection.execute(update(sweeps).where(sweeps.c.id == sweep).values(noted))


def find(engine: Engine, name: str) -> SweepRecord:
    """The sweep with this name or id, or the only one whose id begins so. Raises `InvalidInput("sweep", ...)`."""
    wanted = clean(name.strip())
    if not wanted:
        raise InvalidInput("sweep", "give a sweep's name or id")
    exact: Select[Any] = select(sweeps).where(or_(sweeps.c.id == wanted, sweeps.c.name == wanted)).limit(2)
    begins: Select[Any] = select(sweeps).where(sweeps.c.id.istartswith(wanted, autoescape=True)).limit(2)
    with snapshot(engine) as connection:
        found: Sequence[Row[Any]] = connection.execute(exact).all() or connection.execute(begins).all()
    if not found:
        raise InvalidInput("sweep", f"no sweep is called {wanted[:200]!r}; `tts-ui sweep --list` shows them")
    if len(found) > 1:
        raise InvalidInput("sweep", f"several sweeps are called {wanted[:200]!r}; give the id of one")
    return SWEEP.read(found[0])


def listed(engine: Engine) -> list[SweepRecord]:
    query: Select[Any] = select(*_BRIEF, literal(None).label("questions"))
    with snapshot(engine) as connection:
        found = connection.execute(query.order_by(sweeps.c.created_at.desc(), sweeps.c.id))
        return [replace(SWEEP.read(row), questions=()) for row in found]


def outcome_rows(
    engine: Engine, names: Collection[str] | None, rules: Collection[str] | None, policy: str | None = None
) -> Sequence[Row[*tuple[Any, ...]]]:
    """The rows of `outcomes`, oldest run first, with what the run cost and was asked (`params` as JSON text).

    `names` are ids or names of sweeps; with `rules`, only these and each run's own are given, with `policy`, only
    its runs. Deleted runs are left out.
    """
    params = cast(runs.c.params, Text).label("params")
    query = select(*outcomes.c, *_OF_RUN, params).join(runs, runs.c.id == outcomes.c.run_id)
    query = query.where(runs.c.deleted_at.is_(None)).order_by(outcomes.c.run_id, outcomes.c.rule, outcomes.c.n)
    if rules is not None:
        own = outcomes.c.rule == runs.c.params["select"].as_string()
        query = query.where(or_(outcomes.c.rule.in_(list(rules)), own))
    if policy is not None:
        query = query.where(runs.c.policy == clean(policy))
    with snapshot(engine) as connection:
        if names is not None:
            wanted = {clean(name) for name in names}
            wanted.update(connection.scalars(select(sweeps.c.id).where(sweeps.c.name.in_(wanted))))
            # Asked for by `=`, one sweep's rows come out of the index in order; `in` has them sorted.
            one = next(iter(wanted), "")
            query = query.where(outcomes.c.sweep == one if len(wanted) == 1 else outcomes.c.sweep.in_(wanted))
        return connection.execute(query).all()


def without_outcomes(engine: Engine) -> list[str]:
    """The ids of runs of sweeps that are done and graded and have no row in `outcomes`."""
    unread = (
        runs.c.sweep_id.is_not(None), runs.c.status == "done", runs.c.deleted_at.is_(None),
        runs.c.reference_answer.is_not(None), ~exists().where(outcomes.c.run_id == runs.c.id),
    )  # fmt: skip
    with snapshot(engine) as connection:
        return list(connection.execute(select(runs.c.id).where(*unread).order_by(runs.c.id)).scalars())


def unlisted(engine: Engine) -> Sequence[Row[*tuple[Any, ...]]]:
    """Sweeps that have outcomes but no row of their own: `sweep`, and of its runs the first `created_at`, how many
    `runs`, `problems` and `cells` there are."""
    counted = [func.count(distinct(column)) for column in (runs.c.id, runs.c.problem, runs.c.sweep_id)]
    named = [column.label(name) for column, name in zip(counted, ("runs", "problems", "cells"), strict=True)]
    query = select(outcomes.c.sweep, func.min(runs.c.created_at).label("created_at"), *named)
    query = query.join(runs, runs.c.id == outcomes.c.run_id).where(outcomes.c.sweep.not_in(select(sweeps.c.id)))
    with snapshot(engine) as connection:
        return connection.execute(query.group_by(outcomes.c.sweep)).all()


def done_runs(engine: Engine, cells: Collection[str]) -> dict[str, set[str]]:
    """The problems that are done under each of these cells (a run's `sweep_id`)."""
    found: dict[str, set[str]] = {cell: set() for cell in cells}
    wanted = list(found)
    with snapshot(engine) as connection:
        for first in range(0, len(wanted), 500):
            query = select(runs.c.sweep_id, runs.c.problem).where(
                runs.c.sweep_id.in_(wanted[first : first + 500]), runs.c.status == "done", runs.c.deleted_at.is_(None)
            )
            for cell, problem in connection.execute(query):
                found[cell].add(problem)
    return found


def means(engine: Engine) -> Sequence[Row[*tuple[Any, ...]]]:
    """What finished runs cost on average, by `policy`, `scorer`, `strategy` and `n` (None where there is none): how
    many `runs`, and the means of `generated_tokens`, `scored_tokens` and `flops_all`."""
    n = runs.c.params["n"].as_integer().label("n")
    by = [runs.c.policy, runs.c.scorer, runs.c.strategy, n]
    costs = [func.avg(runs.c[name]).label(name) for name in ("generated_tokens", "scored_tokens", "flops_all")]
    over = (runs.c.status == "done", runs.c.deleted_at.is_(None), runs.c.origin == "search")
    with snapshot(engine) as connection:
        return connection.execute(select(*by, func.count().label("runs"), *costs).where(*over).group_by(*by)).all()


def pace(engine: Engine, host: str) -> float | None:
    """The FLOPs a second at which sweeps were done on this host, as their runs were charged; None without any."""
    worked = select(sweeps.c.id, sweeps.c.elapsed_s).where(sweeps.c.owner_host == host, sweeps.c.elapsed_s > 0)
    with snapshot(engine) as connection:
        recent = connection.execute(worked.order_by(sweeps.c.created_at.desc()).limit(5)).all()
        of_them = select(outcomes.c.run_id).where(outcomes.c.sweep.in_([row.id for row in recent]))
        flops = connection.execute(select(func.sum(runs.c.flops_all)).where(runs.c.id.in_(of_them))).scalar()
    return flops / sum(row.elapsed_s for row in recent) if flops else None
