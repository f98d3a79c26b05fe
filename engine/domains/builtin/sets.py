"""The held-out problem sets, from fixed seeds: `builtin-easy`, `builtin-hard`, `builtin-1000`, and one for validation.

Every problem's numbers belong to the split "test" (or "validation"), which training never draws from; within a set no
calculation occurs twice unless a family has too few of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from engine.domains.builtin.problems import FAMILIES, Problem, generate


@dataclass(frozen=True)
class SetPlan:
    """How a set is drawn: its split, its size and the difficulties it cycles through."""

    split: str
    size: int
    difficulties: tuple[int, ...]


SETS: Mapping[str, SetPlan] = {
    "builtin-easy": SetPlan("test", 150, (1, 2)),
    "builtin-hard": SetPlan("test", 150, (5, 6)),
    "builtin-1000": SetPlan("test", 1000, (1, 2, 3, 4, 5, 6)),
    "builtin-validation": SetPlan("validation", 300, (1, 2, 3, 4, 5, 6)),
}
TRIES = 200
"""Draws before a repeated calculation is accepted; a repeated text never is."""


@cache
def problem_set(name: str) -> tuple[Problem, ...]:
    """The problems of a set, always the same ones in the same order; families take turns, so a prefix is balanced."""
    plan = SETS[name]
    families = list(FAMILIES)
    problems: list[Problem] = []
    keys, texts = set(), set()
    for index in range(plan.size):
        family = families[index % len(families)]
        difficulty = plan.difficulties[index // len(families) % len(plan.difficulties)]
        for attempt in range(20 * TRIES):
            problem = generate(f"{name}:{index}:{attempt}", family, difficulty, plan.split)
            fresh = problem.text not in texts and (problem.key not in keys or attempt >= TRIES)
            if fresh:
                break
        else:
            raise RuntimeError(f"{family} at difficulty {difficulty} has too few problems for {name}")
        problems.append(problem)
        keys.add(problem.key)
        texts.add(problem.text)
    return tuple(problems)
