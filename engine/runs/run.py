"""One run from question to answer: open the models' sessions, let the strategy search, choose, grade, conclude.

Whatever happens on the way, the log ends with exactly one `RunFinished`, and nothing that was found is lost.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Coroutine
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from engine.domains.maths.grading import Checker
from engine.errors import InvalidInput, TtsError
from engine.search.cost import Meter
from engine.search.events import Event, Grade, RunFinished, RunStarted, RunStatus
from engine.search.params import RunParams
from engine.search.policy import Policy, PolicySession, Sampling, TokenBudget
from engine.search.scorer import Scorer
from engine.search.search import Search, Sink
from engine.search.selection import AnswerGroup, answer_groups, choose


@dataclass(frozen=True, slots=True)
class Question:
    """A problem and, where it is known, the answer to grade against."""

    problem: str
    reference: str | None = None

    def __post_init__(self) -> None:
        if not self.problem.strip():
            raise InvalidInput("problem", "it is empty; type a question")
        if not _encodable(self.problem):
            raise InvalidInput("problem", "it holds characters that are no text (lone surrogates); remove them")
        if self.reference is not None and not self.reference.strip():
            raise InvalidInput("answer", "the reference answer is empty; leave it out or give one")


def _encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def check_fits(question: Question, policy: Policy, scorer: Scorer | None) -> None:
    """Raise `InvalidInput` if the problem leaves a model no room for an answer. Needs the tokenizers only."""
    for model in (policy, scorer):
        if model is None:
            continue
        tokens, window = model.prompt_tokens(question.problem), model.info.context_window
        if tokens >= window - 1:
            raise InvalidInput(
                "problem", f"{tokens} tokens do not fit the context window of {model.info.name} ({window}); shorten it"
            )


def one_line(problem: Exception) -> str:
    """An error that nobody foresaw, as one line."""
    return " ".join(f"{type(problem).__name__}: {problem}".split())


async def _undisturbed(conclusion: Coroutine[Any, Any, RunFinished]) -> RunFinished:
    """Wait for `conclusion` to its end, however often this task is cancelled meanwhile."""
    task = asyncio.ensure_future(conclusion)
    while not task.done():
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.shield(task)
    return task.result()


class Run:
    """A run in the making; `writing()` is the step being written at this moment."""

    def __init__(
        self,
        run_id: str,
        question: Question,
        params: RunParams,
        policy: Policy,
        scorer: Scorer | None,
        sink: Sink,
        *,
        comparison_id: str | None = None,
        sweep_id: str | None = None,
    ) -> None:
        self.id, self.question, self.params = run_id, question, params
        self._sweep_id = sweep_id
        self._policy, self._scorer, self._sink = policy, scorer if params.method.scored else None, sink
        if params.method.scored and scorer is None:
            raise InvalidInput("scorer", f"{params.strategy} needs a PRM and these models have none; choose others")
        check_fits(question, policy, self._scorer)
        self._comparison_id = comparison_id
        self._session: PolicySession | None = None

    def writing(self) -> str:
        return self._session.writing() if self._session else ""

    async def execute(self, checker: Checker) -> RunFinished:
        """Search to the end. Cancelling stops the run (`stopped`) and raises; a model's error ends it `failed`."""
        meter = Meter(self._policy.info, self._scorer.info if self._scorer else None)
        self._session = self._policy.session(self.question.problem)
        scoring = self._scorer.session(self.question.problem) if self._scorer else None
        params = self.params
        sampling = Sampling(params.temperature, params.top_p, max_tokens=params.max_tokens)
        search = Search(
            self.question.problem, self._session, scoring, meter, self._sink, sampling=sampling, seed=params.seed,
            n=params.n, max_steps=params.max_steps, budget=TokenBudget(params.max_tokens_total),
        )  # fmt: skip
        self._sink([self._started()], meter.usage())
        status: RunStatus = "failed"
        error: str | None = None
        try:
            await params.method.run(search, **{option: getattr(params, option) for option in params.method.options})
            status = "done"
        except asyncio.CancelledError:
            status = "stopped"
            raise
        except TtsError as problem:
            error = str(problem)
        except Exception as problem:
            error = one_line(problem)
            raise
        finally:
            self._session.close()
            if scoring:
                scoring.close()
            finished = await _undisturbed(self._conclude(search, status, error, checker))
            search.flush()
            self._sink([finished], meter.usage())
        return finished

    def _started(self) -> Event:
        return RunStarted(
            run_id=self.id,
            created_at=datetime.now(UTC).isoformat(timespec="milliseconds"),
            problem=self.question.problem,
            reference_answer=self.question.reference,
            strategy=self.params.strategy,
            params=self.params.recorded(),
            policy=self._policy.info,
            scorer=self._scorer.info if self._scorer else None,
            sweep_id=self._sweep_id,
            comparison_id=self._comparison_id,
        )

    async def _conclude(self, search: Search, status: RunStatus, error: str | None, checker: Checker) -> RunFinished:
        """Elect an answer from what finished, however the search ended; failing at that is an end, too."""
        try:
            return await self._elect(search, status, error, checker)
        except Exception as problem:
            return RunFinished("failed", error=error or one_line(problem))

    async def _elect(self, search: Search, status: RunStatus, error: str | None, checker: Checker) -> RunFinished:
        answers = [leaf.answer for leaf in search.tree.completions() if leaf.answer is not None]
        grades = await asyncio.to_thread(checker.grades, answers, self.question.reference)
        groups = answer_groups(
            search.tree,
            grades,
            self.params.rule,
            self._scorer.info.name if self._scorer else None,
            eligible_without_answer=self.params.eligible_without_answer,
            votes=self.params.votes,
        )
        winner = choose(groups, eligible_without_answer=self.params.eligible_without_answer)
        if winner:
            self._choose(search, winner, groups)
        grade = grades.get(winner.answer or "", Grade("")) if winner else Grade("")
        return RunFinished(
            status=status,
            stop_reason=search.stop_reason if status == "done" else None,
            answer=winner.answer if winner else None,
            correct=self._correct(status, grade),
            graded_by=grade.rule,
            error=error,
            grades=grades,
        )

    def _choose(self, search: Search, winner: AnswerGroup, groups: list[AnswerGroup]) -> None:
        numbers = {"weight": winner.weight, "votes": winner.votes, "of": sum(group.votes for group in groups)}
        if winner.best_score is not None:
            numbers["score"] = winner.best_score
        search.decide(search.tree[winner.nodes[0]], "choose", "rule", numbers)

    def _correct(self, status: RunStatus, grade: Grade) -> bool | None:
        """Null without a reference; a finished run without an answer is wrong."""
        if self.question.reference is None:
            return None
        return grade.correct if grade.correct is not None else (False if status == "done" else None)
