"""Stepwise supervision as TRL's trainers of PRMs read it: `prompt`, `completions` (steps) and `labels` (booleans).

A record is a path down to its last label; a neutral step counts as right.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import takewhile
from typing import Any

from engine.search.tree import Node
from engine.store.exporters.step_labels import Labelled


def records(run: Labelled) -> Iterator[dict[str, Any]]:
    for path in _paths(run):
        yield {
            "prompt": run.record.problem,
            "completions": [run.text(step) for step in path],
            "labels": [run.ratings[step.id] >= 0 for step in path],
            **run.fields,
        }


def _paths(run: Labelled) -> list[list[Node]]:
    """The labelled beginnings of all paths, but for those that another one goes on from."""
    found: dict[int, list[Node]] = {}
    inner: set[int] = set()
    for leaf in run.tree.nodes[1:]:
        if leaf.children:
            continue
        path = list(takewhile(lambda step: step.id in run.ratings, run.steps(leaf)))
        if path:
            found[path[-1].id] = path
            inner |= {step.id for step in path[:-1]}
    return [path for end, path in found.items() if end not in inner]
