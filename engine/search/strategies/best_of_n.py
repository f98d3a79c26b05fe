"""Best-of-N: N independent solutions, then a PRM score for every step (arXiv 2502.06703, section 2.2).

The selection rule decides which completion wins (`engine.search.selection`). `stop` ends the sampling once the vote is
sure; the PRM then scores what was drawn.
"""

from __future__ import annotations

from engine.search.search import Search
from engine.search.stopping import complete


async def best_of_n(search: Search, *, n: int, stop: str | None = None) -> None:
    completions = await complete(search, n, stop)
    await search.score(completions)
