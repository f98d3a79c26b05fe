"""How well a judge finds the first wrong step of a solution: ProcessBench's measure (arXiv 2412.06559, section 2.3).

The first wrong step, to the judge, is the first whose score is below a threshold; if there is none, it takes the
solution for right. Accuracy is measured apart on solutions with an error (the very step must be named) and without
one, and F1 is the harmonic mean of the two. ProcessBench chooses one threshold, on its GSM8K subset, for all subsets;
the threshold that is best on a subset itself is only a bound of what the scores could give.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, nextafter

from engine.runs.lab.cases import Case
from engine.search.interval import Interval, wilson

#: The threshold where none is given: half a probability.
USUAL = 0.5


@dataclass(frozen=True, slots=True)
class Scored:
    """A case and the judge's score of each step; None: too long for the judge."""

    case: Case
    scores: tuple[float | None, ...]


def first_error(scores: Sequence[float | None], threshold: float) -> int | None:
    """The first step whose score is below `threshold`, -1 if there is none; None if a step before that has no score."""
    for at, score in enumerate(scores):
        if score is None:
            return None
        if score < threshold:
            return at
    return -1


@dataclass(frozen=True, slots=True)
class Share:
    """Right out of so many, with the 95 % interval (Wilson)."""

    right: int
    of: int

    @property
    def interval(self) -> Interval:
        return wilson(self.right, self.of)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a judge reaches at a threshold: solutions with a wrong step, and those without one."""

    threshold: float
    error: Share
    correct: Share

    @property
    def f1(self) -> float | None:
        """None where the set has no case of one kind."""
        if not self.error.of or not self.correct.of:
            return None
        error, correct = self.error.right / self.error.of, self.correct.right / self.correct.of
        return 2 * error * correct / (error + correct) if error + correct else 0.0


def outcome(scored: Sequence[Scored], threshold: float) -> Outcome:
    """Measure at one threshold. A case with a step that the judge could not score is not right."""
    right, of = [0, 0], [0, 0]
    for each in scored:
        kind = each.case.right
        of[kind] += 1
        right[kind] += first_error(each.scores, threshold) == each.case.label
    return Outcome(threshold, Share(right[0], of[0]), Share(right[1], of[1]))


def best(scored: Sequence[Scored]) -> Outcome | None:
    """The outcome at the threshold with the largest F1, the lowest such one; None where F1 is not defined.

    A case is right for the thresholds of one stretch, above the score of its first wrong step and up to the smallest
    score before it. So only the ends of stretches matter, and the threshold lies half way to the next one.
    """
    kinds = {each.case.right for each in scored}
    if len(kinds) < 2:
        return None
    changes: dict[float, list[int]] = {}
    for each in scored:
        low, high = _stretch(each)
        if low < high:
            kind = each.case.right
            changes.setdefault(low, [0, 0])[kind] += 1
            changes.setdefault(high, [0, 0])[kind] -= 1
    of = [sum((each.case.right) == kind for each in scored) for kind in (False, True)]
    ends = sorted(changes)
    found, right = outcome(scored, USUAL), [0, 0]
    most = -1.0
    for at, end in enumerate(ends):
        right = [count + change for count, change in zip(right, changes[end], strict=True)]
        here = Outcome(_between(end, ends[at + 1] if at + 1 < len(ends) else inf), *map(Share, right, of))
        if (here.f1 or 0.0) > most:
            found, most = here, here.f1 or 0.0
    return found


def _stretch(each: Scored) -> tuple[float, float]:
    """The thresholds t at which the judge is right: low < t <= high."""
    label = each.case.label
    read = each.scores if label < 0 else each.scores[: label + 1]
    values = [score for score in read if score is not None]
    if len(values) < len(read):
        return 0.0, 0.0
    return (-inf, min(values, default=inf)) if label < 0 else (values[-1], min(values[:-1], default=inf))


def _between(low: float, high: float) -> float:
    """A threshold above `low` and at most `high`; scores are between 0 and 1."""
    if low >= 1:
        return nextafter(1.0, 2.0)
    middle = (max(low, 0.0) + min(high, 1.0)) / 2
    return middle if low < middle <= high else high


def mean_f1(outcomes: Sequence[Outcome]) -> float | None:
    """The average over subsets; None where one has no F1."""
    values = [each.f1 for each in outcomes]
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known and len(known) == len(values) else None
