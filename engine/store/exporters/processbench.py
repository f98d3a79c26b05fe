"""ProcessBench: whole solutions with the first wrong step (from 0; -1 where none is).

A completion is written if its steps are labelled as far as its first wrong one, or to its end.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from engine.search.tree import Node
from engine.store.exporters.step_labels import Labelled


def records(run: Labelled) -> Iterator[dict[str, Any]]:
    leaves = list(run.tree.completions())
    for leaf in leaves:
        steps = run.steps(leaf)
        label = _first_wrong(run, steps)
        if label is None:
            continue
        yield {
            "id": f"{run.record.id}-{leaf.id}",
            "generator": run.record.policy.name,
            "problem": run.record.problem,
            "steps": [run.text(step) for step in steps],
            "final_answer_correct": _correct(run, leaf, alone=len(leaves) == 1),
            "label": label,
        } | run.fields


def _first_wrong(run: Labelled, steps: Sequence[Node]) -> int | None:
    """The place of the first wrong step, -1 if all are right; None where a label is missing before that is known."""
    for place, step in enumerate(steps):
        rating = run.ratings.get(step.id)
        if rating is None:
            return None
        if rating < 0:
            return place
    return -1


def _correct(run: Labelled, leaf: Node, *, alone: bool) -> bool | None:
    grade = run.record.grades.get(leaf.answer) if leaf.answer is not None else None
    if grade is not None:
        return grade.correct
    if alone:
        return run.record.correct
    return False if run.record.reference_answer is not None else None
