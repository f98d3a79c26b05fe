"""Is one method better than another on the same problems? Paired, and clustered over problems.

What two methods have in common at a problem (how hard it is) is taken out by pairing. Several seeds of one problem are
not independent evidence, so they are averaged first and then problems are resampled: a cluster bootstrap in which each
problem counts once (Miller 2024, arXiv 2411.00640, sections 2 to 4). Resampling runs instead of problems makes the
interval too short by the more, the more seeds there are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from engine.runs.statistics.mcnemar import McNemar, mcnemar
from engine.runs.statistics.power import detectable, problems_for
from engine.runs.statistics.resampling import Floats, resampled, tested
from engine.search.interval import Interval

#: Outcomes of each problem under its seeds: 1.0 or 0.0, or the mean over subsets of draws.
Outcomes = Sequence[Sequence[float]]


@dataclass(frozen=True, slots=True)
class Difference:
    """The first method's accuracy less the second's.

    Attributes:
        interval: the mean over problems, with its 95 % interval.
        p: two-sided, of a difference this large where there is none; 1 with fewer than eight problems.
        mcnemar: the exact test, where every problem has one outcome of each method, right or wrong.
        problems: that both were measured on.
        first_better, second_better: on how many of them each was right more often.
        detectable: the smallest difference that so many problems show in 80 of 100 repetitions, at the 5 % level; None
            where the methods differed on no problem, which says nothing of how much they vary.
        needed: problems that it takes to show a difference as large as the one observed; None where there is none.
    """

    interval: Interval
    p: float
    mcnemar: McNemar | None
    problems: int
    first_better: int
    second_better: int
    detectable: float | None
    needed: int | None

    @property
    def more(self) -> int | None:
        """How many more problems than there are it takes to show the difference observed; 0 if they are enough."""
        return None if self.needed is None else max(0, self.needed - self.problems)


def difference(first: Outcomes, second: Outcomes) -> Difference:
    """The difference of two methods, problem by problem; a problem may have any number of seeds."""
    gaps = np.array([_mean(one) - _mean(other) for one, other in zip(first, second, strict=True)], dtype=np.float64)
    found = over_problems(gaps)
    exact = None
    if all(_plain(outcomes) for outcomes in (*first, *second)):
        exact = mcnemar([each[0] == 1.0 for each in first], [each[0] == 1.0 for each in second])
    spread = float(gaps.std(ddof=1)) if len(gaps) > 1 else 0.0
    mean = found[0].mean
    return Difference(
        *found, exact, len(gaps), int((gaps > 0).sum()), int((gaps < 0).sum()), detectable(spread, len(gaps)),
        problems_for(mean, spread) if spread else None,
    )  # fmt: skip


def over_problems(gaps: Floats) -> tuple[Interval, float]:
    """The mean of one difference a problem with its interval, and the p-value of no difference."""
    if not len(gaps):
        return Interval(float("nan"), float("nan"), float("nan")), 1.0
    found = tested(float(gaps.mean()), resampled(len(gaps)) @ gaps / len(gaps), 0.0, len(gaps), len(gaps), both=True)
    return found.interval, found.p


def _mean(outcomes: Sequence[float]) -> float:
    return sum(outcomes) / len(outcomes)


def _plain(outcomes: Sequence[float]) -> bool:
    return len(outcomes) == 1 and outcomes[0] in (0.0, 1.0)
