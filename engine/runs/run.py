"""One run from question to answer: open the models' sessions, let the strategy search, choose, grade, conclude.

Whatever happens on the way, the log ends with exactly one `RunFinished`, and nothing that was found is lost.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from engine.errors import InvalidInput, StoreError, TtsError
from engine.runs.question import Question
from engine.search import Search
from engine.search.cost import Meter
from engine.search.domain import Domain
from engine.search.events import Event, Grade, RunFinished, RunStarted, RunStatus, Usage
from engine.search.learned import Learned
from engine.search.params import RunParams
from engine.search.policy import Bounded, Policy, PolicySession, Sampling, TokenBudget, Writing
from engine.search.scorer import Scorer, ScorerSession
from engine.search.search import Sink
from engine.search.selection import AnswerGroup, answer_groups, choose, recorded, rule_named
from engine.search.tree import Tree

if TYPE_CHECKING:  # a run by itself needs no store
    from engine.runs.fork import Fork

#: The judge whose scores are the shares of rollouts that came out right, and the strategies whose draws are rollouts.
ROLLOUTS, UNGUIDED = "rollouts", ("majority_vote", "best_of_n")
#: Seconds that grading a run's answers may take; what is not decided by then stays undecided.
GRADING_S = 30.0


#: Characters of an unexpected error that are kept.
_LONGEST_ERROR = 500


def check_fits(question: Question, policy: Policy, scorer: Scorer | None) -> None:
    """Raise `InvalidInput` if the problem leaves a model or its memory no room for an answer. Needs the tokenizers
    only."""
    for model in (policy, scorer):
        if model is None:
            continue
        tokens, window = model.prompt_tokens(question.problem), model.info.context_window
        if tokens >= window - 1:
            raise InvalidInput(
                "problem", f"{tokens} tokens do not fit the context window of {model.info.name} ({window}); shorten it"
            )
        if isinstance(model, Bounded) and tokens >= (most := model.longest_path) - 1:
            raise InvalidInput(
                "problem", f"{tokens} tokens do not fit the memory for keys and values of {model.info.name} (it holds "
                f"{most}); shorten it, or set a larger cache_gb for the pair"
            )  # fmt: skip


def one_line(problem: Exception) -> str:
    """An unexpected error, as one line of no more than some hundred characters: it may quote a whole text."""
    return " ".join(f"{type(problem).__name__}: {problem}"[:_LONGEST_ERROR].split())


def _unrecorded(finished: RunFinished, why: StoreError) -> RunFinished:
    return replace(finished, status="failed", error=finished.error or str(why))


class Run:
    """A run in progress; `writing()` is what is being written at this moment, `spent()` what that has cost so far, and
    `tree` what has been found (None until the search begins)."""

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
        fork: Fork | None = None,
        learned: Learned | None = None,
    ) -> None:
        self.id, self.question, self.params = run_id, question, params
        self._domain, self._sweep_id, self._fork, self._learned = domain, sweep_id, fork, learned
        self._policy, self._scorer, self._sink = policy, scorer if params.method.scored else None, sink
        if params.method.scored and scorer is None:
            raise InvalidInput("scorer", f"{params.strategy} needs a PRM and these models have none; choose others")
        check_fits(question, policy, self._scorer)
        self._comparison_id = comparison_id
        self._session: PolicySession | None = None
        self.tree: Tree | None = None
        self._meter: Meter | None = None

    @property
    def judge(self) -> str | None:
        """The name of the PRM that it is decided on."""
        return self._scorer.info.name if self._scorer else None

    def writing(self) -> Writing | None:
        return self._session.writing() if self._session else None

    def spent(self) -> Usage:
        return self._meter.usage() if self._meter else Usage()

    async def execute(self) -> RunFinished:
        """Search to the end. Cancelling stops the run (`stopped`) and raises; a model's error ends it `failed`.

        What was found is graded however the search ended; cancelling meanwhile cuts the grading short, nothing else.
        """
        meter = self._meter = Meter(self._policy.info, self._scorer.info if self._scorer else None)
        self._sink([self._started()], meter.usage())
        try:
            self._session = self._policy.session(self.question.problem)
            scoring = self._scorer.session(self.question.problem) if self._scorer else None
        except Exception as problem:
            self._close(None)
            why = str(problem) if isinstance(problem, TtsError) else one_line(problem)
            finished = self._recorded(RunFinished("failed", error=why), meter)
            if isinstance(problem, TtsError):
                return finished
            raise
        params = self.params
        sampling = Sampling(params.temperature, params.top_p, max_tokens=params.max_tokens)
        search = Search(
            self.question.problem, self._session, scoring, self._domain, meter, self._sink, sampling=sampling,
            seed=params.seed, n=params.n, max_steps=params.max_steps, prm_window=params.prm_window,
            budget=TokenBudget(params.max_tokens_total), learned=self._learned,
        )  # fmt: skip
        self.tree = search.tree
        status: RunStatus = "failed"
        error: str | None = None
        try:
            if self._fork:
                search.plant(self._fork.planted(self._policy), self._fork.drawn)
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
            self._close(scoring)
            finished = self._recorded(await self._conclude(search, status, error), meter, search.flush)
        return finished

    def _close(self, scoring: ScorerSession | None) -> None:
        for session in (self._session, scoring):
            if session:
                session.close()

    def _recorded(self, finished: RunFinished, meter: Meter, before: Callable[[], object] | None = None) -> RunFinished:
        """Hand over the end, after what comes `before` it. A log that is refused does not cost what was found."""
        try:
            if before:
                before()
        except StoreError as refused:
            finished = _unrecorded(finished, refused)
        try:
            self._sink([finished], meter.usage())
        except StoreError as refused:
            finished = _unrecorded(finished, refused)
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
            origin="fork" if self._fork else "search",
            parent_run=self._fork.run_id if self._fork else None,
            fork_node=self._fork.node if self._fork else None,
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
        rule, judge = self.params.rule, self.judge
        if rule_named(rule).reading and not recorded(search.tree, rule, judge):
            why = error or f"select: {self._policy.info.name} does not report what {rule} reads; choose majority_vote"
            return RunFinished("failed" if status == "done" else status, error=why, grades=grades)
        groups = answer_groups(
            search.tree,
            grades,
            rule,
            judge,
            eligible_without_answer=self.params.eligible_without_answer,
            votes=self.params.votes,
        )
        winner = choose(groups, eligible_without_answer=self.params.eligible_without_answer)
        self._value(search, grades)
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

    def _value(self, search: Search, grades: Mapping[str, Grade]) -> None:
        """The rollout value of the step that a fork went on from (Math-Shepherd, arXiv 2312.08935): the share of draws
        below it that came out right. Only where all draws were taken to their ends, whatever a PRM or a vote said."""
        unguided = self.params.strategy in UNGUIDED and not self.params.stop
        if self._fork is None or self.question.reference is None or not unguided:
            return
        outcomes = [
            (grades[leaf.answer].correct if leaf.answer is not None else False, leaf.copies)
            for leaf in search.tree.completions()
        ]
        right, ended = (sum(copies for correct, copies in outcomes if correct in of) for of in ((True,), (True, False)))
        if ended and search.root is not search.tree.root:
            search.estimate(search.root, ROLLOUTS, right, ended)

    def _correct(self, status: RunStatus, answer: str | None, grade: Grade) -> bool | None:
        """None without a reference or if undecided; a finished run without an answer is wrong."""
        if self.question.reference is None:
            return None
        return False if answer is None and status == "done" else grade.correct
