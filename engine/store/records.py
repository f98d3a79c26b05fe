"""What the store gives back, one row of a table each, and how runs, comparisons, scorings and events become rows."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

from sqlalchemy import Row

from engine.search.events import (
    STORE_ONLY,
    UNRECORDED,
    Decision,
    ModelInfo,
    RunAsked,
    RunFinished,
    RunOutcome,
    RunStarted,
    ScoreKind,
    StepSampled,
    StepScored,
    Usage,
)
from engine.search.selection import AnswerGroup, answer_groups
from engine.search.tree import Tree
from engine.store.owner import Owner, this_process
from engine.store.shapes import Shape
from engine.store.version import product_version

#: The parameter in which an imported run keeps what its record says besides, as JSON.
FIELDS = "fields"


@dataclass(frozen=True, slots=True)
class ScoringRecord:
    """One row of `scorings`: scores that were added to a run after it had ended, by whom, when, and at what cost."""

    id: str
    run_id: str = field(metadata=STORE_ONLY)
    scorer: ModelInfo
    kind: ScoreKind
    created_at: str
    usage: Usage


@dataclass(frozen=True, kw_only=True)
class RunRecord(RunOutcome, RunAsked):
    """One row of `runs`: what was asked, what came of it, what it cost. `grades` is empty until the run ends.

    Read up to a moment before its end, a run is still running. `bill_known` is False where the usage of that moment
    was not recorded (a run of an older version, or an imported one): `usage` says nothing then. `heartbeat` is in Unix
    seconds; `scorings` are only filled in where a run is read with its events. `note` is what somebody wrote beside the
    run; `deleted_at` is when it was deleted, in Unix seconds (see `engine.store.keeping`).
    """

    usage: Usage = field(metadata=STORE_ONLY)
    product_version: str = field(metadata=STORE_ONLY)
    owner: Owner = field(metadata=STORE_ONLY)
    heartbeat: float = field(metadata=STORE_ONLY)
    note: str | None = field(default=None, metadata=STORE_ONLY)
    deleted_at: float | None = field(default=None, metadata=STORE_ONLY)
    bill_known: bool = field(default=True, metadata=UNRECORDED)
    scorings: tuple[ScoringRecord, ...] = field(default=(), metadata=UNRECORDED)

    @property
    def id(self) -> str:
        return self.run_id

    @property
    def judge(self) -> str | None:
        """The scorer that the run was decided on, whose scores are shown unless another one is asked for."""
        return self.scorer.name if self.scorer else None

    def answers(
        self, tree: Tree, rule: str | None = None, judge: str | None = None, among: Mapping[int, int] | None = None
    ) -> list[AnswerGroup]:
        """The answers of this run's `tree`, best first under the run's own rule and judge, or under others (no model
        is called); `among` says which completions vote, and with how many draws."""
        judge = judge or self.judge
        return answer_groups(
            tree,
            self.grades,
            rule or self.params.get("select", "prm_last_vote" if judge else "majority_vote"),
            judge,
            eligible_without_answer=bool(self.params.get("eligible_without_answer", False)),
            votes=str(self.params.get("votes", "draws")),
            among=among,
        )


@dataclass(frozen=True, slots=True)
class ComparisonRecord:
    """One row of `comparisons`.

    `paired`: the runs share their samples (each is charged as if it ran alone). `shared` is what was actually spent on
    all of them; `budget` the generated tokens that each might spend, None where there was no limit or not one for all.
    """

    id: str
    created_at: str
    paired: bool
    budget: int | None
    shared: Usage
    run_ids: tuple[str, ...]


class _RunShape(Shape[RunRecord]):
    """Of a run whose process has died the row still says that it is running, until somebody may write there."""

    def read(self, row: Row[Any]) -> RunRecord:
        record = super().read(row)
        dead = record.status == "running" and not record.owner.alive(record.heartbeat)
        return replace(record, status="interrupted") if dead else record


RUN = _RunShape(RunRecord, {"run_id": "id"})
OUTCOME = Shape(RunFinished)
USAGE = Shape(Usage)
SAMPLED = Shape(StepSampled, {"node": "id"})
SCORED = Shape(StepScored)
DECIDED = Shape(Decision)
COMPARISON = Shape(ComparisonRecord)
SCORING = Shape(ScoringRecord)


def begun(event: RunStarted, usage: Usage) -> RunRecord:
    """The record of a run that this process has just started."""
    asked = {each.name: getattr(event, each.name) for each in fields(RunAsked)}
    return RunRecord(
        **asked, status="running", usage=usage, product_version=product_version(), owner=this_process(),
        heartbeat=time.time(),
    )  # fmt: skip


def started(record: RunRecord) -> RunStarted:
    return RunStarted(**{each.name: getattr(record, each.name) for each in fields(RunAsked)})


def finished(record: RunRecord) -> RunFinished:
    return RunFinished(**{each.name: getattr(record, each.name) for each in fields(RunOutcome)})


def root(problem: str) -> StepSampled:
    """Node 0, the problem, as if it had been sampled; it has no parent, whatever the row says."""
    return StepSampled(0, 0, 0, 0, problem, None, 0, None, "step")
