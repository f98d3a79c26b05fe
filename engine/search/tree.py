"""Node and Tree: what a search has built so far. Pure data: a fold of the event log, with no input or output.

The running search, the live view and a run read back from the database all hold this same Tree, because all of them get
it by applying the same events.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, fields
from operator import attrgetter
from typing import Literal

from engine.search.events import Decision, Event, Finish, NodeOrigin, RunFinished, RunStarted, StepSampled, StepScored

NodeStatus = Literal["open", "kept", "pruned", "finished"]

#: The status a decision leaves a node in; the others (expand, descend, backup, choose) leave it as it was.
_STATUS_AFTER: dict[str, NodeStatus] = {"keep": "kept", "prune": "pruned", "finish": "finished"}


@dataclass(slots=True, eq=False)
class Node:
    """One step of the search. Node 0 is the root: the problem, depth 0, no tokens. Nodes compare by identity.

    `copies` is the number of draws that produced this step; `scores` maps a scorer's name to its value in [0, 1],
    `critiques` to what it wrote about the path up to here.
    """

    id: int
    parent: int | None
    depth: int
    text: str
    tokens: int = 0
    token_ids: tuple[int, ...] | None = None
    logprob: float | None = None
    finish: Finish = "step"
    copies: int = 1
    origin: NodeOrigin = "policy"
    answer: str | None = None
    confidence: float | None = None
    certainty: float | None = None
    status: NodeStatus = "open"
    seq: int = 0
    children: list[int] = field(default_factory=list)
    scores: dict[str, float] = field(default_factory=dict)
    critiques: dict[str, str] = field(default_factory=dict)
    decisions: list[Decision] = field(default_factory=list)

    @property
    def mean_logprob(self) -> float:
        """Log-probability per token; 0 if it was not recorded."""
        return (self.logprob or 0.0) / max(1, self.tokens)

    @property
    def too_long(self) -> Decision | None:
        """What was recorded about a path that ends here and is too long for the PRM; None where it fits."""
        return next((decision for decision in self.decisions if decision.reason == "prm_window"), None)

    @property
    def scorable(self) -> bool:
        """Whether there is anything that a PRM can judge: not a step that the budget cut, nor one that says nothing."""
        return self.finish != "budget" and bool(self.text.strip()) and self.too_long is None

    @property
    def terminal(self) -> bool:
        """Whether no step can follow: the policy ended its answer, or ran out of room or budget."""
        return self.finish != "step"


#: What a node takes from its `StepSampled`: the fields that both declare.
_SAMPLED = tuple(sorted({each.name for each in fields(Node)} & {each.name for each in fields(StepSampled)}))
_sampled = attrgetter(*_SAMPLED)


class Tree:
    """All nodes of one run, in the order of their ids."""

    def __init__(self, problem: str) -> None:
        self.nodes: list[Node] = [Node(0, None, 0, problem)]
        self.chosen: int | None = None

    @classmethod
    def from_events(cls, events: Iterable[Event]) -> Tree:
        """Fold a log that begins with `RunStarted` into a tree."""
        log = iter(events)
        first = next(log, None)
        if not isinstance(first, RunStarted):
            raise ValueError("an event log begins with RunStarted")
        tree = cls(first.problem)
        for event in log:
            tree.apply(event)
        return tree

    def apply(self, event: Event) -> None:
        """Take in one event; `StepSampled` for a known node updates its copies."""
        match event:
            case StepSampled():
                self._sampled(event)
            case StepScored():
                self[event.node].scores[event.scorer] = event.value
                if event.critique is not None:
                    self[event.node].critiques[event.scorer] = event.critique
            case Decision():
                node = self[event.node]
                node.decisions.append(event)
                node.status = _STATUS_AFTER.get(event.action, node.status)
                if event.action == "choose":
                    self.chosen = event.node
            case RunStarted() | RunFinished():
                pass

    def _sampled(self, event: StepSampled) -> None:
        if event.node < len(self.nodes):
            self[event.node].copies = event.copies
            return
        if event.node != len(self.nodes):
            raise ValueError(f"node {event.node} arrived when node {len(self.nodes)} was due")
        self.nodes.append(Node(event.node, **dict(zip(_SAMPLED, _sampled(event), strict=True))))
        self[event.parent].children.append(event.node)

    def __getitem__(self, node_id: int) -> Node:
        return self.nodes[node_id]

    def __len__(self) -> int:
        return len(self.nodes)

    @property
    def root(self) -> Node:
        return self.nodes[0]

    def path(self, node: Node) -> list[Node]:
        """The steps from the first one down to `node`, the root left out."""
        steps: list[Node] = []
        while node.parent is not None:
            steps.append(node)
            node = self.nodes[node.parent]
        return steps[::-1]

    def children(self, node: Node) -> list[Node]:
        return [self.nodes[child] for child in node.children]

    def completions(self) -> Iterator[Node]:
        """Finished leaves, in the order in which they were found: what the selection rules choose from."""
        return (node for node in self.nodes[1:] if node.status == "finished")
