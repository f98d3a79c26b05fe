"""Best-of-N: N independent solutions, then the PRM's word on every step (arXiv 2502.06703, section 2.2).

Which completion wins is the selection rule's affair (`engine.search.selection`).
"""

from __future__ import annotations

from engine.search.search import Search


async def best_of_n(search: Search, *, n: int) -> None:
    completions = await search.complete(n)
    await search.score(completions)
