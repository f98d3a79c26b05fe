"""PRM800K: a run as a labeller of OpenAI's tool would have gone through it, step by step with the alternatives.

It follows the chosen path down to its last label or its first wrong step; what was labelled beside it are the
alternatives. A run that came as such a record is written as that record, with what is labelled now.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from engine.search.tree import Node
from engine.store.exporters.step_labels import Labelled
from engine.store.labels import labeller_of

#: The judge that stands for the labels of an imported record.
IMPORTED = "PRM800K labels"


def records(run: Labelled) -> Iterator[dict[str, Any]]:
    kept = run.fields
    steps, reason = _again(run, kept["chosen"]) if "chosen" in kept else _along(run)
    if not steps:
        return
    mine = {} if run.judge == IMPORTED else {"labeler": labeller_of(run.judge), "timestamp": run.at}
    told = kept.get("record") or {
        "labeler": "", "timestamp": "", "generation": None, "is_quality_control_question": False,
        "is_initial_screening_question": False,
    }  # fmt: skip
    yield {
        **told, **mine,
        "question": {
            "problem": run.record.problem, "ground_truth_answer": run.record.reference_answer,
            **kept.get("question", {}),
        },
        "label": {"steps": steps, **kept.get("label", {"finish_reason": reason})},
    }  # fmt: skip


def _completion(run: Labelled, node: Node) -> dict[str, Any]:
    return {"text": run.text(node), "rating": run.ratings.get(node.id), "flagged": False}


def _again(run: Labelled, chosen: list[int | None]) -> tuple[list[dict[str, Any]], str | None]:
    """The steps of an imported record: its alternatives are the children of the step before."""
    steps, node = [], run.tree.root
    for choice in chosen:
        children = run.tree.children(node)
        offered = [child for child in children if child.origin != "human"]
        own = next((child for child in children if child.origin == "human"), None)
        told = own and {"text": run.text(own), "rating": run.ratings.get(own.id), "source": "human", "flagged": False}
        steps.append({
            "completions": [_completion(run, child) for child in offered], "human_completion": told,
            "chosen_completion": choice,
        })  # fmt: skip
        going_on = own if choice is None else offered[choice]
        if going_on is None:
            break
        node = going_on
    return steps, None


def _along(run: Labelled) -> tuple[list[dict[str, Any]], str | None]:
    """The steps along the chosen path, else the path that is labelled furthest."""
    path = run.steps(_end(run))
    while path and path[-1].id not in run.ratings:
        path.pop()
    steps: list[dict[str, Any]] = []
    for step in path:
        assert step.parent is not None
        siblings = run.tree.children(run.tree[step.parent])
        offered = [each for each in siblings if (each is step or each.id in run.ratings) and each.text.strip()]
        wrong = run.ratings.get(step.id) == -1
        chosen = None if wrong else offered.index(step)
        steps.append({
            "completions": [_completion(run, each) for each in offered], "human_completion": None,
            "chosen_completion": chosen,
        })  # fmt: skip
        if wrong:
            return steps, "found_error"
    whole = bool(path) and all(not child.text.strip() for child in run.tree.children(path[-1]))
    return steps, "solution" if whole else None


def _end(run: Labelled) -> Node:
    if run.tree.chosen is not None and any(step.id in run.ratings for step in run.steps(run.tree[run.tree.chosen])):
        return run.tree[run.tree.chosen]
    return max((run.tree[node] for node in run.ratings), key=lambda node: (node.depth, -node.id))
