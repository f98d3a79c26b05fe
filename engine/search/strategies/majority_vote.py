"""Majority vote, or self-consistency (Wang et al. 2022, arXiv 2203.11171): N independent solutions, most votes.

The same samples as best-of-N with the same seed; no PRM is used.
"""

from __future__ import annotations

from engine.search.search import Search


async def majority_vote(search: Search, *, n: int) -> None:
    await search.complete(n)
