"""A recorded run in the place of its models: a policy that gives the draws of the record and no others, and a judge
that reads its scores from a table. With them a strategy's own file takes the decisions of a recorded search anew.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from engine.runs.lab.dealing import dealt
from engine.search.cost import PolicyCost, ScorerCost
from engine.search.draws import Planted
from engine.search.events import Decision, Event, StepSampled
from engine.search.policy import Draw, Sampling, Step, TokenBudget, Writing
from engine.search.tree import Node, Tree

_NOTHING = Step("", None, 0, None, "budget")


def recorded_id(node: Node) -> int:
    """Which step of the record a step of a replay is: a replayed step carries it in place of its tokens."""
    return node.token_ids[0] if node.token_ids else 0


def _step(node: Node) -> Step:
    return Step(node.text, (node.id,), node.tokens, node.logprob, node.finish)


@dataclass(frozen=True, slots=True)
class _Drawn:
    """A draw of the record: the step it led to, whether it was the first to, and whether it was a greedy rollout."""

    node: int
    first: bool
    rollout: bool


@dataclass(frozen=True, slots=True)
class Missing:
    """Draws that a search would have taken below a step, and that nobody took; `asked` counts its requests."""

    asked: int
    node: int
    draws: int


def planted(tree: Tree) -> list[Planted]:
    """The steps that the tree of a fork begins with."""
    steps = [node for node in tree.nodes[1:] if any(each.reason == "planted" for each in node.decisions)]
    return [Planted(_step(node), node.origin) for node in steps]


class RecordedPolicy:
    """A policy's session that gives below each step the draws that were recorded there, in their order.

    Where none is left it gives nothing, as a policy does whose budget is spent, and notes it in `missing`. A token
    budget is paid as in the search, so what a batch no longer pays for in full is missing, too.

    Args:
        temperature: the run's own; draws at 0 are greedy rollouts where it is larger.
        width: draws of a DVTS subtree, which says in which order its first steps were dealt out.
    """

    def __init__(self, tree: Tree, events: Iterable[Event], temperature: float, width: int) -> None:
        self._tree, self._warm = tree, temperature > 0
        self._due = _draws(events, tree, width)
        self._asked = 0
        self.missing: list[Missing] = []

    async def extend(
        self, draws: Sequence[Draw], sampling: Sampling, budget: TokenBudget, cost: PolicyCost
    ) -> list[Step]:
        self._asked += 1
        parents = [recorded_id(draw.path[-1]) if draw.path else 0 for draw in draws]
        greedy = self._warm and sampling.temperature == 0
        steps = self._paid([self._next(parent, greedy) for parent in parents], budget)
        lacking = Counter(parent for parent, step in zip(parents, steps, strict=True) if step is None)
        if not budget.spent:
            known = {each.node for each in self.missing}
            self.missing += [Missing(self._asked, node, n) for node, n in lacking.items() if node not in known]
        return [step or _NOTHING for step in steps]

    def writing(self) -> Writing | None:
        return None

    def close(self) -> None:
        pass

    def _next(self, parent: int, greedy: bool) -> Step | None:
        """The next draw below a step. A greedy one that led to a known step is not told apart from others by the
        record: it is the next that raised a step's copies."""
        due = self._due.get(parent, [])
        fits = [place for place, drawn in enumerate(due) if not self._warm or drawn.rollout == greedy]
        if greedy and not fits:
            fits = [place for place, drawn in enumerate(due) if not drawn.first]
        return _step(self._tree[due.pop(fits[0]).node]) if fits else None

    def _paid(self, steps: Sequence[Step | None], budget: TokenBudget) -> list[Step | None]:
        """Of the steps those that the budget pays for as it did in the record."""
        if budget.left is None:
            return list(steps)
        if sum(step.tokens for step in steps if step) < budget.left:  # what was cut would have gone on
            steps = [None if step and step.finish == "budget" else step for step in steps]
        paid: list[Step | None] = []
        for step in steps:
            paid.append(step if step and step.tokens <= budget.left else None)
            budget.left -= step.tokens if step and paid[-1] else 0
        return paid


def _draws(events: Iterable[Event], tree: Tree, width: int) -> dict[int, list[_Drawn]]:
    """The draws below each step, in the order in which they were taken; one batch's equal draws follow each other,
    which no strategy but DVTS can tell."""
    copies: Counter[int] = Counter()
    drawn: defaultdict[int, list[_Drawn]] = defaultdict(list)
    subtrees: defaultdict[int, defaultdict[int, set[int]]] = defaultdict(lambda: defaultdict(set))
    for event in events:
        if isinstance(event, StepSampled):
            first = not copies[event.node]
            rollout = first and event.origin == "rollout"
            again = event.copies - copies[event.node] - first
            drawn[event.parent] += [_Drawn(event.node, True, rollout)] * first
            drawn[event.parent] += [_Drawn(event.node, False, False)] * again
            copies[event.node] = event.copies
        elif isinstance(event, Decision) and event.reason == "subtree_rank":
            subtrees[tree[event.node].parent or 0][int(event.numbers["subtree"])].add(event.node)
    for parent, families in subtrees.items():
        if len(families) > 1:
            order = dealt([each.node for each in drawn[parent]], families, width)
            met: set[int] = set()
            drawn[parent] = [_Drawn(node, not (node in met or met.add(node)), False) for node in order]  # type: ignore[func-returns-value]
    return dict(drawn)


class RecordedJudge:
    """A scorer's session that reads its scores from a table, by the ids of the record; `lacking` are the steps that it
    was asked for and knows nothing of."""

    def __init__(self, scores: Mapping[int, float]) -> None:
        self._scores = scores
        self.lacking: set[int] = set()

    async def score(self, paths: Sequence[Sequence[Node]], cost: ScorerCost) -> list[float | None]:
        asked = [recorded_id(path[-1]) for path in paths]
        self.lacking.update(node for node in asked if node not in self._scores)
        return [self._scores.get(node) for node in asked]

    def positions(self, path: Sequence[Node], scored: int) -> tuple[int, int]:
        return 0, 0

    def close(self) -> None:
        pass
