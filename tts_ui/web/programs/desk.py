"""Does what programs ask, over one host: the same ceilings, the same line and the same rules about whose a run is as
for the pages.

Every tool answers with documents of JSON types: what is known so far, and the result as the last one.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing, asynccontextmanager
from functools import partial
from typing import Any

from engine.domains import DOMAINS
from engine.errors import InvalidInput
from engine.models.catalogue.catalogue import PairEntry
from engine.runs.admission import check_waiting
from engine.runs.asking import asked
from engine.runs.grading import grade_run
from engine.runs.host import Host
from engine.runs.lab.benches import Benches
from engine.runs.lab.rescoring import rescore
from engine.runs.lab.solutions import in_steps
from engine.runs.question import Question
from engine.runs.run import GRADING_S
from engine.search.events import Grade
from engine.search.params import PARAMETERS, RunParams
from engine.store.listing import Wanted
from engine.store.shapes import bill
from tts_ui.web.door import Visitors
from tts_ui.web.programs.caller import Caller
from tts_ui.web.programs.following import Following, abandon, until_begun
from tts_ui.web.programs.results import listed, summary
from tts_ui.web.programs.tools import TOOLS

Document = dict[str, Any]

#: Steps of a solution, at most; and answers or runs that are graded at a time.
_STEPS, _GRADED_AT_ONCE = 200, 2


class Desk:
    """Answers programs."""

    def __init__(self, host: Host, visitors: Visitors) -> None:
        self.host, self.visitors = host, visitors
        self._benches = Benches(host)
        self._places, self._grading = asyncio.Semaphore(_GRADED_AT_ONCE), Counter[str]()
        self._work = {
            "solve": self._solve, "compare": self._compare, "show": self._show, "score": self._score,
            "runs": self._runs, "grade": self._grade,
        }  # fmt: skip

    async def do(self, name: str, given: Mapping[str, Any], caller: Caller) -> AsyncGenerator[Document, None]:
        """The tool called `name` with these arguments. Closing the iterator, or cancelling, stops what it has begun.

        Raises `InvalidInput` for a mistake of the caller's, `Busy` where too much waits, else another `TtsError`.
        """
        values = TOOLS[name].read(given)
        async with aclosing(self._work[name](values, caller)) as documents:
            async for document in documents:
                yield document

    # --- searches ----------------------------------------------------------------------------------------------------

    def _pair(self, values: Mapping[str, Any]) -> PairEntry:
        self.host.limits.check_texts(values["problem"], values["answer"])
        return self.host.catalogue.entry(values["models"])

    def _params(self, values: Mapping[str, Any], strategy: str) -> RunParams:
        given = {name: value for name, value in values.items() if name in PARAMETERS}
        return asked(strategy, given, self._pair(values).policy.sampling.given())

    async def _solve(self, values: Mapping[str, Any], caller: Caller) -> AsyncGenerator[Document, None]:
        async with aclosing(self.search(values, caller)) as told:
            async for told_of in told:
                yield told_of.document() if isinstance(told_of, Following) else told_of

    async def search(self, values: Mapping[str, Any], caller: Caller) -> AsyncGenerator[Document | Following, None]:
        """`solve`: what it waits for, then the run as it grows."""
        params = self._params(values, values["strategy"])
        question = Question(values["problem"], values["answer"])
        models, scorer = values["models"], values["scorer"]
        ticket = self.host.line_up(question, params, models, scorer, visitor=caller.place)
        try:
            async with aclosing(until_begun(ticket, self.host, models, scorer, caller)) as waiting:
                async for told in waiting:
                    yield told
            running = ticket.result()
            await asyncio.to_thread(self.visitors.started, caller.asking, running.id)
            following = Following(self.host, [running], caller, discreet=self.visitors.strict)
            async with aclosing(following.updates()) as updates:
                async for _ in updates:
                    yield following
        except BaseException:
            abandon(ticket)
            raise

    async def _compare(self, values: Mapping[str, Any], caller: Caller) -> AsyncGenerator[Document, None]:
        strategies = [name.strip() for name in values["strategies"].split(",") if name.strip()]
        if len(strategies) < 2:
            raise InvalidInput("strategies", "a comparison needs two or more; name another, with a comma")
        if len(set(strategies)) < len(strategies):
            raise InvalidInput("strategies", "a strategy is named twice; name each once")
        params = [self._params(values, strategy) for strategy in strategies]
        question = Question(values["problem"], values["answer"])
        models, scorer = values["models"], values["scorer"]
        ticket = self.host.line_up_comparison(
            question, params, models, scorer, paired=values["paired"], visitor=caller.place
        )  # fmt: skip
        try:
            async with aclosing(until_begun(ticket, self.host, models, scorer, caller)) as waiting:
                async for told in waiting:
                    yield told
            comparing = ticket.result()
            await asyncio.to_thread(self.visitors.started, caller.asking, *(run.id for run in comparing.runs))
            following = Following(self.host, comparing.runs, caller, discreet=self.visitors.strict)
            async with aclosing(following.updates()) as updates:
                async for _ in updates:
                    yield following.document(comparison=comparing.id)
        except BaseException:
            abandon(ticket)
            raise
        record = await asyncio.to_thread(self.host.store.comparison, comparing.id)
        yield following.document(comparison=comparing.id) | {"shared": bill(record.shared)}

    # --- what is on record -------------------------------------------------------------------------------------------

    async def _show(self, values: Mapping[str, Any], caller: Caller) -> AsyncGenerator[Document, None]:
        record, events = await asyncio.to_thread(self.host.store.read, values["run"])
        yield await asyncio.to_thread(
            summary, record, events, caller.address, discreet=self.visitors.strict, drawn=True
        )

    async def _runs(self, values: Mapping[str, Any], caller: Caller) -> AsyncGenerator[Document, None]:
        wanted = Wanted(
            search=values["search"], strategy=values["strategy"], outcome=values["outcome"],
            within=await asyncio.to_thread(self.visitors.may_list, caller.asking),
        )  # fmt: skip
        found = await asyncio.to_thread(self.host.store.listed, wanted, values["limit"])
        yield {"runs": [listed(each.record, caller.address) for each in found]}

    # --- what is added to it -----------------------------------------------------------------------------------------

    async def _score(self, values: Mapping[str, Any], caller: Caller) -> AsyncGenerator[Document, None]:
        scorer = values["scorer"]
        entry = self.host.catalogue.scorer(None, scorer)
        if self.visitors.strict and entry and not self.host.catalogue.here(entry):
            raise InvalidInput("scorer", "this model is not on the server (yet); choose another")
        if values["run"] is None:
            yield await self._score_solution(values, caller)
            return
        if values["problem"] is not None or values["solution"] is not None:
            raise InvalidInput("run", "a run has its own problem and steps; give a run or a solution")
        await asyncio.to_thread(self.visitors.check, caller.asking, values["run"])
        work = partial(rescore, self.host.store, [values["run"]])
        (done,) = await asyncio.wrap_future(self.host.judging(scorer, work, visitor=caller.place))
        if done.scoring is None:
            raise InvalidInput("run", str(done.refused))
        tree = await asyncio.to_thread(self.host.store.tree, values["run"])
        steps = [_scored(node.id, node.text, node.scores.get(scorer)) for node in tree.nodes[1:]]
        yield {"run": values["run"], "scorer": scorer, "steps": steps, "usage": bill(done.scoring.usage)}

    async def _score_solution(self, values: Mapping[str, Any], caller: Caller) -> Document:
        problem, solution = values["problem"], values["solution"]
        for name, text in (("problem", problem), ("solution", solution)):
            if text is None or not text.strip():
                raise InvalidInput(name, "it is missing; give a run, or a problem and its solution")
        limits, steps = self.host.limits, in_steps(solution)
        limits.check_texts(problem, None)
        if len(solution) > limits.max_problem or len(steps) > _STEPS:
            raise InvalidInput(
                "solution", f"{len(steps):,} steps of {len(solution):,} characters are too many; give at most {_STEPS} "
                f"and {limits.max_problem:,}"
            )  # fmt: skip
        found = await asyncio.wrap_future(self._benches.read(values["scorer"], problem.strip(), [steps], caller.place))
        scored = [_scored(at, steps[at - 1], score) for at, score in enumerate(found.scores[0], 1)]
        return {"run": None, "scorer": values["scorer"], "steps": scored, "usage": bill(found.usage)}

    async def _grade(self, values: Mapping[str, Any], caller: Caller) -> AsyncGenerator[Document, None]:
        reference, answer, run = values["reference"], values["answer"], values["run"]
        if (answer is None) == (run is None):
            raise InvalidInput("answer", "give an answer to compare, or a run to grade")
        for name, text in (("reference", reference), ("answer", answer)):
            if text is not None and not text.strip():
                raise InvalidInput(name, "it is empty; give an answer")
            if text is not None and len(text) > self.host.limits.max_answer:
                raise InvalidInput(name, f"it is too long; give at most {self.host.limits.max_answer:,} characters")
        if run is not None:
            await asyncio.to_thread(self.visitors.check, caller.asking, run)
            async with self._to_grade(caller.place):
                record = await grade_run(self.host.store, self.host.domains, run, reference)
            yield {
                "run": record.id, "answer": record.answer, "reference": reference, "correct": record.correct,
                "graded_by": record.graded_by,
            }  # fmt: skip
            return
        async with self._to_grade(caller.place):
            grade = await self._verdict(answer, reference)
        yield {
            "run": None, "answer": answer, "reference": reference, "correct": grade.correct, "graded_by": grade.rule,
        }  # fmt: skip

    @asynccontextmanager
    async def _to_grade(self, visitor: str) -> AsyncIterator[None]:
        """A place to grade: there are few, as runs that end are graded by the same processes. Raises `Busy`."""
        check_waiting(self.host.limits, self._grading, visitor)
        self._grading[visitor] += 1
        try:
            async with self._places:
                yield
        finally:
            self._grading -= Counter([visitor])

    async def _verdict(self, answer: str, reference: str) -> Grade:
        """What cannot be decided in the time that a run's answers have stays undecided."""
        domain = self.host.domains[next(iter(DOMAINS))]
        try:
            async with asyncio.timeout(GRADING_S):
                return (await domain.grades([answer], reference))[answer]
        except TimeoutError:
            return domain.quick_grades([answer], reference)[answer]


def _scored(node: int, text: str, score: float | None) -> Document:
    return {"node": node, "text": text.strip(), "score": score}
