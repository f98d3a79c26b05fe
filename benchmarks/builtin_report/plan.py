"""What the report runs: every policy on the held-out test set, and what is chosen beforehand on the validation set.

Nothing is tuned on the test set: which search counts as a policy's best is decided on `builtin-validation`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from engine.builtin.sets import problem_set
from engine.models import Catalogue
from engine.params import RunParams
from engine.run import Question
from engine.sweeps.cells import Cell

TEST, VALIDATION = "builtin-1000", "builtin-validation"
POLICIES = ("builtin-xs", "builtin-s", "builtin-m", "builtin-l")
JUDGE = "builtin-prm"
SEARCHES = ("beam_search", "dvts", "mcts")
BUDGETS = (4, 16, 64)
#: The other judges are compared at this N, on the first so many problems of the test set.
JUDGED_N, JUDGED_PROBLEMS = 16, 300


@dataclass(frozen=True, slots=True)
class Task:
    """A cell and the problems it is run on: the first `problems` of the set `questions`."""

    cell: Cell
    questions: str
    problems: int

    def load(self) -> list[Question]:
        return [Question(problem.text, problem.answer) for problem in problem_set(self.questions)[: self.problems]]


def greedy(policy: str) -> Cell:
    return Cell(policy, RunParams("greedy"))


def sampled(policy: str, n: int, judge: str = JUDGE) -> Cell:
    """Best-of-N; majority, max and vote are read from the same samples."""
    return Cell(policy, RunParams("best_of_n", n=n), judge)


def searched(policy: str, strategy: str, n: int, judge: str = JUDGE) -> Cell:
    return Cell(policy, RunParams(strategy, n=n, width=4), judge)


def other_judges(policy: str) -> tuple[str, ...]:
    """The judges beside the good PRM: a larger policy reads, rollouts, too few samples, a bias to short solutions."""
    there_are = Catalogue().scorers
    judges = ["builtin-likelihood", "builtin-prm-rollouts", "builtin-prm-weak", "builtin-prm-short"]
    return tuple(judge for judge in judges if judge in there_are and (judge, policy) != (judges[0], "builtin-l"))


def tasks() -> list[Task]:
    """Everything, the most telling first, so that a report cut short tells something."""
    return [*_baselines(), *_choice(), *_smallest_at_64(), *_budgets(), *_judges()]


def _baselines() -> Iterator[Task]:
    for policy in POLICIES:
        yield Task(greedy(policy), TEST, 1000)


def _choice() -> Iterator[Task]:
    for policy in POLICIES:
        for strategy in SEARCHES:
            yield Task(searched(policy, strategy, 16), VALIDATION, 300)


def _smallest_at_64() -> Iterator[Task]:
    """The smallest policy at every budget, and how a weak judge fares as N grows."""
    smallest = POLICIES[0]
    for n in BUDGETS:
        yield Task(sampled(smallest, n), TEST, 1000)
        for strategy in SEARCHES:
            yield Task(searched(smallest, strategy, n), TEST, 1000)
    for n in BUDGETS:
        yield Task(sampled(smallest, n, "builtin-prm-weak"), TEST, 1000)


def _budgets() -> Iterator[Task]:
    for n in (16, 4, 64):
        for policy in POLICIES[1:]:
            yield Task(sampled(policy, n), TEST, 1000)
            for strategy in SEARCHES:
                yield Task(searched(policy, strategy, n), TEST, 1000)


def _judges() -> Iterator[Task]:
    for policy in POLICIES:
        for judge in other_judges(policy):
            yield Task(sampled(policy, JUDGED_N, judge), TEST, JUDGED_PROBLEMS)
            for strategy in SEARCHES:
                yield Task(searched(policy, strategy, JUDGED_N, judge), TEST, JUDGED_PROBLEMS)
