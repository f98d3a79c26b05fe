"""Which steps of a tree are right, where the domain has a checker that knows: a reading of the tree, kept beside it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from engine.search.domain import StepChecker
from engine.search.tree import Node

#: A step is right if it and all steps before it are; wrong if it is the first that is not; else it comes after one.
Verdict = Literal["right", "wrong", "after"]


class Truth:
    """What a checker says of each step of one tree; `take` grows with the tree, a step at a time, each checked once.

    Nothing is said of a step that was cut before its end, nor of what says nothing (a bare end of the answer).
    """

    def __init__(self, checker: StepChecker) -> None:
        self._checker = checker
        self._progress: dict[int, object | None] = {0: checker.begin()}
        self._verdicts: dict[int, Verdict] = {}

    def take(self, nodes: Iterable[Node]) -> None:
        """Check these nodes, parents first."""
        for node in nodes:
            assert node.parent is not None
            before = self._progress[node.parent]
            if not node.text.strip():
                self._progress[node.id] = before
            elif before is None:
                self._progress[node.id] = None
                self._verdicts[node.id] = "after"
            elif node.finish in ("budget", "length"):
                self._progress[node.id] = before
            else:
                after = self._progress[node.id] = self._checker.follow(before, node.text)
                self._verdicts[node.id] = "wrong" if after is None else "right"

    def __getitem__(self, node_id: int) -> Verdict | None:
        return self._verdicts.get(node_id)

    def first_wrong(self, path: Iterable[Node]) -> Node | None:
        """The first wrong step of a path; None if there is none."""
        return next((step for step in path if self[step.id] == "wrong"), None)
