"""Forks: a run that goes on from a step of another one, or from a step that a person wrote in its place.

A fork is a run of its own. Its tree begins with the steps down to the fork point, taken over as they were recorded;
what it draws below them is new, and nothing of the run it goes on from is changed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

from engine.errors import InvalidInput
from engine.search.draws import Planted
from engine.search.events import ModelInfo
from engine.search.policy import Policy, Step
from engine.search.tree import Node, Tree
from engine.store import RunRecord, Store

#: Characters of a step that a person writes.
LONGEST_STEP = 4000


@dataclass(frozen=True, slots=True)
class Fork:
    """Where a run goes on from: below `node` of the run `run_id`, or below the step `own` that a person wrote there.

    Attributes:
        path: the steps down to `node`, as they were recorded by `policy`.
        drawn: draws that the other run took below `node`: with the same seed, the fork's are those that would have
            come next.
    """

    run_id: str
    node: int
    path: tuple[Node, ...]
    policy: ModelInfo
    own: str | None = None
    drawn: int = 0

    @classmethod
    def at(cls, store: Store, run_id: str, node: int) -> Self:
        """The fork of a recorded run below `node`. Raises `InvalidInput` for an unknown run or node, and for a step
        below which nothing can come."""
        record, tree, start = _place(store, run_id, node)
        if start.terminal:
            raise InvalidInput("node", f"step {start.depth} ended the answer; go on from a step before it")
        drawn = sum(child.copies for child in tree.children(start))
        return cls(record.id, node, tuple(tree.path(start)), record.policy, drawn=drawn)

    @classmethod
    def instead(cls, store: Store, run_id: str, node: int, own: str) -> Self:
        """The fork that goes on from the step `own` in place of `node`. Raises `InvalidInput` for an unknown run or
        node, for the problem itself, and for a step that is empty or too long."""
        if not own.strip():
            raise InvalidInput("step", "it is empty; write what the step should say")
        if len(own) > LONGEST_STEP:
            raise InvalidInput("step", f"{len(own):,} characters are too many; give at most {LONGEST_STEP:,}")
        record, tree, replaced = _place(store, run_id, node)
        if replaced.parent is None:
            raise InvalidInput("node", "select the step that yours is to stand in for")
        return cls(record.id, replaced.parent, tuple(tree.path(replaced)[:-1]), record.policy, own)

    def planted(self, policy: Policy) -> list[Planted]:
        """The steps that the fork's tree begins with, in the tokens of `policy`.

        A step keeps its own tokens and the numbers that came with them if the same policy wrote it.
        """
        same = (policy.info.name, policy.info.digest) == (self.policy.name, self.policy.digest)
        steps = []
        for node in self.path:
            ids = node.token_ids if same and node.token_ids else policy.token_ids(node.text)
            tokens = len(ids) if ids else node.tokens
            step = Step(node.text, ids, tokens, None, "step")
            if same and node.origin != "human":
                step = replace(step, logprob=node.logprob, confidence=node.confidence, certainty=node.certainty)
            steps.append(Planted(step, node.origin))
        if self.own is not None:
            text = self.own.strip() + policy.delimiter
            ids = policy.token_ids(text)
            steps.append(Planted(Step(text, ids, len(ids or ()), None, "step"), "human"))
        return steps


def _place(store: Store, run_id: str, node: int) -> tuple[RunRecord, Tree, Node]:
    """A node of a recorded run. Raises `InvalidInput`."""
    record, events = store.read(run_id)
    tree = Tree.from_events(events)
    if not 0 <= node < len(tree):
        raise InvalidInput("node", f"run {record.id} has no node {node}; choose one of its {len(tree)}")
    return record, tree, tree[node]
