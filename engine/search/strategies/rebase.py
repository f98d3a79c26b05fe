"""REBASE, reward-balanced search (Wu et al. 2024, arXiv 2408.00724): better steps get more draws.

At every depth the N draws that are not yet completions are shared among the open nodes by the softmax of their scores;
a node whose share rounds to nothing is pruned. Identical children are one node, with a share for each of its draws.
Unlike in the paper, which rounds each share by itself, the shares add up to the budget (largest remainders first).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from engine.search.search import Search

#: T_b of the paper: a lower temperature concentrates the draws on the best nodes.
BALANCE = 0.1


async def rebase(search: Search, *, n: int) -> None:
    frontier = await search.expand([search.root], n)
    while frontier:
        await search.score(frontier)
        search.finish(node for node in frontier if node.terminal)
        ranked = search.ranked(node for node in frontier if not node.terminal)
        if search.finished >= n:
            search.prune(ranked, "width_reached", {"n": n, "finished": search.finished})
            ranked = []
        values, copies = [search.value(node) for node in ranked], [node.copies for node in ranked]
        draws = dict(zip(ranked, shares(values, copies, n - search.finished), strict=True))
        frontier = await search.expand(search.allot(draws), 1)
    search.flush()


def shares(values: Sequence[float], copies: Sequence[int], draws: int) -> list[int]:
    """Share `draws` by the softmax of `values` over all copies, in whole numbers that add up."""
    weights = [c * math.exp((value - max(values)) / BALANCE) for value, c in zip(values, copies, strict=True)]
    exact = [max(0, draws) * weight / sum(weights) for weight in weights]
    whole = [math.floor(share) for share in exact]
    by_remainder = sorted(range(len(exact)), key=lambda i: (whole[i] - exact[i], i))
    for i in by_remainder[: max(0, draws) - sum(whole)]:
        whole[i] += 1
    return whole
