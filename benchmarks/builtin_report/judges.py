"""How well each judge tells right steps from wrong ones, from the scores on record and the exact checker."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.builtin_report.measure import Reader
from benchmarks.builtin_report.plan import JUDGED_N, TEST, sampled
from engine.domains.builtin.problems import Problem
from engine.domains.builtin.sets import problem_set
from engine.domains.builtin.step_checker import first_wrong_step
from engine.search.interval import Interval
from engine.search.tree import Node
from engine.store import RunRecord, Store
from engine.training.evaluate import PrmQuality, prm_quality


@dataclass(frozen=True, slots=True)
class Measured:
    """A judge's quality on a policy's samples, and its step AUC resampled over problems."""

    quality: PrmQuality
    auc: Interval


def judge_quality(reader: Reader, policy: str, judge: str, texts: Sequence[str]) -> Measured | None:
    """From best-of-16 on these first problems of the test set; None if they have not been run or nothing finished.

    Every draw counts, as it would in a search.
    """
    problems = problem_set(TEST)[: len(texts)]
    runs = reader.sweep.done(sampled(policy, JUDGED_N, judge))
    if not problems or any(problem.text not in runs for problem in problems):
        return None
    scores: list[list[float]] = []
    truths: list[int | None] = []
    number: list[int] = []
    for place, problem in enumerate(problems):
        for steps, truth, copies in _solutions(reader.sweep.store, runs[problem.text], problem):
            scores += [steps] * copies
            truths += [truth] * copies
            number += [place] * copies
    if not scores:
        return None
    quality = prm_quality(scores, truths)
    judged = [
        (place, score, truth is None or at < truth)
        for place, row, truth in zip(number, scores, truths, strict=True)
        for at, score in enumerate(row if truth is None else row[: truth + 1])
    ]
    places, values, goods = zip(*judged, strict=True)
    return Measured(quality, auc_interval(quality.auc, places, values, goods))


def auc_interval(
    auc: float, places: Sequence[int], scores: Sequence[float], right: Sequence[bool], resamples: int = 1000
) -> Interval:
    """The 95 % percentile interval of an AUC over steps, resampled over the problems (`places`) they belong to.

    Resampling only changes how often a step counts, so the steps are sorted once.
    """
    place, labels = np.asarray(places), np.asarray(right, dtype=bool)
    levels, level = np.unique(np.asarray(scores), return_inverse=True)
    problems = int(place.max()) + 1
    draws = np.random.default_rng(0).multinomial(problems, np.full(problems, 1 / problems), resamples)
    areas = []
    for counts in draws:
        weights = counts[place]
        good = np.bincount(level, weights * labels, len(levels))
        bad = np.bincount(level, weights * ~labels, len(levels))
        if good.any() and bad.any():
            below = np.cumsum(bad) - bad / 2
            areas.append(good @ below / (good.sum() * bad.sum()))
    low, high = np.quantile(areas, [0.025, 0.975]) if areas else (float("nan"), float("nan"))
    return Interval(auc, float(low), float(high))


def _solutions(store: Store, run: RunRecord, problem: Problem) -> list[tuple[list[float], int | None, int]]:
    """For each completion: its step scores, the first wrong step, and how often it was drawn."""
    assert run.scorer is not None
    tree, name = store.tree(run.id), run.scorer.name
    found = []
    for leaf in tree.completions():
        steps: list[Node] = [step for step in tree.path(leaf) if step.text.strip()]
        scores = [step.scores[name] for step in steps if name in step.scores]
        if leaf.finish == "eos" and scores and len(scores) == len(steps):
            truth = first_wrong_step(problem, [step.text.strip() for step in steps])
            found.append((scores, truth, leaf.copies))
    return found
