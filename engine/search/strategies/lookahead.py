"""Lookahead search: beam search that judges a step by where it leads (Snell et al. 2024, arXiv 2408.03314).

Every candidate is continued by L greedy steps, and the score of that rollout's end ranks the candidate. Unlike
search-and-learn, whose beam search generates the rollouts but never scores them, and unlike the other implementations,
which throw them away, a surviving beam keeps its rollout: the first step is one of its M children, and the rest is the
beginning of that child's own rollout. Rollouts of pruned beams are pruned, completed or not: no beam led there.
"""

from __future__ import annotations

from engine.search.search import Search


async def lookahead(search: Search, *, n: int, width: int, finished: str, lookahead: int) -> None:
    frontier = await search.expand([search.root], n)
    while frontier:
        ends = await search.rollout(frontier, lookahead)
        await search.score(ends)
        ahead = dict(zip(frontier, ends, strict=True))
        survivors = search.keep(frontier, top=n // width, finished=finished, ahead=ahead)
        search.prune_rollouts(node for node in frontier if node not in survivors)
        frontier = await search.expand(survivors, width)
