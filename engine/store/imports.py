"""Reading a run document (version 1) back into events: the way in for recorded examples and for other people's runs.

Documents come from outside, so they are checked here, once: unknown fields are ignored, an unknown format or version is
refused, and a document whose parts do not fit together is refused with one line that says where.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, Field, ValidationError

from engine.errors import InvalidInput
from engine.search.events import (
    Decision,
    Event,
    Grade,
    RunFinished,
    RunOrigin,
    RunStarted,
    StepSampled,
    StepScored,
    Usage,
)
from engine.search.tree import Tree
from engine.store.records import RUN, SAMPLED, SCORING, ScoringRecord
from engine.store.shapes import Shape
from engine.store.store import Store


def _of(shape: Shape[Any], entry: object, **more: Any) -> object:
    """A document's entry as fields of the dataclass it becomes; of a model it has only the name."""
    if not isinstance(entry, Mapping):
        return entry
    known = shape.known(entry) | more
    models = {role: known[role] for role in ("policy", "scorer") if isinstance(known.get(role), str)}
    return known | {role: {"name": name, "parameters": 0, "context_window": 0} for role, name in models.items()}


def _run(entry: object) -> object:
    return _of(RUN, entry)


def _node(entry: object) -> object:
    """None for the root, which `RunStarted` stands for."""
    at_root = isinstance(entry, Mapping) and entry.get("parent", 0) is None
    return None if at_root else _of(SAMPLED, entry, token_ids=None)


def _scoring(entry: object) -> object:
    return _of(SCORING, entry, run_id="")


class _Answer(BaseModel):
    answer: str | None
    correct: bool | None = None
    nodes: list[int] = []


class _Document(BaseModel):
    """The document's parts are the events themselves; pydantic checks their fields."""

    format: Literal["tts-ui.run"]
    version: Literal[1]
    asked: Annotated[RunStarted, BeforeValidator(_run), Field(validation_alias="run")]
    outcome: Annotated[RunFinished, BeforeValidator(_run), Field(validation_alias="run")]
    usage: Usage
    nodes: list[Annotated[StepSampled | None, BeforeValidator(_node)]]
    scores: list[StepScored] = []
    decisions: list[Decision] = []
    answers: list[_Answer] = []
    scorings: list[Annotated[ScoringRecord, BeforeValidator(_scoring)]] = []


def import_document(store: Store, document: object, origin: RunOrigin = "import") -> str:
    """Record a run document as it is, under its own id; returns that id. Importing it again changes nothing."""
    try:
        parsed = _Document.model_validate(document)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "document"
        raise InvalidInput("FILE", f"not a run document of version 1: {where}: {first['msg'].lower()}") from error
    run_id = parsed.asked.run_id
    events = _events(parsed, origin)
    try:
        Tree.from_events([*events, *parsed.scores])
        added: dict[str, list[StepScored]] = {scoring.id: [] for scoring in parsed.scorings}
        for score in sorted(parsed.scores, key=lambda score: score.seq):
            if score.scoring is not None:
                added[score.scoring].append(score)
    except (ValueError, LookupError) as error:
        raise InvalidInput("FILE", f"the document is inconsistent ({error}); export it again") from error
    if not _known(store, run_id):
        store.record(events, parsed.usage, run_id)
        store.flush(run_id)
    there = {scoring.id for scoring in store.scorings(run_id)}
    for scoring in parsed.scorings:
        if scoring.id not in there:
            store.save_scoring(replace(scoring, run_id=run_id), added[scoring.id])
    return run_id


def _known(store: Store, run_id: str) -> bool:
    try:
        return store.run(run_id).id == run_id
    except InvalidInput:
        return False


def _events(document: _Document, origin: RunOrigin) -> list[Event]:
    """The events of the run itself, without what was added later."""
    steps: list[StepSampled | StepScored | Decision] = [node for node in document.nodes if node is not None]
    steps += [*[score for score in document.scores if score.scoring is None], *document.decisions]
    status = "interrupted" if document.outcome.status == "running" else document.outcome.status
    finished = replace(document.outcome, status=status, grades=_grades(document))
    return [replace(document.asked, origin=origin), *sorted(steps, key=lambda step: step.seq), finished]


def _grades(document: _Document) -> dict[str, Grade]:
    spelled = {node.node: node.answer for node in document.nodes if node is not None}
    return {
        spelling: Grade(group.answer, group.correct, document.outcome.graded_by)
        for group in document.answers
        if group.answer is not None
        for spelling in [spelled.get(node) for node in group.nodes]
        if spelling is not None
    }
