"""The run document, version 1: what `solve --json` prints and `export --format json` writes. Scripts rely on it.

It holds only JSON types. Its entries follow from the fields of the events (`engine.store.shapes`); `status` of a
node and `answers` are derived here, from the same tree and the same rules as everywhere else, and are not stored.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from engine.search.events import Decision, Event, StepSampled, StepScored
from engine.search.tree import Tree
from engine.store.records import DECIDED, RUN, SAMPLED, SCORED, SCORING, ComparisonRecord, RunRecord, root
from engine.store.shapes import bill

VERSION = 1
#: Fields of a run's entry that are there only where they say something.
IMPORTED = ("warning", "source", "source_format")
#: The same of a node: not every back end reports them.
REPORTED = ("confidence", "certainty")


def document(record: RunRecord, events: Sequence[Event]) -> dict[str, Any]:
    """The whole run as one JSON-able dictionary; `record` and all `events` as `Store.read` returns them together."""
    tree = Tree.from_events(events)
    whole = {
        "format": "tts-ui.run",
        "version": VERSION,
        "run": _run(record),
        "usage": bill(record.usage),
        "nodes": _nodes(tree, events),
        "scores": [_score(event) for event in events if isinstance(event, StepScored)],
        "decisions": [DECIDED.entry(event) for event in events if isinstance(event, Decision)],
        "answers": _answers(record, tree),
    }
    added = [SCORING.entry(scoring) for scoring in record.scorings]
    return whole | {"scorings": added} if added else whole


def runs_document(records: Iterable[RunRecord]) -> dict[str, Any]:
    """The list of runs that `runs --json` prints."""
    return {"format": "tts-ui.runs", "version": VERSION, "runs": [_run(record) for record in records]}


def comparison_document(record: ComparisonRecord, runs: Iterable[tuple[RunRecord, Sequence[Event]]]) -> dict[str, Any]:
    """What `compare --json` prints: the run documents in the order requested; `shared` is what was actually spent."""
    return {
        "format": "tts-ui.comparison",
        "version": VERSION,
        "id": record.id,
        "budget": record.budget,
        "shared": bill(record.shared),
        "runs": [document(run, events) for run, events in runs],
    }


def _run(record: RunRecord) -> dict[str, Any]:
    """What only imported runs have (their source, a warning) is left out of the others."""
    return {name: value for name, value in RUN.entry(record).items() if name not in IMPORTED or value is not None}


def _nodes(tree: Tree, events: Iterable[Event]) -> list[dict[str, Any]]:
    """All nodes as they were first sampled, with their latest status and copies."""
    sampled = {0: _node(root(tree.root.text)) | {"parent": None}}
    for event in events:
        if isinstance(event, StepSampled) and event.node not in sampled:
            sampled[event.node] = _node(event)
    return [sampled[node.id] | {"status": node.status, "copies": node.copies} for node in tree.nodes]


def _node(event: StepSampled) -> dict[str, Any]:
    return {name: value for name, value in SAMPLED.entry(event).items() if name not in REPORTED or value is not None}


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
