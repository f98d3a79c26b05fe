"""Where the steps of a printed tree lie: from the problem rightwards, so that a step's text has room beside it.

Sizes are in pixels. Where there is room for texts every leaf has a row of its own, so that no text meets another; a
larger tree is packed, with scores or with neither.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from engine.search.tree import Node, Tree
from engine.store.exporters.tidy import tidy_layout

#: Between two neighbours, and between two levels: the most and the least.
_ROW, _LEAST_ROW = 30.0, 3.0
_LEVEL, _LEAST_LEVEL = 320.0, 24.0
#: What the whole is meant to fit in where it can: with texts, and packed.
_TALL, _TALL_PACKED, _WIDE = 5200.0, 4000.0, 3600.0
#: From here on there is room for texts, for scores and copies.
_ROW_OF_TEXTS, _LEVEL_OF_TEXTS, _ROW_OF_SCORES, _LEVEL_OF_SCORES = 19.0, 130.0, 11.0, 52.0
#: A level of a tree without texts; from the problem to the first steps.
_BARE_LEVEL, _FIRST_LEVEL = 84.0, 64.0
#: Beside the last steps, for their texts.
_LAST = 420.0


@dataclass(frozen=True, slots=True)
class Picture:
    """Attributes:
    x, y: of every node, from the left and the top of the drawing.
    row, level: between neighbours, and between levels.
    width, height: of the drawing, what is written beside the last nodes included.
    texts, scores: whether there is room for them beside the nodes.
    """

    tree: Tree
    x: list[float]
    y: list[float]
    row: float
    level: float
    width: float
    height: float
    texts: bool
    scores: bool

    @property
    def diameter(self) -> float:
        return max(2.4, min(13.0, self.row * 0.55, self.level * 0.4))


def picture(tree: Tree, judge: str | None) -> Picture:
    """The tree laid out, best subtree first by the scores of `judge`."""
    children = _best_first(tree, judge)
    leaves, deepest = sum(not node.children for node in tree.nodes), max(node.depth for node in tree.nodes)
    row, level = _row(leaves, _TALL), max(_LEAST_LEVEL, min(_LEVEL, _WIDE / max(1, deepest - 1)))
    texts = row >= _ROW_OF_TEXTS and level >= _LEVEL_OF_TEXTS
    breadth = leaf_rows(children) if texts else tidy_layout(children)
    top, span = min(breadth), max(breadth) - min(breadth)
    if not texts:
        row = _row(span, _TALL_PACKED)
        level = min(level, max(_BARE_LEVEL, span * row / (2 * max(1, deepest))))  # not far from twice as tall as wide
    scores = texts or (row >= _ROW_OF_SCORES and level >= _LEVEL_OF_SCORES)
    first = min(level, _FIRST_LEVEL) if texts else level
    x = [first + (node.depth - 1) * level if node.depth else 0.0 for node in tree.nodes]
    return Picture(
        tree, x, [(place - top) * row for place in breadth], row, level,
        max(x) + (_LAST if texts else 60.0), span * row, texts, scores,
    )  # fmt: skip


def leaf_rows(children: Sequence[Sequence[int]]) -> list[float]:
    """A row for every leaf, in the order of drawing; a step with children lies in the middle between the outer two."""
    rows, count, waiting = [0.0] * len(children), 0, [0]
    while waiting:
        node = waiting.pop()
        waiting += reversed(children[node])
        if not children[node]:
            rows[node], count = float(count), count + 1
    for node in reversed(range(len(children))):  # children come after their parents
        if kids := children[node]:
            rows[node] = (rows[kids[0]] + rows[kids[-1]]) / 2
    return rows


def _row(rows: float, tall: float) -> float:
    return max(_LEAST_ROW, min(_ROW, tall / max(1.0, rows)))


def _best_first(tree: Tree, judge: str | None) -> list[list[int]]:
    """The chosen answer's subtree, then those with finished leaves, then open, then pruned ones; by their best leaf."""
    worth = [-math.inf] * len(tree)
    for node in reversed(tree.nodes):
        if not node.children:
            worth[node.id] = _worth(tree, node, judge)
        if node.parent is not None:
            worth[node.parent] = max(worth[node.parent], worth[node.id])
    return [sorted(node.children, key=lambda child: (-worth[child], child)) for node in tree.nodes]


def _worth(tree: Tree, node: Node, judge: str | None) -> float:
    tier = 3 if node.id == tree.chosen else {"finished": 2, "pruned": 0}.get(node.status, 1)
    return 2 * tier + node.scores.get(judge or "", -0.5)
