"""Monte Carlo tree search, UCT or PUCT (Kocsis and Szepesvari 2006; Silver et al. 2017). An extension: the study
(arXiv 2502.06703) leaves MCTS out. One iteration: descend, expand M, score, roll the best new step out greedily to its
end, and back up the best new value, as a mean. All completions on the way vote; N of them end the search.

Unlike openr's (one path, descended again and again), a leaf or subtree with nothing left to expand is not entered
again; a node not yet visited is worth its own PRM score; and thanks to the rollouts even a small budget buys answers.
M children are few if a policy is unsure, and such a tree is soon explored to its leaves. Then every node may have M
more draws, from the root down (progressive widening: Chaslot et al. 2008; Couetoux et al. 2011), until N completions
are reached, the budget is spent, or N iterations bring no new one.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Sequence

from engine.search.search import Search
from engine.search.tree import Node


async def mcts(search: Search, *, n: int, width: int, tree_policy: str, exploration: float) -> None:
    record = _Record(search, tree_policy, exploration)
    fruitless = 0  # iterations without a new completion; N of them and the search gives up
    draws = width  # below every node; M more whenever the tree is exhausted
    while search.finished < n and fruitless < n and search.affords_more:
        if search.root in record.exhausted:
            draws += width
            record.reopen()
        found, known = search.finished, len(search.tree)
        path = record.descend()
        children = await search.expand([path[-1]], draws)
        await search.score(children)
        search.finish(child for child in children if child.terminal)
        best = search.ranked(child for child in children if not child.terminal)[:1]
        ends = await search.rollout(best if search.finished < n else [])
        await search.score(ends)
        search.finish(end for end in ends if end.terminal)
        new = [node for node in [*children, *ends] if node.id >= known] or children
        record.back_up(path, search.ranked(new)[:1])
        fruitless += search.finished == found
    if search.affords_more:
        numbers = {"n": n, "finished": search.finished}
        search.prune(search.open_leaves(), "width_reached" if search.finished >= n else "fruitless", numbers)
    search.flush()


class _Record:
    """Visits and values of the nodes expanded so far."""

    def __init__(self, search: Search, tree_policy: str, exploration: float) -> None:
        self._search, self._puct, self._c = search, tree_policy == "puct", exploration
        self._iteration = 0
        self._visits: Counter[Node] = Counter()
        self._total: defaultdict[Node, float] = defaultdict(float)
        self.exhausted: set[Node] = set()
        self._expanded: set[Node] = set()

    def descend(self) -> list[Node]:
        """From the root to a node not yet expanded, by the largest upper confidence bound among those worth a visit."""
        self._iteration += 1
        path = [self._search.root]
        while path[-1] in self._expanded:
            bounds = self._bounds(path[-1])
            best = min(bounds, key=lambda node: (-bounds[node]["total"], -node.mean_logprob, node.text))
            self._search.decide(best, "descend", "upper_bound", {"iteration": self._iteration} | bounds[best])
            path.append(best)
        return path

    def reopen(self) -> None:
        """Every node may be expanded once more; visits and values are kept."""
        self.exhausted.clear()
        self._expanded.clear()

    def back_up(self, path: Sequence[Node], best: Sequence[Node]) -> None:
        """Add the value of the best node found to the mean of every node on `path`; note what is exhausted."""
        self._expanded.add(path[-1])
        for node in reversed(path):
            if all(self._done(child) for child in self._search.tree.children(node)):
                self.exhausted.add(node)
            for found in best:
                value = self._search.value(found)
                self._visits[node] += 1
                self._total[node] += value
                numbers = {"iteration": self._iteration, "value": value, "from": found.id}
                numbers |= {"visits": self._visits[node], "mean": self._mean(node)}
                self._search.decide(node, "backup", "mean", numbers)
        self._search.flush()

    def _bounds(self, parent: Node) -> dict[Node, dict[str, float]]:
        """The upper confidence bound of each child worth a visit, term by term."""
        children = self._search.tree.children(parent)
        likelihood = {child: math.exp(child.mean_logprob) for child in children}
        bounds = {}
        for child in children:
            if self._done(child):
                continue
            visits, value = self._visits[child], self._mean(child)
            prior = likelihood[child] / sum(likelihood.values())
            if self._puct:
                term = self._c * prior * math.sqrt(self._visits[parent]) / (1 + visits)
            else:
                term = self._c * math.sqrt(math.log(1 + self._visits[parent]) / (1 + visits))
            bounds[child] = {
                "value": value, "visits": visits, "parent_visits": self._visits[parent], "prior": prior,
                "exploration": term, "total": value + term, "of": len(children),
            }  # fmt: skip
        return bounds

    def _mean(self, node: Node) -> float:
        return self._total[node] / self._visits[node] if self._visits[node] else self._search.value(node)

    def _done(self, node: Node) -> bool:
        return node.terminal or node in self.exhausted
