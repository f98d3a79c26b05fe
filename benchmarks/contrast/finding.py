"""The first wrong step of labelled solutions, by ProcessBench's protocol (arXiv 2412.06559, section 3).

A judge says that the first step whose score is below a threshold is the first wrong one. F1 is the harmonic mean of the
share of wrong solutions whose first wrong step it names and of the share of right ones in which it names none. Beside
it, without a threshold: the chance that a right step scores above a first wrong one (the area under the ROC curve, ties
count half), and Spearman's correlation of a right step's score with its length in tokens. Steps after the first wrong
one count in neither.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from benchmarks.builtin_report.tables import table
from benchmarks.contrast.reading import Read, solution
from benchmarks.contrast.scores import SCORES, score
from engine.runs.lab.cases import Case

RESAMPLES = 2_000


def first_errors(cases: Sequence[Case], reads: Sequence[Read]) -> str:
    """A table: F1 with the threshold that is best on the other half of the cases, and on these very cases (a bound)."""
    labels = [case.label for case in cases]
    scored = []
    for case, read in zip(cases, reads, strict=True):
        tree = solution(case.problem, case.steps)
        score(tree, read)
        scored.append([node.scores for node in tree.nodes[1:]])
    lengths = [[len(read.steps[place].larger) for place in sorted(read.steps)] for read in reads]
    body = []
    for judge in SCORES:
        steps = [[each[judge] for each in case] for case in scored]
        crossed = _crossed(steps, labels)
        bound, threshold = max((f1(_named(steps, each), labels), each) for each in _thresholds(steps))
        low, high = _interval(crossed, labels)
        share = f"{f1(crossed, labels):.3f} ({low:.3f} to {high:.3f})"
        body.append([judge, share, f"{bound:.3f} at {threshold:.3f}", *_without_threshold(steps, labels, lengths)])
    wrong = sum(label >= 0 for label in labels)
    return f"""{len(cases)} solutions, {wrong} with a wrong step; F1 of the first wrong step, bootstrap over solutions

{table(["judge", "threshold from the other half", "best on these cases (a bound)", "AUC", "with length"], body)}
"""


def f1(named: Sequence[int], labels: Sequence[int]) -> float:
    """0 where there is nothing of one of the two kinds."""
    pairs = list(zip(named, labels, strict=True))
    shares = []
    for kind in (True, False):
        of = [found == label for found, label in pairs if (label >= 0) is kind]
        shares.append(sum(of) / len(of) if of else 0.0)
    return 2 * shares[0] * shares[1] / sum(shares) if sum(shares) else 0.0


def _without_threshold(
    steps: Sequence[Sequence[float]], labels: Sequence[int], lengths: Sequence[Sequence[int]]
) -> list[str]:
    right: list[float] = []
    wrong: list[float] = []
    tokens: list[float] = []
    for case, label, long in zip(steps, labels, lengths, strict=True):
        end = len(case) if label < 0 else label
        right += case[:end]
        tokens += long[:end]
        wrong += case[end : end + 1]
    above = np.mean([[(good > bad) + (good == bad) / 2 for good in right] for bad in wrong])
    return [f"{above:.3f}", f"{np.corrcoef(_ranks(right), _ranks(tokens))[0, 1]:+.2f}"]


def _ranks(values: Sequence[float]) -> np.ndarray:
    """From 1; equal ones have the mean of their ranks."""
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    return np.asarray((np.cumsum(counts) - (counts - 1) / 2)[place])


def _named(steps: Sequence[Sequence[float]], threshold: float) -> list[int]:
    return [next((place for place, value in enumerate(case) if value < threshold), -1) for case in steps]


def _thresholds(steps: Sequence[Sequence[float]]) -> list[float]:
    return sorted({value for case in steps for value in case})


def _crossed(steps: Sequence[Sequence[float]], labels: Sequence[int]) -> list[int]:
    """What is named with the threshold that is best on the other half of the cases (every second one)."""
    found = [0] * len(steps)
    for half in (0, 1):
        others = steps[1 - half :: 2], labels[1 - half :: 2]
        best = max(_thresholds(others[0]), key=lambda each: f1(_named(others[0], each), others[1]))
        found[half::2] = _named(steps[half::2], best)
    return found


def _interval(named: Sequence[int], labels: Sequence[int]) -> tuple[float, float]:
    dice = np.random.default_rng(0)
    draws = dice.integers(len(labels), size=(RESAMPLES, len(labels)))
    values = [f1([named[each] for each in draw], [labels[each] for each in draw]) for draw in draws]
    low, high = np.quantile(values, [0.025, 0.975])
    return float(low), float(high)
