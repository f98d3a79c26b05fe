"""What the judges see and miss: of the steps of recorded samples, those scored below one half.

Steps of one problem are not independent, so problems are resampled; both judges read the same samples, so their
difference is taken resample by resample.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.builtin_report.plan import JUDGE, JUDGED_PROBLEMS, TEST, WEAK_JUDGE, sampled
from benchmarks.lessons.effects import SMALL, USUAL
from engine.domains.builtin.problems import Problem
from engine.domains.builtin.sets import problem_set
from engine.domains.builtin.step_checker import first_wrong_step
from engine.runs.judging import HALF
from engine.runs.statistics.resampling import Floats, percentiles, ratio, resampled
from engine.runs.sweeps.sweep import Sweep
from engine.search.tree import Tree
from tts_ui.web.learn.effects import Effect


@dataclass(frozen=True, slots=True)
class Seen:
    """A problem's steps by what they are and how they were scored: first wrong ones (`wrong`, of which `caught` below
    one half), and right ones with nothing wrong before them (`right`, of which `alarms`). Equal steps are one."""

    wrong: int
    caught: int
    right: int
    alarms: int


def judges(sweep: Sweep) -> Iterator[tuple[str, Effect]]:
    problems = problem_set(TEST)[:JUDGED_PROBLEMS]
    found = {"good": JUDGE, "weak": WEAK_JUDGE}
    seen = {name: _seen(sweep, judge, problems) for name, judge in found.items()}
    caught = {name: _both([each.caught for each in rows], [each.wrong for each in rows]) for name, rows in seen.items()}
    for name, rows in seen.items():
        yield f"{name}.caught", _ratio([each.caught for each in rows], [each.wrong for each in rows])
        yield f"{name}.alarm", _ratio([each.alarms for each in rows], [each.right for each in rows])
    (good, goods), (weak, weaks) = caught["good"], caught["weak"]
    yield "caught.gain", Effect.of("difference", percentiles(good - weak, goods - weaks), len(problems))


def _seen(sweep: Sweep, judge: str, problems: Sequence[Problem]) -> list[Seen]:
    runs = sweep.done(sampled(SMALL, USUAL, judge))
    return [_of_tree(sweep.store.tree(runs[problem.text].id), judge, problem) for problem in problems]


def _of_tree(tree: Tree, judge: str, problem: Problem) -> Seen:
    right: dict[int, float] = {}
    wrong: dict[int, float] = {}
    for leaf in tree.completions():
        path = [step for step in tree.path(leaf) if step.text.strip() and judge in step.scores]
        first = first_wrong_step(problem, [step.text.strip() for step in path])
        for place, step in enumerate(path if first is None else path[: first + 1]):
            (wrong if place == first else right)[step.id] = step.scores[judge]
    low = [sum(score < HALF for score in scores.values()) for scores in (wrong, right)]
    return Seen(len(wrong), low[0], len(right), low[1])


def _ratio(top: list[int], bottom: list[int]) -> Effect:
    return Effect.of("share", ratio([float(each) for each in top], [float(each) for each in bottom]), len(top))


def _both(top: list[int], bottom: list[int]) -> tuple[float, Floats]:
    weights = resampled(len(top))
    return sum(top) / sum(bottom), (weights @ np.array(top, float)) / (weights @ np.array(bottom, float))
