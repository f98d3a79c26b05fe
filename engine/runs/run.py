"""One run from question to answer: open the models' sessions, let the strategy search, choose, grade, conclude.

Whatever happens on the way, the log ends with exactly one `RunFinished`, and nothing that was found is lost.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime

from engine.errors import InvalidInput, TtsError
from engine.runs.question import Question
from engine.search import Search
from engine.search.cost import Meter
from engine.search.domain import Domain
from engine.search.events import Event, Grade, RunFinished, RunStarted, RunStatus
from engine.search.params import RunParams
from engine.search.policy import Policy, PolicySession, Sampling, TokenBudget
from engine.search.scorer import Scorer
from engine.search.search import Sink
from engine.search.selection import AnswerGroup, answer_groups, choose

#: Seconds that grading a run's answers may take; what is not decided by then stays undecided.
GRADING_S = 30.0


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
    """An unexpected error, as one line."""
    return " ".join(f"{type(problem).__name__}: {problem}".split())


class Run:
    """A run in progress; `writing()` is the step being written at this moment."""

    def __init__(
        self,
        run_id: str,
        question: Question,
        params: RunParams,
        policy: Policy,
        scorer: Scorer | None,
        domain: Domain,
        sink: Sink,
        *,
        comparison_id: str | None = None,
        sweep_id: str | None = None,
    ) -> None:
        self.id, self.question, self.params = run_id, question, params
        self._domain, self._sweep_id = domain, sweep_id
        self._policy, self._scorer, self._sink = policy, scorer if params.method.scored else None, sink
        if params.method.scored and scorer is None:
            raise InvalidInput("scorer", f"{params.strategy} needs a PRM and these models have none; choose others")
        check_fits(question, policy, self._scorer)
        self._comparison_id = comparison_id
        self._session: PolicySession | None = None

    def writing(self) -> str:
        return self._session.writing() if self._session else ""

    async def execute(self) -> RunFinished:
        """Search to the end. Cancelling stops the run (`stopped`) and raises; a model's error ends it `failed`.

        What was found is graded however the search ended; cancelling meanwhile cuts the grading short, nothing else.
        """
        meter = Meter(self._policy.info, self._scorer.info if self._scorer else None)
        self._session = self._policy.session(self.question.problem)
        scoring = self._scorer.session(self.question.problem) if self._scorer else None
        params = self.params
        sampling = Sampling(params.temperature, params.top_p, max_tokens=params.max_tokens)
        search = Search(
            self.question.problem, self._session, scoring, self._domain, meter, self._sink, sampling=sampling,
            seed=params.seed, n=params.n, max_steps=params.max_steps, prm_window=params.prm_window,
            budget=TokenBudget(params.max_tokens_total),
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
            finished = await self._conclude(search, status, error)
            search.flush()
            self._sink([finished], meter.usage())
        return finished

    def _started(self) -> Event:
        return RunStarted(
            run_id=self.id,
            created_at=datetime.now(UTC).isoformat(timespec="milliseconds"),
            problem=self.question.problem,
            reference_answer=self.question.reference,
            domain=self.question.domain,
            strategy=self.params.strategy,
            params=self.params.recorded(),
            policy=self._policy.info,
            scorer=self._scorer.info if self._scorer else None,
            sweep_id=self._sweep_id,
            comparison_id=self._comparison_id,
        )

    async def _conclude(self, search: Search, status: RunStatus, error: str | None) -> RunFinished:
        """Choose an answer from what finished, however the search ended; a failure here ends the run, too."""
        try:
            return await self._elect(search, status, error)
        except Exception as problem:
            return RunFinished("failed", error=error or one_line(problem))

    async def _elect(self, search: Search, status: RunStatus, error: str | None) -> RunFinished:
        answers = [leaf.answer for leaf in search.tree.completions() if leaf.answer is not None]
        grades = await self._graded(answers)
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
            correct=self._correct(status, winner.answer if winner else None, grade),
            graded_by=grade.rule,
            error=error,
            grades=grades,
        )

    async def _graded(self, answers: Sequence[str]) -> dict[str, Grade]:
        """The grades; if the run is stopped meanwhile, those decided by then."""
        try:
            async with asyncio.timeout(GRADING_S):
                return await self._domain.grades(answers, self.question.reference)
        except (TimeoutError, asyncio.CancelledError):
            return self._domain.quick_grades(answers, self.question.reference)

    def _choose(self, search: Search, winner: AnswerGroup, groups: list[AnswerGroup]) -> None:
        numbers = {"weight": winner.weight, "votes": winner.votes, "of": sum(group.votes for group in groups)}
        if winner.best_score is not None:
            numbers["score"] = winner.best_score
        search.decide(search.tree[winner.nodes[0]], "choose", "rule", numbers)

    def _correct(self, status: RunStatus, answer: str | None, grade: Grade) -> bool | None:
        """None without a reference or if undecided; a finished run without an answer is wrong."""
        if self.question.reference is None:
            return None
        return False if answer is None and status == "done" else grade.correct
