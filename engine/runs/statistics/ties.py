"""Which of several methods are tied: groups between which a difference was shown, and within which none was.

All pairs are tested on the same problems (paired), and the p-values are corrected together by Holm's procedure, so that
where all methods are equally good the chance of separating any two is at most 5 %. It must be all pairs, not only those
with the best one: which is best is read from the same data, and the best of many equals looks better than it is.

The first group is the method with the highest accuracy and all that are not significantly different from it; the next
is the best of the rest and all of the rest that are not significantly different from that; and so on. Two members of a
group may differ from each other: a tie is with the group's best. A tie means that no difference was shown, not that
there is none: how large one could have been is said by `Difference.detectable`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

from engine.runs.statistics.power import LEVEL
from engine.runs.statistics.resampling import Floats, holm, resampled, tested


@dataclass(frozen=True, slots=True)
class Ranking:
    """Methods by their column in the table.

    Attributes:
        order: best first.
        groups: of tied methods, the best first, each from its best.
        p: corrected p-value of each pair (first column < second column).
    """

    order: tuple[int, ...]
    groups: tuple[tuple[int, ...], ...]
    p: dict[tuple[int, int], float]


def ranked(table: Floats, prices: Sequence[float] | None = None) -> Ranking:
    """Rank the columns of `table` [problems, methods]; of equal means the one with the lower price comes first."""
    problems, methods = table.shape
    means = table.mean(0)
    price = prices if prices is not None else [0.0] * methods
    order = sorted(range(methods), key=lambda method: (-round(float(means[method]), 12), price[method], method))
    resamples = resampled(problems) @ table / problems
    pairs = list(combinations(range(methods), 2))
    raw = [
        tested(float(means[a] - means[b]), resamples[:, a] - resamples[:, b], 0.0, problems, problems, both=True).p
        for a, b in pairs
    ]
    p = dict(zip(pairs, holm(raw), strict=True))
    groups: list[tuple[int, ...]] = []
    left = list(order)
    while left:
        best = left[0]
        group = [other for other in left if other == best or p[min(best, other), max(best, other)] > LEVEL]
        groups.append(tuple(group))
        left = [other for other in left if other not in group]
    return Ranking(tuple(order), tuple(groups), p)
