"""The best of k by a judge, for every k, from draws that are recorded once.

Of N recorded draws every subset of k is equally likely, so the share of subsets whose best draw is right estimates the
accuracy of best-of-k without bias, and is computed exactly. For the vote it is estimated over random orders of the
draws. Draws count only where no judge chose among them; runs that share a seed share draws, so the longest is read.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from zlib import crc32

import numpy as np

from engine.runs.lab.evidence import Evidence, RunEvidence, ScoredPath
from engine.runs.statistics.resampling import Floats, percentiles, resampled
from engine.runs.statistics.subsets import left_out
from engine.search.interval import Interval
from engine.search.selection import REDUCERS

#: Orders of the draws over which the vote is averaged.
_ORDERS = 64


@dataclass(frozen=True, slots=True)
class Pool:
    """The draws of one problem by one policy, with the judge's response scores; each is (run, path), `copies` times."""

    problem: str
    draws: tuple[tuple[RunEvidence, ScoredPath], ...]
    scores: Floats
    right: Floats

    @property
    def size(self) -> int:
        return len(self.draws)


def pools(evidence: Evidence, reducer: str = "last") -> list[Pool]:
    """The draws of each problem; those that were not graded, and problems with a single draw, say nothing."""
    longest: dict[tuple[str, tuple[str, ...]], RunEvidence] = {}
    for run in evidence.runs:
        if run.draws is not None:
            known = longest.get((run.problem, run.draws))
            if known is None or _count(run) > _count(known):
                longest[run.problem, run.draws] = run
    by_problem: dict[str, list[tuple[RunEvidence, ScoredPath]]] = {}
    for (problem, _), run in longest.items():
        drawn = [(run, path) for path in run.paths if path.correct is not None for _ in range(path.copies)]
        by_problem.setdefault(problem, []).extend(drawn)
    return [_pool(problem, drawn, reducer) for problem, drawn in by_problem.items() if len(drawn) > 1]


def _count(run: RunEvidence) -> int:
    return sum(path.copies for path in run.paths)


def _pool(problem: str, drawn: Sequence[tuple[RunEvidence, ScoredPath]], reducer: str) -> Pool:
    reduce = REDUCERS[reducer]
    scores = [reduce(path.scores) if path.answer is not None else -1.0 for _, path in drawn]  # not eligible
    return Pool(problem, tuple(drawn), np.array(scores), np.array([float(path.correct or False) for _, path in drawn]))


@lru_cache(maxsize=64)
def _survival(n: int, k: int) -> Floats:
    """[n + 1]: the chance that a subset of k of n leaves out the first i, which are the best."""
    return np.array([left_out(i, n, k) for i in range(n + 1)])


def by_max(pool: Pool, ks: Sequence[int]) -> Floats:
    """The chance that the best of k draws is right, for each k; of equal scores each is as likely the best."""
    order = np.argsort(-pool.scores, kind="stable")
    scores, right = pool.scores[order], pool.right[order]
    starts = np.flatnonzero(np.r_[True, scores[1:] != scores[:-1]])
    ends = np.r_[starts[1:], len(scores)]
    share = np.add.reduceat(right, starts) / (ends - starts)
    chances = []
    for k in ks:
        survival = _survival(pool.size, min(k, pool.size))
        chances.append(float(((survival[starts] - survival[ends]) * share).sum()))
    return np.array(chances)


def by_vote(pool: Pool, ks: Sequence[int]) -> Floats:
    """The chance that the answer with the largest sum of scores among k draws is right, for each k."""
    groups = {answer: place for place, answer in enumerate(dict.fromkeys(path.answer for _, path in pool.draws))}
    which = np.array([groups[path.answer] for _, path in pool.draws])
    right = np.zeros(len(groups))
    right[which] = pool.right
    order = np.random.default_rng(crc32(pool.problem.encode())).permuted(
        np.tile(np.arange(pool.size), (_ORDERS, 1)), axis=1
    )
    weight = np.zeros((_ORDERS, pool.size, len(groups)))
    rows, places = np.indices(order.shape)
    weight[rows, places, which[order]] = np.maximum(pool.scores, 0)[order] + 1e-12 * (pool.scores >= 0)[order]
    summed = weight.cumsum(1)[:, [min(k, pool.size) - 1 for k in ks]]
    chosen = summed.argmax(2)
    won: Floats = (right[chosen] * (summed.max(2) > 0)).mean(0)
    return won


@dataclass(frozen=True, slots=True)
class Curve:
    """Accuracy at each k over `problems` problems, with intervals over problems; `table` is [problems, ks]."""

    ks: tuple[int, ...]
    accuracy: tuple[Interval, ...]
    problems: int
    table: Floats

    @property
    def best(self) -> int:
        """The k with the highest accuracy; of equal ones the smallest."""
        return self.ks[int(np.argmax(self.table.mean(0).round(12)))]

    def best_interval(self) -> Interval:
        """The best k, with its 95 % interval over problems."""
        means = (resampled(self.problems) @ self.table).round(9)
        return percentiles(float(self.best), np.array(self.ks, dtype=np.float64)[means.argmax(1)])


def curve(found: Sequence[Pool], how: str = "max", ks: Sequence[int] | None = None) -> Curve | None:
    """Accuracy by the number of draws, over problems that have the most draws that most of them have (None: too few).

    Every k is measured on the same problems: else easy ones that ended early would weigh more at small k.
    """
    if not found:
        return None
    most = int(np.median([pool.size for pool in found]))
    used = [pool for pool in found if pool.size >= most]
    ks = tuple(ks or powers(most))
    measure = by_max if how == "max" else by_vote
    table = np.array([measure(pool, ks) for pool in used])
    means = resampled(len(used)) @ table / len(used)
    accuracy = tuple(percentiles(float(table[:, place].mean()), means[:, place]) for place in range(len(ks)))
    return Curve(ks, accuracy, len(used), table)


def powers(most: int) -> tuple[int, ...]:
    """1, 2, 4 and so on, and `most` itself."""
    return tuple(sorted({*(1 << e for e in range(most.bit_length())), most}))
