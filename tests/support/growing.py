"""Paths grown by hand, and scored as a search scores them: a level at a time, each node once."""

from __future__ import annotations

from collections.abc import Sequence

from engine.search.cost import ScorerCost
from engine.search.events import StepSampled
from engine.search.scorer import ScorerSession
from engine.search.tree import Node, Tree

PROBLEM = "What is 18 * 13 + 5?"
HONEST = [
    "Step 1: We add 18 * 13 = 234.\n\n",
    "It is $\\frac{1}{2} \\le \\sum_{i=0}^{n} x_i^2$ and \\[x\\]\n\n",
    "所以答案是 四十二。\n\n",
    "🙂👩‍👩‍👧 e\u0301 \u00e9",
    "+ - 12\nanother line: - 3.\n\n\n\n",
]


def grow(tree: Tree, steps: Sequence[str], parent: int = 0) -> list[Node]:
    for text in steps:
        node = len(tree)
        tree.apply(StepSampled(node, node, parent, tree[parent].depth + 1, text, None, 1, None, "step"))
        parent = node
    return tree.path(tree[parent])


async def by_levels(session: ScorerSession, paths: Sequence[Sequence[Node]], cost: ScorerCost) -> list[list[float]]:
    """Score the paths as a search does: the first steps of all, then the second steps, and so on; each node once."""
    known: dict[int, float] = {}
    for depth in range(1, max(map(len, paths)) + 1):
        level = {path[depth - 1].id: path[:depth] for path in paths if len(path) >= depth}
        due = {node: path for node, path in level.items() if node not in known}
        for node, score in zip(due, await session.score(list(due.values()), cost), strict=True):
            assert score is not None
            known[node] = score
    return [[known[node.id] for node in path] for path in paths]


def many(count: int) -> list[str]:
    return [f"Step {k}: {k} + {k * 7} = {k * 8}, so $x_{{{k}}}$ {'is' * (k % 3)}.\n\n" for k in range(1, count + 1)]
