"""The useful width: how many draws a noisy judge can choose among before its noise wins.

Dalal et al. (arXiv 2603.15377) show that selecting by a noisy score has a largest useful width that grows exponentially
with (gap / noise)^2. Their abstract gives no constant; this is the derivation used here. Let one right path be scored
`gap` above the mean of wrong ones, and let every score have independent normal noise of standard deviation `noise`. The
largest of the noises of K wrong paths is about noise * sqrt(2 ln K). It reaches the right path's advantage where

    noise * sqrt(2 ln K) = gap,   that is   K = exp((gap / noise)^2 / 2).

Assumed: normal noise, the same for right and wrong paths and at every problem; independent scores; one right path
however large K is. The last is where it leaves best-of-N: with more draws there are more right ones, too, and under
equal normal noise the best of K then only gets better with K. So a second prediction is made beside it: with noise of
its own for right and wrong paths and each problem's own share of right draws, the accuracy of the best of K is

    A(K) = mean over problems of  K p integral f_right(x) F(x)^(K-1) dx,   F = p F_right + (1-p) F_wrong,

and the predicted width is its best K. It falls somewhere only if wrong paths are noisier than right ones.

Scores are read as log-odds, on which noise is nearer to normal. Gap and noise are taken within problems: a problem's
draws share what makes it hard. What was really best is measured on the same draws (`engine.runs.lab.best_of_k`).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from engine.models.scorers.recalibrated import EPSILON
from engine.runs.lab.best_of_k import Curve, Pool, curve, pools
from engine.runs.lab.evidence import Evidence, RunEvidence, ScoredStep
from engine.runs.statistics.resampling import Floats, percentiles, resampled
from engine.search.interval import Interval

#: Larger predictions are all the same.
_MOST_K = 1e9
#: Where the integrand of A(K) is evaluated: standard deviations around the means, and points.
_SPAN, _POINTS = 8.0, 801


@dataclass(frozen=True, slots=True)
class Separation:
    """How right and wrong paths are scored, in log-odds, within the problems that have both.

    `noise` is pooled over both, `noise_right` and `noise_wrong` are of each; `width` is exp((gap / noise)^2 / 2).
    """

    gap: Interval
    noise: Interval
    noise_right: float
    noise_wrong: float
    width: Interval
    right: int
    wrong: int
    problems: int


@dataclass(frozen=True, slots=True)
class AtDepth:
    """The separation of the steps at one depth, on paths that ended right and on paths that ended wrong, and those
    steps: (run, step, whether its path ended right)."""

    depth: int
    separation: Separation
    steps: tuple[tuple[RunEvidence, ScoredStep, bool], ...]


@dataclass(frozen=True, slots=True)
class Width:
    """The predictions for one judge and policy beside what was measured. `modelled` is the best K of A(K)."""

    judge: str
    policy: str
    whole: Separation
    depths: tuple[AtDepth, ...]
    modelled: int
    model: tuple[float, ...]
    measured: Curve
    pools: tuple[Pool, ...]

    @property
    def agrees(self) -> bool:
        """Whether the predicted width, as far as it can be seen in so many draws, is in the measured one's interval."""
        most, interval = self.measured.ks[-1], self.measured.best_interval()
        return interval.low <= min(self.whole.width.mean, most) <= interval.high


def policies(evidence: Evidence) -> list[str]:
    return sorted({run.policy for run in evidence.runs})


def useful_width(evidence: Evidence, policy: str, reducer: str = "last") -> Width | None:
    """None where draws that no judge chose among are too few, or all of a problem's are right, or wrong."""
    own = Evidence(
        evidence.judge, tuple(run for run in evidence.runs if run.policy == policy), evidence.read, evidence.left_out
    )
    drawn = pools(own, reducer)
    measured = curve(drawn)
    whole = separation(
        (pool.problem, float(score), bool(right))
        for pool in drawn
        for score, right in zip(pool.scores, pool.right, strict=True)
        if score >= 0
    )
    if measured is None or whole is None:
        return None
    model = modelled(whole, [float(pool.right.mean()) for pool in drawn], measured.ks)
    best = measured.ks[int(np.argmax(np.round(model, 6)))]
    return Width(
        evidence.judge, policy, whole, tuple(_depths(drawn)), best, tuple(map(float, model)), measured, tuple(drawn)
    )


def separation(scored: Iterable[tuple[str, float, bool]]) -> Separation | None:
    """From (problem, score, ended right); None where no problem has both kinds, or the scores do not vary."""
    by_problem: dict[str, tuple[list[float], list[float]]] = {}
    for problem, score, right in scored:
        by_problem.setdefault(problem, ([], []))[right].append(_log_odds(score))
    both = [(np.array(wrong), np.array(right)) for wrong, right in by_problem.values() if wrong and right]
    if not both:
        return None
    rows = np.array([_sums(wrong, right) for wrong, right in both])
    estimates = _estimates(rows.sum(0, keepdims=True))
    if not estimates[1, 0] > 0:
        return None
    resampled_ = _estimates(resampled(len(rows)) @ rows)
    gap, noise, on_right, on_wrong = (float(each[0]) for each in estimates)
    widths = _width(resampled_[0], resampled_[1])
    return Separation(
        percentiles(gap, resampled_[0]), percentiles(noise, resampled_[1]), on_right, on_wrong,
        percentiles(float(_width(np.array([gap]), np.array([noise]))[0]), widths),
        sum(len(right) for _, right in both), sum(len(wrong) for wrong, _ in both), len(both),
    )  # fmt: skip


def _log_odds(score: float) -> float:
    held = min(1 - EPSILON, max(EPSILON, score))
    return math.log(held / (1 - held))


def _sums(wrong: Floats, right: Floats) -> list[float]:
    """What a problem adds: its gap and that gap's weight; squares and degrees of freedom of right and of wrong."""
    weight = len(wrong) * len(right) / (len(wrong) + len(right))
    squares = [float(((each - each.mean()) ** 2).sum()) for each in (right, wrong)]
    gap = float(right.mean() - wrong.mean())
    return [weight * gap, weight, squares[0], len(right) - 1, squares[1], len(wrong) - 1]


def _estimates(sums: Floats) -> Floats:
    """[4, rows]: gap, noise of both, of right and of wrong paths."""
    gap, weight, of_right, right, of_wrong, wrong = sums.T
    with np.errstate(invalid="ignore", divide="ignore"):
        noise = np.sqrt((of_right + of_wrong) / (right + wrong))
        return np.array([gap / weight, noise, np.sqrt(of_right / right), np.sqrt(of_wrong / wrong)])


def _width(gap: Floats, noise: Floats) -> Floats:
    """A judge that scores wrong paths higher has no useful width beyond one draw."""
    with np.errstate(invalid="ignore", divide="ignore"):
        exponent = np.minimum((np.maximum(gap, 0) / noise) ** 2 / 2, math.log(_MOST_K))
        width: Floats = np.exp(exponent)
    return width


def modelled(whole: Separation, shares: Sequence[float], ks: Sequence[int]) -> Floats:
    """A(K) for each K: the accuracy of the best of K if scores were normal; `shares` of right draws, one a problem."""
    right, wrong = (max(each, 1e-3) if math.isfinite(each) else 1e-3 for each in (whole.noise_right, whole.noise_wrong))
    gap = whole.gap.mean
    low = min(gap - _SPAN * right, -_SPAN * wrong)
    high = max(gap + _SPAN * right, _SPAN * wrong)
    x = np.unique(np.r_[np.linspace(low, high, _POINTS), gap + right * np.linspace(-_SPAN, _SPAN, _POINTS)])
    above = 0.5 * (1 + _erf((x - gap) / right / math.sqrt(2)))
    below = 0.5 * (1 + _erf(x / wrong / math.sqrt(2)))
    mass, middle = np.diff(above), [(each[1:] + each[:-1]) / 2 for each in (above, below)]
    p = np.array(shares)[:, None]
    mixed = p * middle[0] + (1 - p) * middle[1]
    return np.array([float((k * p * mass * mixed ** (k - 1)).sum(1).mean()) for k in ks])


_erf = np.vectorize(math.erf, otypes=[np.float64])


def _depths(drawn: Sequence[Pool]) -> Iterable[AtDepth]:
    steps: dict[int, list[tuple[RunEvidence, ScoredStep, bool]]] = {}
    for pool in drawn:
        for run, path in pool.draws:
            for step in path.steps:
                steps.setdefault(step.depth, []).append((run, step, bool(path.correct)))
    for depth, found in sorted(steps.items()):
        at = separation((run.problem, step.score, right) for run, step, right in found)
        if at is not None:
            yield AtDepth(depth, at, tuple(found))
