"""Events to table rows and back: the only place that knows both shapes.

Texts are data and are stored as they are, with one exception. NUL (which PostgreSQL cannot hold) and lone surrogates
(which UTF-8 cannot) become U+FFFD, one for one, on every database alike: refusing them would lose a whole run for one
odd token, and the token ids keep what was really drawn. Numbers that are not finite are refused: nobody scored them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from math import isfinite
from typing import Any, overload

from sqlalchemy import Row

from engine.errors import StoreError
from engine.search.events import (
    Decision,
    Grade,
    ModelInfo,
    RunFinished,
    RunOrigin,
    RunStarted,
    RunStatus,
    StepSampled,
    StepScored,
    Usage,
)
from engine.search.selection import AnswerGroup, answer_groups
from engine.search.tree import Tree
from engine.store.owner import Owner
from engine.store.statements import Values

_UNSTORABLE = re.compile(r"[\x00\ud800-\udfff]")
USAGE = tuple(field.name for field in fields(Usage))
_encode = json.JSONEncoder(allow_nan=False, separators=(",", ":")).encode
_MODEL = tuple(field.name for field in fields(ModelInfo) if field.name not in ("name", "opens_thought"))


@dataclass(frozen=True, slots=True)
class RunRecord:
    """One row of `runs`. `heartbeat` is in Unix seconds; `grades` is empty until the run ends."""

    id: str
    created_at: str
    problem: str
    reference_answer: str | None
    strategy: str
    params: Mapping[str, Any]
    policy: ModelInfo
    scorer: ModelInfo | None
    status: RunStatus
    stop_reason: str | None
    origin: RunOrigin
    parent_run: str | None
    fork_node: int | None
    answer: str | None
    correct: bool | None
    graded_by: str | None
    error: str | None
    grades: Mapping[str, Grade]
    usage: Usage
    comparison_id: str | None
    sweep_id: str | None
    product_version: str
    owner: Owner
    heartbeat: float

    def answers(self, tree: Tree, rule: str | None = None) -> list[AnswerGroup]:
        """The answers of this run's `tree`, best first under the run's own rule, or under another one (no model is
        asked)."""
        scorer = self.scorer.name if self.scorer else None
        return answer_groups(
            tree,
            self.grades,
            rule or self.params.get("select", "prm_last_vote" if scorer else "majority_vote"),
            scorer,
            eligible_without_answer=bool(self.params.get("eligible_without_answer", False)),
            votes=str(self.params.get("votes", "draws")),
        )


@overload
def clean(text: str) -> str: ...
@overload
def clean(text: None) -> None: ...
def clean(text: str | None) -> str | None:
    """`text` as every database can hold it (see the module's docstring)."""
    return text if text is None else _UNSTORABLE.sub("\ufffd", text)


def _finite(value: float, node: int) -> float:
    if not isfinite(value):
        raise StoreError(f"node {node} has the value {value}: a number that does not exist is left out, not recorded")
    return float(value)


def usage_values(usage: Usage) -> Values:
    return {name: getattr(usage, name) for name in USAGE}


def _model_values(role: str, model: ModelInfo | None) -> Values:
    values: Values = {role: clean(model.name) if model else None}
    for name in _MODEL:
        value = getattr(model, name) if model else None
        values[f"{role}_{name}"] = clean(value) if isinstance(value, str) else value
    return values


def run_values(event: RunStarted, owner: Owner, product_version: str, heartbeat: float) -> Values:
    """A new row of `runs`, without its usage."""
    return {
        "id": event.run_id,
        "created_at": event.created_at,
        "problem": clean(event.problem),
        "reference_answer": clean(event.reference_answer),
        "strategy": event.strategy,
        "params": _json(dict(event.params)),
        "status": "running",
        "origin": event.origin,
        "parent_run": event.parent_run,
        "fork_node": event.fork_node,
        "sweep_id": clean(event.sweep_id),
        "comparison_id": event.comparison_id,
        **_model_values("policy", event.policy),
        **_model_values("scorer", event.scorer),
        "product_version": product_version,
        "owner_host": owner.host,
        "owner_pid": owner.pid,
        "owner_started": owner.started,
        "heartbeat": heartbeat,
    }


def _json(content: Any) -> str:
    try:
        return _encode(content)
    except (TypeError, ValueError) as error:
        raise StoreError(f"this cannot be recorded as JSON ({error}): {content!r}") from error


def root_values(event: RunStarted) -> Values:
    """Node 0: the problem."""
    return node_values(event.run_id, StepSampled(0, 0, 0, 0, event.problem, None, 0, None, "step")) | {"parent": None}


def node_values(run_id: str, event: StepSampled) -> Values:
    return {
        "run_id": run_id,
        "id": event.node,
        "parent": event.parent,
        "depth": event.depth,
        "text": clean(event.text),
        "token_ids": None if event.token_ids is None else _json(event.token_ids),
        "tokens": event.tokens,
        "logprob": None if event.logprob is None else _finite(event.logprob, event.node),
        "finish": event.finish,
        "copies": event.copies,
        "first_copies": event.copies,
        "origin": event.origin,
        "answer": clean(event.answer),
        "seq": event.seq,
        "revised_seq": event.seq,
    }


def score_values(run_id: str, event: StepScored) -> Values:
    return {
        "run_id": run_id,
        "seq": event.seq,
        "node": event.node,
        "scorer": clean(event.scorer),
        "value": _finite(event.value, event.node),
        "kind": event.kind,
    }


def decision_values(run_id: str, event: Decision) -> Values:
    return {
        "run_id": run_id,
        "seq": event.seq,
        "node": event.node,
        "action": event.action,
        "reason": event.reason,
        "numbers": _json(dict(event.numbers)),
    }


def finish_values(event: RunFinished) -> Values:
    """The columns of `runs` that the end of a run fills."""
    grades = {
        clean(answer): {"group": clean(grade.group), "correct": grade.correct, "rule": grade.rule}
        for answer, grade in event.grades.items()
    }
    return {
        "status": event.status,
        "stop_reason": clean(event.stop_reason),
        "answer": clean(event.answer),
        "correct": event.correct,
        "graded_by": event.graded_by,
        "error": clean(event.error),
        "grades": _json(grades),
    }


def _model(role: str, row: Row[Any]) -> ModelInfo | None:
    name = getattr(row, role)
    return None if name is None else ModelInfo(name, **{key: getattr(row, f"{role}_{key}") for key in _MODEL})


def run_record(row: Row[Any]) -> RunRecord:
    """A full row of `runs`, typed."""
    policy = _model("policy", row)
    assert policy is not None  # the column is NOT NULL
    return RunRecord(
        id=row.id,
        created_at=row.created_at,
        problem=row.problem,
        reference_answer=row.reference_answer,
        strategy=row.strategy,
        params=row.params,
        policy=policy,
        scorer=_model("scorer", row),
        status=row.status,
        stop_reason=row.stop_reason,
        origin=row.origin,
        parent_run=row.parent_run,
        fork_node=row.fork_node,
        answer=row.answer,
        correct=row.correct,
        graded_by=row.graded_by,
        error=row.error,
        grades={answer: Grade(**grade) for answer, grade in (row.grades or {}).items()},
        usage=Usage(**{name: getattr(row, name) for name in USAGE}),
        comparison_id=row.comparison_id,
        sweep_id=row.sweep_id,
        product_version=row.product_version,
        owner=Owner(row.owner_host, row.owner_pid, row.owner_started),
        heartbeat=row.heartbeat,
    )


def started(record: RunRecord) -> RunStarted:
    return RunStarted(
        run_id=record.id,
        created_at=record.created_at,
        problem=record.problem,
        reference_answer=record.reference_answer,
        strategy=record.strategy,
        params=record.params,
        policy=record.policy,
        scorer=record.scorer,
        origin=record.origin,
        parent_run=record.parent_run,
        fork_node=record.fork_node,
        sweep_id=record.sweep_id,
        comparison_id=record.comparison_id,
    )


def finished(record: RunRecord) -> RunFinished:
    return RunFinished(
        status=record.status,
        stop_reason=record.stop_reason,
        answer=record.answer,
        correct=record.correct,
        graded_by=record.graded_by,
        error=record.error,
        grades=record.grades,
    )


def samplings(row: Row[Any], after: int) -> list[StepSampled]:
    """What a row of `nodes` says happened after seq `after`: the first draw, and the last raise of its copies.

    Raises in between are not kept apart: each replaced the one before.
    """
    seen = [(row.seq, row.first_copies)]
    if row.revised_seq > row.seq:
        seen.append((row.revised_seq, row.copies))
    token_ids = None if row.token_ids is None else tuple(row.token_ids)
    return [
        StepSampled(
            seq, row.id, row.parent, row.depth, row.text, token_ids, row.tokens, row.logprob, row.finish, copies,
            row.origin, row.answer,
        )
        for seq, copies in seen
        if seq > after
    ]  # fmt: skip


def scoring(row: Row[Any]) -> StepScored:
    return StepScored(row.seq, row.node, row.scorer, row.value, row.kind)


def decision(row: Row[Any]) -> Decision:
    return Decision(row.seq, row.node, row.action, row.reason, row.numbers)
