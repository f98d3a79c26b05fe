"""Mathematics as a domain: everything that a search, its run and the pages know of it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor

from engine.domains.maths.extract import extract_answer
from engine.domains.maths.grading import Grading, Worker, quick_grades
from engine.domains.maths.markdown import markdown
from engine.domains.maths.prompts import prompts
from engine.domains.maths.spelling import normalise
from engine.search.domain import Wording
from engine.search.events import Grade


class Maths:
    """Problems with one answer, in `\\boxed{...}`. Answers are graded on one thread of their own, one run at a time."""

    name = "maths"

    def __init__(self) -> None:
        self._worker = Worker()
        self._turns = ThreadPoolExecutor(1, thread_name_prefix="grading")

    @property
    def prompts(self) -> Mapping[str, Wording]:
        return prompts()

    def answer_of(self, text: str, *, opens_thought: bool = False) -> str | None:
        return extract_answer(text, opens_thought=opens_thought)

    def normalise(self, answer: str) -> str:
        return normalise(answer)

    async def grades(self, answers: Iterable[str], reference: str | None) -> dict[str, Grade]:
        grading = Grading(self._worker, answers, reference)
        try:
            return await asyncio.get_running_loop().run_in_executor(self._turns, grading.run)
        finally:
            grading.stop()

    def quick_grades(self, answers: Iterable[str], reference: str | None) -> dict[str, Grade]:
        return quick_grades(answers, reference)

    def reference_of(self, problem: str) -> str | None:
        from engine.domains.builtin.known_answers import reference_answer  # generates problems: a second, once

        return reference_answer(problem)

    def foreign(self, problem: str, world: str) -> str | None:
        if world != "builtin":
            return None
        from engine.domains.builtin.world import outside

        return outside(problem)

    def markdown(self, text: str) -> str:
        return markdown(text)

    def close(self) -> None:
        self._worker.close()
