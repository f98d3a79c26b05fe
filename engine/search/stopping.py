"""Stopping early: no more draws once the leading answer is sure enough to stay ahead.

The Beta criterion (Aggarwal et al. 2023, Adaptive-Consistency, arXiv 2305.11860): with v1 and v2 votes for the two
leading answers and a uniform prior, the share of v1 among the two is Beta(v1 + 1, v2 + 1), and the leader stays ahead
with probability

    P = 1 - sum over k <= v2 of C(v1 + v2 + 1, k) / 2^(v1 + v2 + 1).

P can rise no faster than if every further draw agreed with the leader. So a wave of draws is as many as that takes, and
none of them is ever more than a search that looks after every single draw would have taken: nothing is wasted, and what
a back end takes at a time changes nothing.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable
from functools import lru_cache

from engine.errors import InvalidInput
from engine.search.search import Search
from engine.search.tree import Node

#: The least draws with an answer that may decide: one always agrees with itself.
FEWEST = 2


def threshold_of(stop: str) -> float:
    """The probability that `beta:0.95` asks for. Raises `InvalidInput`."""
    kind, _, value = stop.strip().partition(":")
    try:
        threshold = float(value)
    except ValueError:
        threshold = math.nan
    if kind != "beta" or not 0.5 <= threshold < 1:
        raise InvalidInput("stop", f"{stop!r} is no rule; give beta: and a probability from 0.5 to below 1: beta:0.95")
    return threshold


@lru_cache(maxsize=65536)
def certainty(first: int, second: int) -> float:
    """P, the probability that an answer of `first` votes stays ahead of one of `second`."""
    of = first + second + 1
    behind: float = sum(math.comb(of, k) for k in range(second + 1)) / 2**of
    return 1 - behind


def leading(votes: Iterable[int]) -> tuple[int, int]:
    """The two largest numbers of votes."""
    first, second, *_ = [*sorted(votes, reverse=True), 0, 0]
    return first, second


def sure(votes: Counter[str], threshold: float) -> bool:
    return votes.total() >= FEWEST and certainty(*leading(votes.values())) >= threshold


def least_more(votes: Counter[str], threshold: float, most: int) -> int:
    """The fewest further draws, up to `most`, after which the leading answer can be sure: all of them agree with it."""
    first, second = leading(votes.values())
    agreeing = 1 + bisect_left(range(1, most + 1), threshold, key=lambda more: certainty(first + more, second))
    return min(most, max(agreeing, FEWEST - votes.total()))


async def complete(search: Search, n: int, stop: str | None) -> list[Node]:
    """Up to `n` draws from the root to their ends; returns the distinct completions. With `stop`, no more of them than
    it takes until the leading answer is sure. Answers that the domain normalises to one text are equal."""
    if stop is None:
        return await search.complete(n)
    threshold, drawn = threshold_of(stop), 0
    votes: Counter[str] = Counter()
    completions: list[Node] = []
    while drawn < n and search.affords_more and not sure(votes, threshold):
        drawn += least_more(votes, threshold, n - drawn)
        completions = await search.complete(drawn)
        votes = Counter()
        for leaf in completions:
            if leaf.answer is not None:
                votes[search.domain.normalise(leaf.answer)] += leaf.copies
    if drawn < n and search.affords_more:  # it is sure, and neither N nor the budget ended it
        first, second = leading(votes.values())
        numbers = {"leading": first, "second": second, "votes": votes.total(), "drawn": drawn, "n": n}
        probability = {"probability": certainty(first, second), "threshold": threshold}
        search.decide(search.root, "expand", "beta_stop", numbers | probability)
        search.flush()
        search.stop_reason = "agreement"
    return completions
