"""Mathematics as a domain: everything that a search, its run and the pages know of it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor

from engine.domains.maths.extract import extract_answer
from engine.domains.maths.grading import Grading, Workers, quick_grades
from engine.domains.maths.markdown import markdown
from engine.domains.maths.prompts import prompts
from engine.domains.maths.spelling import normalise
from engine.search.domain import StepChecker, Wording
from engine.search.events import Grade

#: Runs with more answers than this are graded one after another, beside those with fewer: hundreds take many seconds.
_FEW = 16


class Maths:
    """Problems with one answer, in `\\boxed{...}`. Answers are graded by processes of their own, in runs' turns."""

    name = "maths"

    def __init__(self) -> None:
        self._few, self._many = (ThreadPoolExecutor(1, thread_name_prefix="grading") for _ in range(2))
        self.workers = Workers(2)

    @property
    def prompts(self) -> Mapping[str, Wording]:
        return prompts()

    def answer_of(self, text: str, *, opens_thought: bool = False) -> str | None:
        return extract_answer(text, opens_thought=opens_thought)

    def normalise(self, answer: str) -> str:
        return normalise(answer)

    async def grades(self, answers: Iterable[str], reference: str | None) -> dict[str, Grade]:
        grading = Grading(self.workers, answers, reference)
        turns = self._few if grading.due <= _FEW else self._many
        try:
            while not grading.over:  # after an answer that took too long, other runs come first
                await asyncio.get_running_loop().run_in_executor(turns, grading.go_on)
            return grading.grades()
        finally:
            grading.stop()

    def quick_grades(self, answers: Iterable[str], reference: str | None) -> dict[str, Grade]:
        return quick_grades(answers, reference)

    def reference_of(self, problem: str) -> str | None:
        from engine.domains.builtin.known_answers import reference_answer

        return reference_answer(problem)

    def step_checker(self, problem: str) -> StepChecker | None:
        from engine.domains.builtin.checked_steps import CheckedSteps

        return CheckedSteps.of(problem)

    def family(self, problem: str) -> str | None:
        from engine.domains.builtin.checked_steps import CheckedSteps

        known = CheckedSteps.of(problem)
        return known.problem.family if known else None

    def foreign(self, problem: str, world: str) -> str | None:
        if world != "builtin":
            return None
        from engine.domains.builtin.world import outside

        return outside(problem)

    def markdown(self, text: str) -> str:
        return markdown(text)

    def close(self) -> None:
        self.workers.close()
