"""What fewer draws would have made of a problem, read from N of them: the mean over all subsets of k draws.

Best-of-N and votes need no run of their own for every N: any k of N independent draws are as good as k drawn alone, so
the share of the C(N, k) subsets that elect a right answer is an unbiased estimate of the accuracy at k, with far less
noise than one subset has.

- pass@k, exactly: 1 - C(N - c, k) / C(N, k), where c of the N draws are right (Chen et al. 2021, arXiv 2107.03374).
- Rules by the best score, exactly: with the draws in the engine's order, best first, the one at place i (from 0) leads
  C(N - 1 - i, k - 1) subsets.
- Votes, over every subset where there are no more than `ENUMERATED`; else over `SAMPLED` random ones from a fixed seed,
  the same in every process: the standard error of one problem's estimate is then below 1.6 points.

A draw that did not end votes for nothing. Ties are decided as the engine decides them (`engine.search.selection`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations
from math import comb

import numpy as np
from numpy.typing import NDArray

#: Subsets up to which all are looked at, and how many are drawn where there are more.
ENUMERATED, SAMPLED = 4096, 1024

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Drawn:
    """N draws under one rule, the one that the engine ranks first in front; draws that ended without an answer may be
    among the eligible, those that did not end are not.

    `group` numbers the answer of each draw (of one number: one answer), -1 for none that could win; `weight` is what it
    adds to its answer's vote, `right` whether it is right, `completion` numbers the distinct texts.
    """

    group: Ints
    weight: Floats
    right: NDArray[np.bool_]
    completion: Ints

    def __len__(self) -> int:
        return len(self.group)


def best_at(right: Sequence[bool], k: int) -> float:
    """The share of subsets of `k` whose first draw is right; `right` are the draws, best first."""
    n = len(right)
    subsets = sum(comb(n - 1 - place, k - 1) for place, correct in enumerate(right) if correct)
    return subsets / comb(n, k)


def vote_at(drawn: Drawn, k: int, seed: int = 0, *, distinct: bool = False) -> float:
    """The share of subsets of `k` whose heaviest answer is right; `distinct`: each completion votes once.

    Of answers with the same weight the one whose first draw stands in front wins. `seed` shuffles the draws before
    random subsets are taken of them: those of two problems are then independent.
    """
    n, answers = len(drawn), int(drawn.group.max(initial=-1)) + 1
    if not answers:
        return 0.0
    chosen = _subsets(n, k)
    if comb(n, k) > ENUMERATED:
        chosen = np.sort(np.random.default_rng(seed).permutation(n)[chosen], axis=1)
    votes = np.where(drawn.group >= 0, drawn.weight, 0.0)[chosen]
    if distinct:
        votes = np.where(_again(drawn.completion[chosen]), 0.0, votes)
    groups, rows = drawn.group[chosen], len(chosen)
    voting = groups >= 0
    place = (np.arange(rows)[:, None] * answers + groups)[voting]
    total = np.bincount(place, votes[voting], rows * answers).reshape(rows, answers)
    present = np.zeros(rows * answers, dtype=np.bool_)
    present[place] = True
    total = np.where(present.reshape(rows, answers), total, -np.inf)
    heaviest = total.max(axis=1)
    # The first draw in front that belongs to one of the heaviest answers: draws of a subset stand in their order.
    leads = voting & (np.take_along_axis(total, np.maximum(groups, 0), axis=1) == heaviest[:, None])
    winner = groups[np.arange(rows), leads.argmax(axis=1)]
    right = np.zeros(answers, dtype=np.bool_)
    eligible = drawn.group >= 0
    right[drawn.group[eligible][::-1]] = drawn.right[eligible][::-1]  # the first of each answer stands for it
    right = right[winner] & leads.any(axis=1)
    return float(right.mean())


def _again(completions: Ints) -> NDArray[np.bool_]:
    """Where a row has a completion that it had before."""
    order = np.argsort(completions, axis=1, kind="stable")
    ordered = np.take_along_axis(completions, order, axis=1)
    repeated = np.zeros(completions.shape, dtype=np.bool_)
    repeated[:, 1:] = ordered[:, 1:] == ordered[:, :-1]
    found = np.empty_like(repeated)
    np.put_along_axis(found, order, repeated, axis=1)
    return found


@lru_cache(maxsize=256)
def _subsets(n: int, k: int) -> Ints:
    """Subsets of `k` of `n` draws, a row each, in rising order: all of them, or random ones."""
    if comb(n, k) <= ENUMERATED:
        return np.array(list(combinations(range(n), k)), dtype=np.int64)
    draw = np.random.default_rng([n, k]).random((SAMPLED, n))
    return np.argpartition(draw, k, axis=1)[:, :k].astype(np.int64)


def smaller(n: int) -> list[int]:
    """1, 2, 4, ... up to `n`, and `n` itself."""
    sizes = [1 << power for power in range(n.bit_length()) if 1 << power < n]
    return [*sizes, n]
