"""REBASE, reward-balanced search (Wu et al. 2024, arXiv 2408.00724): better steps get more draws.

At every depth the N draws that are not yet completions are shared among the open nodes by the softmax of their scores;
a node whose share rounds to nothing is pruned. Unlike in the paper, which rounds each share by itself, the shares
add up to the budget (largest remainders first), and identical children are one node with one share.
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
        draws = shares([search.value(node) for node in ranked], n - search.finished)
        survivors = search.keep(ranked, top=sum(share > 0 for share in draws))
        frontier = await search.expand([node for node, k in zip(survivors, draws, strict=False) for _ in range(k)], 1)


def shares(values: Sequence[float], draws: int) -> list[int]:
    """Share `draws` by the softmax of `values` (best first), in whole numbers that add up."""
    weights = [math.exp((value - max(values)) / BALANCE) for value in values]
    exact = [max(0, draws) * weight / sum(weights) for weight in weights]
    whole = [math.floor(share) for share in exact]
    by_remainder = sorted(range(len(exact)), key=lambda i: (whole[i] - exact[i], i))
    for i in by_remainder[: max(0, draws) - sum(whole)]:
        whole[i] += 1
    return whole
