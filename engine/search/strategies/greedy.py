"""Greedy decoding: one chain at temperature 0. The baseline called "CoT" in the study (arXiv 2502.06703, Table 5)."""

from __future__ import annotations

from engine.search.search import Search


async def greedy(search: Search) -> None:
    await search.complete(1, temperature=0)
