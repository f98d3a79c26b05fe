"""What programs are told of a run: documents of JSON types, small enough for a model to read. The whole run is at
`document_url`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from engine.search.events import Event
from engine.search.tree import Tree
from engine.store import RunRecord
from engine.store.shapes import bill
from tts_ui.web.parts.notices import not_told
from tts_ui.web.programs.text_tree import text_tree

#: Answers that are listed.
_ANSWERS = 10


def summary(
    record: RunRecord, events: Sequence[Event], address: str, *, discreet: bool = False, drawn: bool = False,
) -> dict[str, Any]:  # fmt: skip
    """A run with its votes; `drawn` adds its tree as text. A `discreet` one does not tell why it failed."""
    tree = Tree.from_events(events)
    told = listed(record, address) | {
        "reference_answer": record.reference_answer,
        "graded_by": record.graded_by,
        "params": dict(record.params),
        "stop_reason": record.stop_reason,
        "error": record.error and (not_told() if discreet else record.error),
        "answers": [
            {"answer": group.answer, "votes": group.votes, "weight": group.weight, "correct": group.correct}
            for group in record.answers(tree)[:_ANSWERS]
        ],
        "steps": len(tree) - 1,
        "usage": bill(record.usage),
        "document_url": f"{address}/export/{record.id}/json" if address else None,
    }
    return told | {"tree": text_tree(record, tree)} if drawn else told


def listed(record: RunRecord, address: str) -> dict[str, Any]:
    """A run on a list."""
    return {
        "run": record.id,
        "created_at": record.created_at,
        "problem": record.problem,
        "strategy": record.strategy,
        "policy": record.policy.name,
        "scorer": record.judge,
        "status": record.status,
        "answer": record.answer,
        "correct": record.correct,
        "tree_url": f"{address}/?run={record.id}" if address else None,
    }
