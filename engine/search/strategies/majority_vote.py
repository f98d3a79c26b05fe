"""Majority vote, or self-consistency (Wang et al. 2022, arXiv 2203.11171): N independent solutions, most votes.

The same samples as best-of-N with the same seed; no PRM is used. `stop` ends the sampling once the vote is sure.
"""

from __future__ import annotations

from engine.search.search import Search
from engine.search.stopping import complete


async def majority_vote(search: Search, *, n: int, stop: str | None = None) -> None:
    await complete(search, n, stop)
