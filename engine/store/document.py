"""The run document, version 1: what `solve --json` prints and `export --format json` writes. Scripts rely on it.

It holds JSON's own types only. `status` of a node and `answers` are derived here, from the same tree and the same rules
as everywhere else; nothing derived is stored.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

from engine.search.events import Decision, Event, StepScored
from engine.search.tree import Node, Tree
from engine.store.comparison_rows import ComparisonRecord
from engine.store.rows import RunRecord

VERSION = 1


def document(record: RunRecord, events: Sequence[Event]) -> dict[str, Any]:
    """The whole run as one JSON-able dictionary; `record` and all `events` as `Store.read` returns them together."""
    tree = Tree.from_events(events)
    return {
        "format": "tts-ui.run",
        "version": VERSION,
        "run": run_entry(record),
        "usage": asdict(record.usage),
        "nodes": [_node(node) for node in tree.nodes],
        "scores": [_score(event) for event in events if isinstance(event, StepScored)],
        "decisions": [_decision(event) for event in events if isinstance(event, Decision)],
        "answers": _answers(record, tree),
    }


def runs_document(records: Iterable[RunRecord]) -> dict[str, Any]:
    """The list of runs that `runs --json` prints."""
    return {"format": "tts-ui.runs", "version": VERSION, "runs": [run_entry(record) for record in records]}


def comparison_document(record: ComparisonRecord, runs: Iterable[tuple[RunRecord, Sequence[Event]]]) -> dict[str, Any]:
    """What `compare --json` prints: the run documents in the order asked; `shared` is what was really spent."""
    return {
        "format": "tts-ui.comparison",
        "version": VERSION,
        "id": record.id,
        "budget": record.budget,
        "shared": asdict(record.shared),
        "runs": [document(run, events) for run, events in runs],
    }


def run_entry(record: RunRecord) -> dict[str, Any]:
    """The `run` object of the document."""
    return {
        "id": record.id,
        "created_at": record.created_at,
        "problem": record.problem,
        "reference_answer": record.reference_answer,
        "strategy": record.strategy,
        "params": dict(record.params),
        "policy": record.policy.name,
        "scorer": record.scorer.name if record.scorer else None,
        "status": record.status,
        "stop_reason": record.stop_reason,
        "origin": record.origin,
        "parent_run": record.parent_run,
        "fork_node": record.fork_node,
        "answer": record.answer,
        "correct": record.correct,
        "graded_by": record.graded_by,
        "error": record.error,
    }


def _node(node: Node) -> dict[str, Any]:
    return {
        "id": node.id,
        "parent": node.parent,
        "depth": node.depth,
        "text": node.text,
        "tokens": node.tokens,
        "logprob": node.logprob,
        "finish": node.finish,
        "copies": node.copies,
        "origin": node.origin,
        "status": node.status,
        "answer": node.answer,
        "seq": node.seq,
    }


def _score(event: StepScored) -> dict[str, Any]:
    return {"node": event.node, "scorer": event.scorer, "value": event.value, "kind": event.kind, "seq": event.seq}


def _decision(event: Decision) -> dict[str, Any]:
    return {
        "node": event.node,
        "action": event.action,
        "reason": event.reason,
        "numbers": dict(event.numbers),
        "seq": event.seq,
    }


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
