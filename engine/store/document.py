"""The run document, version 1: what `solve --json` prints and `export --format json` writes. Scripts rely on it.

It holds only JSON types. Its entries follow from the fields of the events (`engine.store.shapes`); `status` of a
node and `answers` are derived here, from the same tree and the same rules as everywhere else, and are not stored.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

from engine.search.events import Decision, Event, StepSampled, StepScored
from engine.search.tree import Tree
from engine.store.records import DECIDED, RUN, SAMPLED, SCORED, SCORING, ComparisonRecord, RunRecord, root

VERSION = 1


def document(record: RunRecord, events: Sequence[Event]) -> dict[str, Any]:
    """The whole run as one JSON-able dictionary; `record` and all `events` as `Store.read` returns them together."""
    tree = Tree.from_events(events)
    whole = {
        "format": "tts-ui.run",
        "version": VERSION,
        "run": RUN.entry(record),
        "usage": asdict(record.usage),
        "nodes": _nodes(tree, events),
        "scores": [_score(event) for event in events if isinstance(event, StepScored)],
        "decisions": [DECIDED.entry(event) for event in events if isinstance(event, Decision)],
        "answers": _answers(record, tree),
    }
    added = [SCORING.entry(scoring) for scoring in record.scorings]
    return whole | {"scorings": added} if added else whole


def runs_document(records: Iterable[RunRecord]) -> dict[str, Any]:
    """The list of runs that `runs --json` prints."""
    return {"format": "tts-ui.runs", "version": VERSION, "runs": [RUN.entry(record) for record in records]}


def comparison_document(record: ComparisonRecord, runs: Iterable[tuple[RunRecord, Sequence[Event]]]) -> dict[str, Any]:
    """What `compare --json` prints: the run documents in the order requested; `shared` is what was actually spent."""
    return {
        "format": "tts-ui.comparison",
        "version": VERSION,
        "id": record.id,
        "budget": record.budget,
        "shared": asdict(record.shared),
        "runs": [document(run, events) for run, events in runs],
    }


def _nodes(tree: Tree, events: Iterable[Event]) -> list[dict[str, Any]]:
    """All nodes as they were first sampled, with their latest status and copies."""
    sampled = {0: SAMPLED.entry(root(tree.root.text)) | {"parent": None}}
    for event in events:
        if isinstance(event, StepSampled) and event.node not in sampled:
            sampled[event.node] = SAMPLED.entry(event)
    return [sampled[node.id] | {"status": node.status, "copies": node.copies} for node in tree.nodes]


def _score(event: StepScored) -> dict[str, Any]:
    """What only some scores have (rollouts, their interval, a scoring) is left out of the others."""
    return {name: value for name, value in SCORED.entry(event).items() if value is not None}


def _answers(record: RunRecord, tree: Tree) -> list[dict[str, Any]]:
    groups = record.answers(tree)
    return [
        {
            "answer": group.answer,
            "votes": group.votes,
            "weight": group.weight,
            "correct": group.correct,
            "nodes": list(group.nodes),
        }
        for group in groups
    ]
