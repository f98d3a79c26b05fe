"""What the report runs: every policy on the held-out test set, and what is chosen beforehand on the validation set.

Nothing is tuned on the test set: which search counts as a policy's best is decided on `builtin-validation`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import chain

from engine.builtin.sets import problem_set
from engine.models import Catalogue
from engine.params import RunParams
from engine.run import Question
from engine.sweeps.cells import Cell

TEST, VALIDATION = "builtin-1000", "builtin-validation"
POLICIES = ("builtin-xs", "builtin-s", "builtin-m", "builtin-l")
JUDGE, WEAK_JUDGE = "builtin-prm", "builtin-prm-weak"
SEARCHES = ("dvts", "beam_search", "mcts")
BUDGETS = (4, 16, 64)
TEST_PROBLEMS, VALIDATION_PROBLEMS = 1000, 300
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

    def first(self, problems: int | None) -> Task:
        """The task on no more than so many problems."""
        return self if problems is None else replace(self, problems=min(self.problems, problems))


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
    plan = [_baselines()]
    for policy in POLICIES:
        plan += [_choice(policy), _budget(policy, 16), _against_larger(policy)]
    plan += [_weak(POLICIES[0])]
    for policy in POLICIES:
        plan += [_budget(policy, 4), _judges(policy), _budget(policy, 64)]
    return list(dict.fromkeys(chain.from_iterable(plan)))


def _baselines() -> Iterator[Task]:
    for policy in POLICIES:
        yield Task(greedy(policy), TEST, TEST_PROBLEMS)


def _choice(policy: str) -> Iterator[Task]:
    """Which search is this policy's best, decided apart from the test set."""
    for strategy in SEARCHES:
        yield Task(searched(policy, strategy, 16), VALIDATION, VALIDATION_PROBLEMS)


def _against_larger(policy: str) -> Iterator[Task]:
    """The search that is likely to be the best, against the greedy answers of larger policies."""
    yield Task(searched(policy, SEARCHES[0], 64), TEST, TEST_PROBLEMS)


def _budget(policy: str, n: int) -> Iterator[Task]:
    yield Task(sampled(policy, n), TEST, TEST_PROBLEMS)
    for strategy in SEARCHES:
        yield Task(searched(policy, strategy, n), TEST, TEST_PROBLEMS)


def _weak(policy: str) -> Iterator[Task]:
    """How the best of N fares under a weak judge as N grows."""
    for n in reversed(BUDGETS):
        yield Task(sampled(policy, n, WEAK_JUDGE), TEST, TEST_PROBLEMS)


def _judges(policy: str) -> Iterator[Task]:
    for judge in other_judges(policy):
        yield Task(sampled(policy, JUDGED_N, judge), TEST, JUDGED_PROBLEMS)
        for strategy in SEARCHES:
            yield Task(searched(policy, strategy, JUDGED_N, judge), TEST, JUDGED_PROBLEMS)
