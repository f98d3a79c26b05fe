"""DVTS, diverse verifier tree search (search-and-learn; arXiv 2502.06703, section 2.2): N / M greedy subtrees.

The N first steps are dealt to the subtrees in draw order, M each; then the best child of each subtree, and of nothing
else, goes on with M draws. A subtree ends when its best child is finished and answers with it; one that ends otherwise
(no open child, `max_steps`, budget) answers with the best completion it had passed by. So N / M completions vote, each
with the draws that produced it. search-and-learn returns all M last siblings instead, unfinished ones included. Two
subtrees with the same step share its node, and each takes M draws of its own below it.
"""

from __future__ import annotations

from itertools import chain

from engine.search.search import Search
from engine.search.tree import Node


async def dvts(search: Search, *, n: int, width: int) -> None:
    heads = dict.fromkeys(range(n // width), search.root)
    passed_by: dict[int, list[Node]] = {subtree: [] for subtree in heads}
    while heads:
        families = dict(zip(heads, await search.expand_each(heads.values(), width), strict=True))
        await search.score(chain.from_iterable(families.values()))
        best = search.keep_best(families)
        search.finish(node for node in best.values() if node.terminal)
        heads = {subtree: node for subtree, node in best.items() if not node.terminal}
        for subtree, family in families.items():
            ended = subtree in best and best[subtree].terminal
            passed_by[subtree] = [] if ended else passed_by[subtree] + [node for node in family if node.terminal]
    for completions in passed_by.values():
        search.finish(search.ranked(completions)[:1])
    search.flush()
