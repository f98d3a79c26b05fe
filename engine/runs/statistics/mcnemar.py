"""McNemar's exact test: of the problems that only one of two methods solved, was it as often the one as the other?

Problems that both or neither solved say nothing about the difference (McNemar 1947). Where the methods are equally
good, each of the b + c others is a fair coin, so with no approximation

    p = min(1, 2 P(X <= min(b, c))),   X ~ Binomial(b + c, 1/2).

It needs one outcome of each method a problem, right or wrong: with several seeds a problem counts several times, which
no binomial allows (see `engine.runs.statistics.differences`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import comb


@dataclass(frozen=True, slots=True)
class McNemar:
    """How many problems only the first and only the second method solved, and the two-sided p-value."""

    only_first: int
    only_second: int
    p: float


def mcnemar(first: Sequence[bool], second: Sequence[bool]) -> McNemar:
    """The test of two methods on the same problems, in the same order."""
    pairs = list(zip(first, second, strict=True))
    b, c = pairs.count((True, False)), pairs.count((False, True))
    return McNemar(b, c, binomial_p(b, c))


def binomial_p(b: int, c: int) -> float:
    """The exact two-sided p-value of b against c where both are equally likely."""
    n = b + c
    tail = sum(comb(n, k) for k in range(min(b, c) + 1))
    return min(1.0, float(2 * tail / 2**n))
