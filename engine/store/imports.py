"""Reading a run document (version 1) back into events: the way in for recorded examples and for other people's runs.

Documents come from outside, so they are checked first (`engine.store.checked`). Other formats are turned into a run
document and go the same way (`engine.store.importers`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from engine.search.events import Decision, Event, Grade, RunOrigin, StepSampled, StepScored
from engine.store.checked import RunDocument, checked
from engine.store.records import ScoringRecord
from engine.store.store import Store
from engine.store.whole import WholeRun


def import_document(store: Store, document: object, origin: RunOrigin = "import") -> str:
    """Record a run document as it is, under its own id; returns that id. Importing it again changes nothing."""
    parsed = checked(document)
    store.record_whole([WholeRun.of(events(parsed, origin), parsed.usage, added=added_scores(parsed))])
    return parsed.asked.run_id


def added_scores(document: RunDocument) -> list[tuple[ScoringRecord, Sequence[StepScored]]]:
    """The scorings that came after the run's end, each with its scores."""
    added: dict[str, list[StepScored]] = {scoring.id: [] for scoring in document.scorings}
    for score in sorted(document.scores, key=lambda score: score.seq):
        if score.scoring is not None:
            added[score.scoring].append(score)
    return [(scoring, added[scoring.id]) for scoring in document.scorings]


def events(document: RunDocument, origin: RunOrigin) -> list[Event]:
    """The events of the run itself, without what was added later."""
    steps: list[StepSampled | StepScored | Decision] = [node for node in document.nodes if node is not None]
    steps += [*[score for score in document.scores if score.scoring is None], *document.decisions]
    status = "interrupted" if document.outcome.status == "running" else document.outcome.status
    finished = replace(document.outcome, status=status, grades=_grades(document))
    return [replace(document.asked, origin=origin), *sorted(steps, key=lambda step: step.seq), finished]


def _grades(document: RunDocument) -> dict[str, Grade]:
    spelled = {node.node: node.answer for node in document.nodes if node is not None}
    return {
        spelling: Grade(group.answer, group.correct, document.outcome.graded_by)
        for group in document.answers
        if group.answer is not None
        for spelling in [spelled.get(node) for node in group.nodes]
        if spelling is not None
    }
