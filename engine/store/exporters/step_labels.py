"""What the files of step labels have in common: whose labels are written, and of which steps of a run.

A file holds the labels of one judge: a person's, those that came with an imported run, or what rollouts found (a step
from which no rollout ended right counts as wrong).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from engine.errors import InvalidInput
from engine.search.events import Event, StepScored
from engine.search.tree import Node, Tree
from engine.store.labels import PREFIX, rating_of
from engine.store.records import FIELDS, RunRecord

#: What stands between two steps of a solution, and is part of neither.
JOINT = "\n\n"


@dataclass(frozen=True, slots=True)
class Labelled:
    """A run and the ratings (-1, 0, 1) that `judge` gave to some of its steps; `at` is when they were given."""

    record: RunRecord
    tree: Tree
    judge: str
    ratings: Mapping[int, int]
    at: str

    @property
    def fields(self) -> dict[str, Any]:
        """What the record that the run was imported from said besides; a run document may hold anything there."""
        try:
            kept = json.loads(self.record.params.get(FIELDS) or "{}")
        except (TypeError, ValueError, RecursionError):
            return {}
        return dict(kept) if isinstance(kept, dict) else {}

    def steps(self, leaf: Node) -> list[Node]:
        """The steps of a path that say something: a bare end of an answer is none."""
        return [step for step in self.tree.path(leaf) if step.text.strip()]

    def text(self, node: Node) -> str:
        """The step alone, without the blank line that leads on to the next one."""
        joined = node.children or node.origin != "import"
        return node.text.removesuffix(JOINT) if joined else node.text


def judges(events: Iterable[Event]) -> list[str]:
    """Who has labelled steps of a run: people first, then rollouts."""
    told = [event for event in events if isinstance(event, StepScored)]
    return list(dict.fromkeys(
        event.scorer for kind in ("human", "estimated") for event in told if event.kind == kind
    ))  # fmt: skip


def labelled(record: RunRecord, events: Sequence[Event], wanted: str | None) -> Labelled | None:
    """The labels of a run by `wanted` (a judge's name, or a person's), else by the only person who has labelled it;
    None where there are none. Raises `InvalidInput` where there is a choice."""
    there = judges(events)
    people = [judge for judge in there if any(
        isinstance(event, StepScored) and event.scorer == judge and event.kind == "human" for event in events
    )]  # fmt: skip
    if wanted is None and len(people) > 1:
        named = ", ".join(repr(judge.removeprefix(PREFIX)) for judge in people)
        raise InvalidInput("labels", f"run {record.id} has labels by {named}; say whose with --labels")
    judge = next((each for each in there if each in (wanted, f"{PREFIX}{wanted}")), None) if wanted else (
        people[0] if people else None
    )  # fmt: skip
    if judge is None:
        return None
    told = [event for event in events if isinstance(event, StepScored) and event.scorer == judge]
    ratings = {
        event.node: rating_of(event.value) if event.kind == "human" else (1 if event.value > 0 else -1)
        for event in told
    }
    at = next((each.created_at for each in record.scorings if each.scorer.name == judge), record.created_at)
    return Labelled(record, Tree.from_events(events), judge, ratings, at)


def written(records: Iterable[Mapping[str, Any]]) -> bytes:
    """A JSON object a line, in ASCII, as Python's `json` writes it; a record that is there already is left out."""
    lines = dict.fromkeys(json.dumps(record) for record in records)
    return "".join(f"{line}\n" for line in lines).encode()
