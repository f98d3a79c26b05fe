"""Beam search over steps, guided by a PRM (arXiv 2502.06703, section 2.2; Snell et al. 2024, arXiv 2408.03314).

N first steps; then, level by level, the K = N / M best survive and each gets M children. `finished` says what happens
to completions on the way: "bank" sets them aside and goes on with K open nodes (search-and-learn), "compete" makes them
take one of the K slots (compute-optimal-tts). Unlike both, identical children are one node, and no beam is ever copied
to fill a slot.
"""

from __future__ import annotations

from engine.search.search import Search


async def beam_search(search: Search, *, n: int, width: int, finished: str) -> None:
    frontier = await search.expand([search.root], n)
    while frontier:
        await search.score(frontier)
        survivors = search.keep(frontier, top=n // width, finished=finished)
        frontier = await search.expand(survivors, width)
