"""VG-Search(g): beam search that verifies every g steps (arXiv 2505.11730).

Beam search, but for what happens between two rounds of ranking: each of the K beams that survive goes on alone for
g - 1 steps, and only then gets its M children. So a beam branches at every g-th step, and K (g - 1) draws replace N
(g - 1). `granularity=1` is beam search, node for node.

A beam that ends on the way is not drawn any further (the published code looks only after all g - 1 steps); it is
ranked, or set aside, with the children of the others. The steps in between decide nothing, but they are scored with
the next branching: a PRM has to read them there anyway, and rules such as `prm_min_vote` read every step.
"""

from __future__ import annotations

from engine.search.search import Search
from engine.search.tree import Node


async def vg_search(search: Search, *, n: int, width: int, finished: str, beams: str, granularity: int) -> None:
    frontier = await search.expand([search.root], n)
    while frontier:
        await search.score(frontier)
        survivors = search.keep(frontier, top=n // width, finished=finished, beams=beams)
        ended: list[Node] = []
        for alone in range(1, granularity):
            drawn = [step for family in await search.expand_each(survivors, 1) for step in family]
            ended += [step for step in drawn if step.terminal]
            survivors = [step for step in drawn if not step.terminal]
            for step in dict.fromkeys(survivors):
                search.decide(step, "keep", "unranked", {"step": alone, "of": granularity - 1})
        frontier = list(dict.fromkeys([*ended, *await search.expand(survivors, width)]))
