"""The built-in families' step checker as searches and pages know it (`engine.search.domain.StepChecker`)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from engine.domains.builtin.problems import Problem
from engine.domains.builtin.reading import NoWholeAnswer, read_problem
from engine.domains.builtin.step_checker import begin, follow

#: A longer step says more than any of the families' does, and takes long to read: it is wrong.
_LONGEST_STEP = 2000


@dataclass(frozen=True, slots=True)
class CheckedSteps:
    """Checks steps by the moves of the problem's family."""

    problem: Problem

    @classmethod
    def of(cls, text: str) -> Self | None:
        """The checker of a problem of the families', None for any other text."""
        try:
            problem = read_problem(text)
        except NoWholeAnswer:
            return None
        return None if problem is None else cls(problem)

    def begin(self) -> object:
        return begin(self.problem)

    def follow(self, progress: object, step: str) -> object | None:
        assert isinstance(progress, frozenset)
        return None if len(step) > _LONGEST_STEP else follow(self.problem, progress, step)
