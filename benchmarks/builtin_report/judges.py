"""How well each judge tells right steps from wrong ones, from the scores on record and the exact checker."""

from __future__ import annotations

from benchmarks.builtin_report.measure import Reader
from benchmarks.builtin_report.plan import JUDGED_N, TEST, sampled
from engine.builtin.checker import first_wrong_step
from engine.builtin.evaluate import PrmQuality, prm_quality
from engine.builtin.problems import Problem
from engine.builtin.sets import problem_set
from engine.store import RunRecord, Store
from engine.tree import Node


def judge_quality(reader: Reader, policy: str, judge: str) -> PrmQuality | None:
    """Quality on the policy's own samples, best-of-16 on the first problems of the test set; None if they are not run.

    Every draw counts, as it would in a search.
    """
    problems = problem_set(TEST)[: len(reader.judged)]
    runs = reader.sweep.done(sampled(policy, JUDGED_N, judge))
    if not problems or any(problem.text not in runs for problem in problems):
        return None
    scores: list[list[float]] = []
    truths: list[int | None] = []
    for problem in problems:
        for steps, truth, copies in _solutions(reader.sweep.store, runs[problem.text], problem):
            scores += [steps] * copies
            truths += [truth] * copies
    return prm_quality(scores, truths)


def _solutions(store: Store, run: RunRecord, problem: Problem) -> list[tuple[list[float], int | None, int]]:
    """Of each completion: its step scores, the first wrong step, and how often it was drawn."""
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
