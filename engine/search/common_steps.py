"""Steps known by what came before them: the same step after the same steps is one node, whatever path it is on."""

from __future__ import annotations

from collections.abc import Sequence

from engine.search.events import Finish
from engine.search.tree import Node


class CommonSteps:
    """The steps of many paths, each once, with ids of their own. A path may begin anywhere in a tree."""

    def __init__(self) -> None:
        self._nodes: dict[tuple[int, tuple[int, ...] | str, Finish], Node] = {}
        self._same: dict[tuple[int, Node], Node] = {}

    def path(self, path: Sequence[Node]) -> tuple[Node, ...]:
        """A `path` as common nodes."""
        common: list[Node] = []
        for node in path:
            parent = common[-1].id if common else 0
            if (parent, node) not in self._same:
                identity = (parent, node.token_ids or node.text, node.finish)
                fresh = Node(
                    len(self._nodes) + 1, parent, node.depth, node.text, node.tokens, node.token_ids, node.logprob,
                    node.finish,
                )  # fmt: skip
                self._same[parent, node] = self._nodes.setdefault(identity, fresh)
            common.append(self._same[parent, node])
        return tuple(common)
