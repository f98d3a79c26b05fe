"""treequest snapshots (`dump_snapshot(..., format="json")`): nodes with scores, and the trials that made them.

What stands in a node is whatever the user's `state_formatter` wrote. The file does not say what was asked, unless its
metadata do. Nodes come in the order in which they were made.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from engine.store.importers.draft import UNNAMED_POLICY, Draft
from engine.store.importers.fields import Record, listed, mapped, maybe_text, named, wrong

NAME = "treequest snapshot"
JUDGE = "treequest score"


def recognises(record: Record) -> bool:
    return {"nodes", "edges", "metadata"} <= record.keys()


def runs(record: Record, place: str) -> Iterator[Draft]:
    metadata = mapped(record["metadata"], f"{place}, metadata")
    algorithm = maybe_text(metadata, "algorithm") or "unknown"
    asked = maybe_text(metadata, "problem", "question", "task", "prompt")
    draft = Draft(
        asked or "(the snapshot does not say what was asked)", maybe_text(metadata, "answer", "reference_answer"),
        strategy=f"treequest: {algorithm}", policy=maybe_text(metadata, "model") or UNNAMED_POLICY, scorer=JUDGE,
        created_at=_moment(metadata), answers_end=True, joint="\n\n",
    )  # fmt: skip
    if asked is None:
        draft.warnings.append("the snapshot does not say what was asked")
    _grow(draft, listed(record["nodes"], f"{place}, nodes"), f"{place}, nodes")
    yield draft


def _moment(metadata: Record) -> str | None:
    try:
        moment = datetime.fromisoformat(maybe_text(metadata, "created_at") or "")
    except ValueError:
        return None
    return moment.isoformat() if moment.tzinfo else None


def _grow(draft: Draft, nodes: list[Any], place: str) -> None:
    entries = [(mapped(node, f"{place}[{at}]"), f"{place}[{at}]") for at, node in enumerate(nodes)]
    known: dict[object, int] = {}
    actions: set[str] = set()
    for entry, where in entries:
        own, parent = named(entry.get("id"), f"{where}.id"), named(entry.get("parent_id"), f"{where}.parent_id")
        if own in known:
            raise wrong(f"{where}.id", f"{own!r} is there twice")
        if parent is None:
            if known:
                raise wrong(f"{where}.parent_id", "a tree has one root")
            known[own] = 0
            continue
        if parent not in known:
            raise wrong(f"{where}.parent_id", f"there is no node {parent!r} before it")
        told = entry.get("state_repr")
        if not isinstance(told, str):
            raise wrong(f"{where}.state_repr", "a text is missing here")
        known[own] = node = draft.add(known[parent], told)
        if action := maybe_text(entry, "action_from_parent"):
            actions.add(action)
        if entry.get("status") not in ("RUNNING", "INVALID"):
            draft.score(node, JUDGE, entry.get("score"), f"{where}.score")
        _visits(draft, node, entry.get("algo_metrics"))
    if actions:
        draft.policy = ", ".join(sorted(actions))[:200]


def _visits(draft: Draft, node: int, metrics: object) -> None:
    """What the algorithm counted, where it did."""
    if not isinstance(metrics, Mapping):
        return
    given = {
        "visits": metrics.get("visits", metrics.get("visit_count")), "mean": metrics.get("mean", metrics.get("value")),
    }  # fmt: skip
    numbers = {
        name: float(value) for name, value in given.items() if isinstance(value, (int, float)) and value is not True
    }
    if numbers:
        draft.decide(node, "backup", numbers)
