"""What the report runs: every policy on the held-out test set, and what is chosen beforehand on the validation set.

Nothing is tuned on the test set: each policy's best search is chosen on `builtin-validation`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from engine.domains.builtin.sets import problem_set
from engine.models.catalogue.catalogue import Catalogue
from engine.runs.question import Question
from engine.runs.sweeps.cells import Cell
from engine.search.params import RunParams

TEST, VALIDATION = "builtin-1000", "builtin-validation"
POLICIES = ("builtin-xs", "builtin-s", "builtin-m", "builtin-l")
JUDGE, WEAK_JUDGE = "builtin-prm", "builtin-prm-weak"
SEARCHES = ("dvts", "beam_search", "mcts")
BUDGETS = (4, 16, 64)
TEST_PROBLEMS, VALIDATION_PROBLEMS = 1000, 300
#: The other judges are compared at this N, on this many problems of the test set.
JUDGED_N, JUDGED_PROBLEMS = 16, 300
#: Problems that one process takes at a time. Three blocks hold every family at every difficulty, and the problems for
#: the other judges are whole blocks.
BLOCK = 30


@dataclass(frozen=True, slots=True)
class Task:
    """Consecutive problems of the set `questions`, and the cells of one policy that each of them is searched with."""

    policy: str
    questions: str
    first: int
    end: int
    cells: tuple[Cell, ...]

    @property
    def title(self) -> str:
        return f"{self.policy}, {self.questions} {self.first + 1} to {self.end}"

    def load(self) -> list[Question]:
        problems = problem_set(self.questions)[self.first : self.end]
        return [Question(problem.text, problem.answer) for problem in problems]


def greedy(policy: str) -> Cell:
    return Cell(policy, RunParams("greedy"))


def sampled(policy: str, n: int, judge: str = JUDGE) -> Cell:
    """Best-of-N; majority, max and vote are read from the same samples."""
    return Cell(policy, RunParams("best_of_n", n=n), judge)


def searched(policy: str, strategy: str, n: int, judge: str = JUDGE) -> Cell:
    return Cell(policy, RunParams(strategy, n=n, width=4), judge)


def other_judges(policy: str) -> tuple[str, ...]:
    """The judges besides the good PRM: a larger policy, rollouts, too few samples, a bias to short solutions."""
    there_are = Catalogue().scorers
    judges = ["builtin-likelihood", "builtin-prm-rollouts", "builtin-prm-weak", "builtin-prm-short"]
    return tuple(judge for judge in judges if judge in there_are and (judge, policy) != (judges[0], "builtin-l"))


def choice(policy: str) -> tuple[Cell, ...]:
    """These decide which search is the policy's best, on problems outside the test set."""
    return tuple(searched(policy, strategy, 16) for strategy in SEARCHES)


def methods(policy: str) -> tuple[Cell, ...]:
    """Every method at every budget; for the smallest policy, best-of-N under the weak judge, too."""
    weak = [sampled(policy, n, WEAK_JUDGE) for n in BUDGETS] if policy == POLICIES[0] else []
    searches = [searched(policy, strategy, n) for strategy in SEARCHES for n in BUDGETS]
    return (greedy(policy), *(sampled(policy, n) for n in BUDGETS), *weak, *searches)


def judged(policy: str) -> tuple[Cell, ...]:
    """The other judges, at one budget."""
    return tuple(
        cell
        for judge in other_judges(policy)
        for cell in (
            sampled(policy, JUDGED_N, judge),
            *(searched(policy, strategy, JUDGED_N, judge) for strategy in SEARCHES),
        )
    )


def tasks(limit: int | None = None) -> Iterator[Task]:
    """Everything, on the first `limit` problems of each set.

    The choices first, then all policies block by block, so that a report cut short is complete on fewer problems.
    """
    for first, end in _blocks(min(VALIDATION_PROBLEMS, limit or VALIDATION_PROBLEMS)):
        for policy in POLICIES:
            yield Task(policy, VALIDATION, first, end, choice(policy))
    for first, end in _blocks(min(TEST_PROBLEMS, limit or TEST_PROBLEMS)):
        for policy in POLICIES:
            others = judged(policy) if end <= JUDGED_PROBLEMS else ()
            yield Task(policy, TEST, first, end, tuple(dict.fromkeys((*methods(policy), *others))))


def _blocks(problems: int) -> Iterator[tuple[int, int]]:
    for first in range(0, problems, BLOCK):
        yield first, min(first + BLOCK, problems)
