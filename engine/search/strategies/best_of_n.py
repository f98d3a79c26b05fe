"""Best-of-N: N independent solutions, then a PRM score for every step (arXiv 2502.06703, section 2.2).

The selection rule decides which completion wins (`engine.search.selection`).
"""

from __future__ import annotations

from engine.search.search import Search


async def best_of_n(search: Search, *, n: int) -> None:
    completions = await search.complete(n)
    await search.score(completions)
