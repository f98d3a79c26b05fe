"""What two models say of every token of recorded trees and labelled solutions: read once, kept in a file, resumed."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from engine.models.scorers.contrast import ContrastScorer
from engine.search.cost import ScorerCost
from engine.search.events import StepSampled
from engine.search.tree import Tree


@dataclass(frozen=True, slots=True)
class Step:
    """What was read of one step: `differences` at the larger model's tokens, and that model's own log-probabilities."""

    differences: Sequence[float]
    larger: Sequence[float]


@dataclass(frozen=True, slots=True)
class Read:
    """One tree: each step that was read by its node, and what that took."""

    steps: Mapping[int, Step]
    positions: int
    flops: float
    seconds: float


async def read_tree(tree: Tree, scorer: ContrastScorer) -> Read:
    """Every step that fits the windows, level by level as a search has them scored."""
    session, cost, start = scorer.session(tree.root.text), ScorerCost(), time.perf_counter()
    due = [node for node in tree.nodes[1:] if node.scorable]
    try:
        for depth in sorted({node.depth for node in due}):
            await session.score([tree.path(node) for node in due if node.depth == depth], cost)
        found = {
            node.id: Step(session.differences[node.id], session.larger.values[node.id])
            for node in due if node.id in session.differences
        }  # fmt: skip
    finally:
        session.close()
    return Read(found, cost.scored_tokens, cost.flops, time.perf_counter() - start)


def solution(problem: str, steps: Sequence[str]) -> Tree:
    """A labelled solution as a tree of one path."""
    tree = Tree(problem)
    for place, step in enumerate(steps, 1):
        tree.apply(StepSampled(place, place, place - 1, place, f"{step}\n\n", None, 1, None, "step"))
    return tree


class Kept:
    """What was read before, by name, one line of JSON each."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._known = dict(self._lines()) if file.exists() else {}

    def _lines(self) -> Iterator[tuple[str, Read]]:
        with self._file.open(encoding="utf-8") as lines:
            for line in lines:
                row: dict[str, Any] = json.loads(line)
                steps = {int(node): Step(**step) for node, step in row.pop("steps").items()}
                yield row.pop("name"), Read(steps, **row)

    async def of(self, name: str, tree: Tree, scorer: ContrastScorer) -> Read:
        if name not in self._known:
            self._known[name] = found = await read_tree(tree, scorer)
            with self._file.open("a", encoding="utf-8") as lines:
                lines.write(json.dumps({"name": name, **asdict(found)}) + "\n")
        return self._known[name]
