"""Reading a run document (version 1) back into events: the way in for recorded examples and for other people's runs.

Documents come from outside, so they are checked here, once: unknown fields are ignored, an unknown format or version is
refused, and a document whose parts do not fit together is refused with one line that says where.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ValidationError

from engine.errors import InvalidInput
from engine.search.events import (
    Decision,
    Event,
    Finish,
    Grade,
    ModelInfo,
    NodeOrigin,
    RunFinished,
    RunOrigin,
    RunStarted,
    RunStatus,
    StepSampled,
    StepScored,
    Usage,
)
from engine.search.tree import Tree
from engine.store.store import Store


class _Run(BaseModel):
    id: str
    created_at: str
    problem: str
    reference_answer: str | None = None
    strategy: str
    params: dict[str, Any]
    policy: str
    scorer: str | None = None
    status: RunStatus
    stop_reason: str | None = None
    answer: str | None = None
    correct: bool | None = None
    graded_by: str | None = None
    error: str | None = None


class _Node(BaseModel):
    id: int
    parent: int | None
    depth: int
    text: str
    tokens: int
    logprob: float | None = None
    finish: Finish
    copies: int = 1
    origin: NodeOrigin = "policy"
    answer: str | None = None
    seq: int


class _Answer(BaseModel):
    answer: str | None
    correct: bool | None = None
    nodes: list[int] = []


class _Document(BaseModel):
    format: Literal["tts-ui.run"]
    version: Literal[1]
    run: _Run
    usage: Usage
    nodes: list[_Node]
    scores: list[StepScored] = []
    decisions: list[Decision] = []
    answers: list[_Answer] = []


def import_document(store: Store, document: object, origin: RunOrigin = "import") -> str:
    """Record a run document as it stands, under its own id; returns that id. Importing it again changes nothing."""
    try:
        parsed = _Document.model_validate(document)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "document"
        raise InvalidInput("FILE", f"not a run document of version 1: {where}: {first['msg'].lower()}") from error
    events = _events(parsed, origin)
    try:
        Tree.from_events(events)
    except (ValueError, IndexError) as error:
        raise InvalidInput("FILE", f"the document does not fit together ({error}); export it again") from error
    if not _known(store, parsed.run.id):
        store.record(events, parsed.usage, parsed.run.id)
        store.flush(parsed.run.id)
    return parsed.run.id


def _known(store: Store, run_id: str) -> bool:
    try:
        return store.run(run_id).id == run_id
    except InvalidInput:
        return False


def _events(document: _Document, origin: RunOrigin) -> list[Event]:
    run = document.run
    started = RunStarted(
        run.id, run.created_at, run.problem, run.reference_answer, run.strategy, run.params,
        _named(run.policy), _named(run.scorer) if run.scorer else None, origin,
    )  # fmt: skip
    steps: list[StepSampled | StepScored | Decision] = [
        StepSampled(
            node.seq, node.id, node.parent, node.depth, node.text, None, node.tokens, node.logprob, node.finish,
            node.copies, node.origin, node.answer,
        )
        for node in document.nodes
        if node.parent is not None
    ]  # fmt: skip
    steps += [*document.scores, *document.decisions]
    status: RunStatus = "interrupted" if run.status == "running" else run.status
    finished = RunFinished(
        status, run.stop_reason, run.answer, run.correct, run.graded_by, run.error, _grades(document)
    )
    return [started, *sorted(steps, key=lambda step: step.seq), finished]


def _grades(document: _Document) -> dict[str, Grade]:
    spelled = {node.id: node.answer for node in document.nodes}
    return {
        spelling: Grade(group.answer, group.correct, document.run.graded_by)
        for group in document.answers
        if group.answer is not None
        for spelling in [spelled.get(node) for node in group.nodes]
        if spelling is not None
    }


def _named(model: str) -> ModelInfo:
    """All a document says of a model is its name."""
    return ModelInfo(model, parameters=0, context_window=0)
