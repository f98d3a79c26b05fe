"""The rows of `sweeps` and `outcomes`: what a sweep was asked, and what each of its runs came to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from sqlalchemy import Row

from engine.store.owner import Owner
from engine.store.shapes import Shape

#: `interrupted`: the process that ran it died.
SweepStatus = Literal["running", "done", "stopped", "failed", "interrupted"]


@dataclass(frozen=True, slots=True)
class SweepRecord:
    """One row of `sweeps`.

    The `sweep_id` of its runs begins with `id` and a slash. `configuration` is everything that was asked, as it was
    declared, and `questions` the problems themselves (each `problem`, `reference`, `domain`, `level`, `subject`, `id`),
    so that a sweep can go on although the file that they came from has changed; lists of sweeps leave them out. It has
    `cells` configurations, which are `planned` runs, of which `done` are over; `elapsed_s` is how long it has worked on
    them, all its resumptions together. `heartbeat` is in Unix seconds.
    """

    id: str
    name: str
    created_at: str
    status: SweepStatus
    problem_set: str
    problems: int
    cells: int
    planned: int
    done: int
    configuration: Mapping[str, Any]
    questions: tuple[Mapping[str, Any], ...]
    elapsed_s: float
    error: str | None
    product_version: str
    owner: Owner
    heartbeat: float


@dataclass(frozen=True, slots=True)
class OutcomeRecord:
    """One row of `outcomes`: what a run came to under one rule, at its own N or a smaller one.

    `right` (the column `accuracy`: "right" is a word of SQL) is 1 or 0 or, read from more than N draws, the share of
    all subsets of N of them that elect a right answer; `pass_any` the share that has a right one. Of the run's `drawn`
    independent draws `drawn_right` are right; a judge would have read `scored` tokens for N of them, where equal steps
    are read once. These four are None for searches. `judge_score` is the mean response
    score of its draws and `agreement` the share of them that give the most frequent answer. `level` is the problem's.
    """

    run_id: str
    rule: str
    n: int
    sweep: str
    level: str | None
    right: float
    pass_any: float | None
    drawn_right: int | None
    drawn: int | None
    scored: float | None
    judge_score: float | None
    agreement: float | None


class _SweepShape(Shape[SweepRecord]):
    """Of a sweep whose process has died the row still says that it is running."""

    def read(self, row: Row[Any]) -> SweepRecord:
        record = super().read(row)
        dead = record.status == "running" and not record.owner.alive(record.heartbeat)
        return replace(record, status="interrupted") if dead else record


SWEEP = _SweepShape(SweepRecord)
READ = Shape(OutcomeRecord, {"right": "accuracy"})
