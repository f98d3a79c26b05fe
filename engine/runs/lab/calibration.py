"""Calibration: does a score of 0.8 mean that the step is right eight times out of ten?

Against the *truth* a step counts once, and is right or the first that is wrong; steps after a wrong one are left out,
since families differ in what they are trained to say of them. Against *rollouts* each draw from a step counts once, and
ended right or not. A judge that is calibrated to one is not to the other.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from engine.runs.lab.evidence import Evidence, RunEvidence, ScoredStep
from engine.runs.statistics.resampling import Floats, percentiles, ratio, resampled
from engine.search.interval import Interval

Against = Literal["truth", "rollouts"]
Integers = npt.NDArray[np.int64]
BINS = 10
HALF = 0.5
#: Ranges of scores of which the interval of an AUC is computed (the AUC itself is exact).
_GRAINS = 256


@dataclass(frozen=True, slots=True)
class Observation:
    """A scored step, and that `right` of `of` times it came out right (one time, where the truth is known)."""

    run: RunEvidence
    step: ScoredStep
    right: float
    of: float


@dataclass(frozen=True, slots=True)
class Bin:
    """The steps with scores in [`low`, `high`): how many, their mean score, and how often they were right."""

    low: float
    high: float
    observations: tuple[Observation, ...]
    score: float
    share: Interval


@dataclass(frozen=True, slots=True)
class Calibration:
    """How scores stand to what came out. `steps` and `problems` say what it rests on, `of` counts outcomes, `right`
    those that were right; `auc` is None where all came out alike."""

    steps: int
    problems: int
    of: float
    right: float
    bins: tuple[Bin, ...]
    ece: Interval
    brier: Interval
    auc: Interval | None


@dataclass(frozen=True, slots=True)
class FirstError:
    """ProcessBench's measure at a threshold: the first step scored below it is said to be the first wrong one.

    `on_wrong` is the share of wrong solutions whose first wrong step was named, `on_right` that of right solutions in
    which none was; `f1` is their harmonic mean (arXiv 2412.06559).
    """

    threshold: float
    wrong: int
    right: int
    on_wrong: float
    on_right: float
    f1: Interval


def observations(evidence: Evidence, against: Against) -> list[Observation]:
    found = []
    for run in evidence.runs:
        for step in run.steps:
            if against == "rollouts":
                if step.rolled:
                    found.append(Observation(run, step, *map(float, step.rolled)))
            elif step.verdict in ("right", "wrong"):
                found.append(Observation(run, step, float(step.verdict == "right"), 1.0))
    return found


def _powers(tokens: int) -> str:
    """Tokens in ranges that double: 1 to 15, 16 to 31, 32 to 63 and so on."""
    if tokens < 16:
        return "1 to 15"
    low = 1 << (tokens.bit_length() - 1)
    return f"{low} to {2 * low - 1}"


def difficulties(evidence: Evidence) -> dict[tuple[str, str], str]:
    """(policy, problem) -> how hard it is for this policy, by the share of its recorded draws that ended right where no
    judge chose among them: easy from 0.5, hard below 0.1."""
    right: dict[tuple[str, str], int] = {}
    ended: dict[tuple[str, str], int] = {}
    for run in evidence.runs:
        if run.draws is not None:
            key = run.policy, run.problem
            for path in run.paths:
                if path.correct is not None:
                    right[key] = right.get(key, 0) + path.copies * path.correct
                    ended[key] = ended.get(key, 0) + path.copies
    shares = {key: right[key] / count for key, count in ended.items()}
    return {key: "easy" if share >= 0.5 else "medium" if share >= 0.1 else "hard" for key, share in shares.items()}


def slices(evidence: Evidence, against: Against) -> dict[str, dict[str, Calibration]]:
    """The calibration of each part, by what it is parted by."""
    found, hard = observations(evidence, against), difficulties(evidence)
    keys: Mapping[str, Callable[[Observation], str]] = {
        "policy": lambda each: each.run.policy,
        "depth": lambda each: f"step {each.step.depth}" if each.step.depth < 8 else "step 8 and later",
        "length": lambda each: f"{_powers(each.step.passed)} tokens",
        "difficulty": lambda each: hard.get((each.run.policy, each.run.problem), "not known"),
        "family": lambda each: each.run.family or "not known",
    }
    parted: dict[str, dict[str, Calibration]] = {}
    for name, key in keys.items():
        parts: dict[str, list[Observation]] = {}
        for each in found:
            parts.setdefault(key(each), []).append(each)
        ordered = sorted(parts, key=lambda part: (len(part.split(" ")[0]), part) if name == "length" else (0, part))
        parted[name] = {part: calibrate(parts[part]) for part in ordered}
    return parted


def calibrate(found: Sequence[Observation], read: Callable[[float], float] = float) -> Calibration:
    """The calibration of the scores as `read` reads them (a recalibration; as they are)."""
    if not found:
        nothing = Interval(math.nan, math.nan, math.nan)
        return Calibration(0, 0, 0, 0, (), nothing, nothing, None)
    places = {problem: place for place, problem in enumerate(dict.fromkeys(each.run.problem for each in found))}
    problem = np.array([places[each.run.problem] for each in found])
    score = np.array([read(each.step.score) for each in found])
    right, of = np.array([each.right for each in found]), np.array([each.of for each in found])
    which = np.minimum((score * BINS).astype(np.int64), BINS - 1)

    def table(values: Floats) -> Floats:
        """Sums per problem and bin."""
        return _summed(problem * BINS + which, values, len(places) * BINS).reshape(len(places), BINS)

    weights = resampled(len(places))
    counts, scored, rights = table(of), table(of * score), table(right)
    errors = np.abs(weights @ scored - weights @ rights).sum(1) / (weights @ counts).sum(1)
    error = float(np.abs(scored.sum(0) - rights.sum(0)).sum() / counts.sum())
    squares = _summed(problem, right * (1 - score) ** 2 + (of - right) * score**2, len(places))
    bins = []
    for place in range(BINS):
        inside = [found[index] for index in np.flatnonzero(which == place).tolist()]
        if inside:
            mean = float(scored[:, place].sum() / counts[:, place].sum())
            share = ratio(rights[:, place], counts[:, place])
            bins.append(Bin(place / BINS, (place + 1) / BINS, tuple(inside), mean, share))
    return Calibration(
        len(found), len(places), float(of.sum()), float(right.sum()), tuple(bins), percentiles(error, errors),
        ratio(squares, _summed(problem, of, len(places))), _auc(problem, score, right, of, weights),
    )  # fmt: skip


def _auc(problem: Integers, score: Floats, right: Floats, of: Floats, weights: Floats) -> Interval | None:
    """The chance that what came out right is scored above what did not; ties count half."""
    positive, negative = right.sum(), (of - right).sum()
    if not positive or not negative:
        return None
    values, grain = np.unique(score, return_inverse=True)
    exact = _area(*(_summed(grain, amount, len(values))[None] for amount in (right, of - right)))
    grain = grain * _GRAINS // len(values) if len(values) > _GRAINS else grain
    size, problems = min(_GRAINS, len(values)), weights.shape[1]
    ups, downs = (
        _summed(problem * size + grain, amount, problems * size).reshape(problems, size)
        for amount in (right, of - right)
    )
    return percentiles(float(exact[0]), _area(weights @ ups, weights @ downs))


def _summed(places: Integers, values: Floats, size: int) -> Floats:
    sums: Floats = np.bincount(places, values, size).astype(np.float64)
    return sums


def _area(ups: Floats, downs: Floats) -> Floats:
    """AUC per row of counts that came out right and not, by ascending score."""
    below = np.cumsum(downs, 1) - downs / 2
    with np.errstate(invalid="ignore", divide="ignore"):
        area: Floats = (ups * below).sum(1) / (ups.sum(1) * downs.sum(1))
    return area


def first_errors(evidence: Evidence, threshold: float = HALF) -> FirstError | None:
    """ProcessBench's measure over finished paths that were checked, each distinct one once; None without both kinds."""
    counts = _named(evidence, threshold)
    wrong, named, right, kept = counts.sum(1)
    if not wrong or not right:
        return None
    weights = resampled(counts.shape[1])
    f1s = _harmonic(weights @ counts[1], weights @ counts[0], weights @ counts[3], weights @ counts[2])
    f1 = float(_harmonic(*(np.array([count]) for count in (named, wrong, kept, right)))[0])
    return FirstError(
        threshold, int(wrong), int(right), float(named / wrong), float(kept / right), percentiles(f1, f1s)
    )  # fmt: skip


def best_threshold(evidence: Evidence) -> float:
    """The threshold with the best F1 on this evidence, among 0.01, 0.02 and so on: to be shown on other evidence."""

    def f1(threshold: float) -> float:
        wrong, named, right, kept = (np.array([count]) for count in _named(evidence, threshold).sum(1))
        return float(np.nan_to_num(_harmonic(named, wrong, kept, right))[0])

    return max((place / 100 for place in range(1, 100)), key=f1)


def _named(evidence: Evidence, threshold: float) -> Floats:
    """Per problem: paths with an error, those of them where it was named; paths without one, those that were let be."""
    places = {problem: place for place, problem in enumerate(dict.fromkeys(run.problem for run in evidence.runs))}
    counts = np.zeros((4, len(places)))
    for run in evidence.runs:
        for path in run.paths:
            if path.checked:
                truth = path.first_wrong
                said = next((index for index, score in enumerate(path.scores) if score < threshold), None)
                kind = 0 if truth is not None else 2
                counts[kind, places[run.problem]] += 1
                counts[kind + 1, places[run.problem]] += said == truth
    return counts


def _harmonic(named: Floats, wrong: Floats, kept: Floats, right: Floats) -> Floats:
    """The harmonic mean of two accuracies; 0 where both are 0."""
    with np.errstate(invalid="ignore", divide="ignore"):
        first, second = named / wrong, kept / right
        both: Floats = np.where(first + second == 0, 0.0, 2 * first * second / (first + second))
    return both
