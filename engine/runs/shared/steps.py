"""The steps that several runs have in common, and the sum of what was done for them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import TypeVar

from engine.search.cost import PolicyCost, ScorerCost
from engine.search.events import Finish
from engine.search.tree import Node


class CommonSteps:
    """The steps of all runs, each once: a step has a node in each run's tree, and one here."""

    def __init__(self) -> None:
        self._nodes: dict[tuple[int, tuple[int, ...] | str, Finish], Node] = {}
        self._same: dict[Node, Node] = {}

    def path(self, path: Sequence[Node]) -> tuple[Node, ...]:
        """A run's `path` as common nodes."""
        common: list[Node] = []
        for node in path:
            if node not in self._same:
                parent = common[-1].id if common else 0
                identity = (parent, node.token_ids or node.text, node.finish)
                fresh = Node(
                    len(self._nodes) + 1, parent, node.depth, node.text, node.tokens, node.token_ids, node.logprob,
                    node.finish,
                )  # fmt: skip
                self._same[node] = self._nodes.setdefault(identity, fresh)
            common.append(self._same[node])
        return tuple(common)


C = TypeVar("C", PolicyCost, ScorerCost)


def total(kind: type[C], bills: Sequence[C]) -> C:
    return kind(**{field.name: sum(getattr(bill, field.name) for bill in bills) for field in fields(kind)})
