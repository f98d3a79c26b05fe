"""A monotone map from a judge's scores to how often such steps are right, fitted on one half of the problems.

The half that a problem is in follows from its text alone, so a map is never shown on problems that it was fitted on.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import Literal

import numpy as np

from engine.errors import InvalidInput
from engine.models.scorers.recalibrated import EPSILON, ScoreMap
from engine.runs.lab.calibration import Against, Calibration, Observation, calibrate, observations
from engine.runs.lab.evidence import Evidence
from engine.runs.statistics.resampling import Floats

Way = Literal["isotonic", "temperature"]

#: Points of an isotonic map, at most: as many groups of scores with equally many outcomes.
_POINTS = 64
#: Values are kept this far from 0 and 1, so that a product of them is not decided by one step.
_MARGIN = 1e-3
#: Outcomes that a map is fitted on at least, and of each kind.
FEWEST_OUTCOMES, _FEWEST_OF_A_KIND = 50, 5


@dataclass(frozen=True, slots=True)
class Recalibration:
    """A map, and the calibration on the other half, without it and with it."""

    way: Way
    map: ScoreMap
    fitted_on: int
    before: Calibration
    after: Calibration


def first_half(problem: str) -> bool:
    """Whether a problem is in the half that maps are fitted on."""
    return blake2b(problem.encode(), digest_size=1).digest()[0] % 2 == 0


def halves(evidence: Evidence) -> tuple[Evidence, Evidence]:
    """The evidence on problems of the half to fit on, and of the half to show."""
    fit = tuple(run for run in evidence.runs if first_half(run.problem))
    show = tuple(run for run in evidence.runs if not first_half(run.problem))
    return replace(evidence, runs=fit), replace(evidence, runs=show)


def recalibrate(evidence: Evidence, against: Against, way: Way) -> Recalibration:
    """Fit on one half, show on the other. Raises `InvalidInput` where there is too little to fit on or to show."""
    fit, show = (observations(half, against) for half in halves(evidence))
    right, of = sum(each.right for each in fit), sum(each.of for each in fit)
    if of < FEWEST_OUTCOMES or min(right, of - right) < _FEWEST_OF_A_KIND or not show:
        raise InvalidInput(
            "q", f"{of:.0f} outcomes, {right:.0f} of them right, are too few to fit a map; choose more runs"
        )
    fitted = fit_map(fit, way)
    return Recalibration(way, fitted, len(fit), calibrate(show), calibrate(show, fitted))


def fit_map(found: Sequence[Observation], way: Way) -> ScoreMap:
    score = np.array([each.step.score for each in found])
    right, of = np.array([each.right for each in found]), np.array([each.of for each in found])
    return _isotonic(score, right, of) if way == "isotonic" else _temperature(score, right, of)


def _isotonic(score: Floats, right: Floats, of: Floats) -> ScoreMap:
    """Pool adjacent violators (Ayer et al. 1955) over groups of equal size; a point stands at a pool's mean score."""
    values, which = np.unique(score, return_inverse=True)
    count = np.bincount(which, of)
    group = np.minimum((np.cumsum(count) - count) * _POINTS / count.sum(), _POINTS - 1).astype(np.int64)[which]
    pools: list[list[float]] = []  # outcomes, scores times outcomes, right outcomes
    for place in np.unique(group):
        inside = group == place
        pools.append([float(x[inside].sum()) for x in (of, of * score, right)])
        while len(pools) > 1 and pools[-2][2] / pools[-2][0] >= pools[-1][2] / pools[-1][0]:
            last = pools.pop()
            pools[-1] = [a + b for a, b in zip(pools[-1], last, strict=True)]
    scores = [round(scored / count, 6) for count, scored, _ in pools]
    shares = [round(min(1 - _MARGIN, max(_MARGIN, rights / count)), 4) for count, _, rights in pools]
    points = dict(zip(scores, shares, strict=True))  # of scores that are equal to six digits the last
    return ScoreMap(scores=tuple(points), values=tuple(points.values()))


def _temperature(score: Floats, right: Floats, of: Floats) -> ScoreMap:
    """The temperature with the least negative log-likelihood, by golden section over its logarithm."""
    held = np.clip(score, EPSILON, 1 - EPSILON)
    logit = np.log(held / (1 - held))

    def loss(log_temperature: float) -> float:
        scaled = logit / math.exp(log_temperature)
        return float((right * np.logaddexp(0, -scaled) + (of - right) * np.logaddexp(0, scaled)).sum())

    low, high, golden = math.log(0.05), math.log(50.0), (math.sqrt(5) - 1) / 2
    while high - low > 1e-4:
        a, b = high - golden * (high - low), low + golden * (high - low)
        low, high = (low, b) if loss(a) < loss(b) else (a, high)
    return ScoreMap(temperature=round(math.exp((low + high) / 2), 4))


def entry(name: str, of: str, through: ScoreMap) -> str:
    """The table for a models file by which searches can use the recalibrated judge under `name`."""
    if through.temperature is not None:
        numbers = f"temperature = {through.temperature}"
    else:
        numbers = f"scores = {list(through.scores)}, values = {list(through.values)}"
    return f'[[scorer]]\nname = "{name}"\nkind = "recalibrated"\nof = "{of}"\nmap = {{ {numbers} }}\n'
