"""A search in three lines of Python, without a server: `engine.solve` and `engine.asolve`.

    import engine

    found = engine.solve("What is 18 * 19?", n=16)
    print(found.answer, found.usage.generated_tokens)

Models are loaded once a process. Nothing is written to disk unless a store is named.
"""

from __future__ import annotations

import asyncio
import atexit
from collections.abc import AsyncGenerator, AsyncIterator, Generator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import cache
from pathlib import Path
from typing import Any

from engine.domains import Domains
from engine.errors import InvalidInput, TtsError
from engine.models.catalogue.catalogue import CATALOGUE, Catalogue
from engine.models.loop_thread import LoopThread
from engine.runs.asking import asked
from engine.runs.limits import Limits
from engine.runs.question import Question
from engine.runs.run import Run
from engine.runs.sweeps.learning import learned_for
from engine.search.events import Event, RunFinished, RunOutcome, RunStarted, Usage
from engine.search.params import RunParams
from engine.search.selection import AnswerGroup
from engine.search.tree import Tree
from engine.store import RunRecord, Store
from engine.store.document import document
from engine.store.ids import new_run_id
from engine.store.records import begun


@dataclass(frozen=True, slots=True)
class Solution:
    """What a search found.

    Attributes:
        answer: None where nothing was found.
        right: whether it equals the reference answer; None where none is known, or where that could not be decided.
        answers: all answers, best first under the run's rule, with their votes and weights.
        usage: what it cost, the PRM's tokens apart.
        tree: every step with its scores and what became of it.
        run_id: where the run is on record; None where no store was named.
        record, events: the run as a store would give it back.
    """

    record: RunRecord
    events: Sequence[Event]
    tree: Tree
    run_id: str | None

    @property
    def answer(self) -> str | None:
        return self.record.answer

    @property
    def right(self) -> bool | None:
        return self.record.correct

    @property
    def answers(self) -> list[AnswerGroup]:
        return self.record.answers(self.tree)

    @property
    def usage(self) -> Usage:
        return self.record.usage

    def document(self) -> dict[str, Any]:
        """The run document, as `tts-ui solve --json` prints it."""
        return document(self.record, self.events)


class SearchFailed(TtsError):
    """A model failed on the way; `solution` is what was found by then."""

    def __init__(self, solution: Solution) -> None:
        super().__init__(solution.record.error or "the search failed")
        self.solution = solution


def solve(
    problem: str, *, strategy: str = "beam_search", models: str | None = None, scorer: str | None = None,
    answer: str | None = None, budget: int | None = None, store: Store | Path | str | None = None, **parameters: Any,
) -> Solution:  # fmt: skip
    """Search for the answer to a problem; returns when the search has ended.

    Args:
        strategy: one of `engine.search.strategies.STRATEGIES`.
        models: a pair of the catalogue, a models file (its first pair), or FILE:NAME; else the built-in pair.
        scorer: a PRM of the catalogue in place of the pair's own.
        answer: the right answer, to grade against; where the problem's own domain knows it, it need not be given.
        budget: the most tokens that may be generated; the same as `max_tokens_total`.
        store: where the run is recorded: a store, or the path or URL of one. Without it nothing is written.
        parameters: any field of `engine.RunParams`: `n`, `width`, `select`, `temperature`, `seed` and so on.

    Raises `InvalidInput`, one line that names the argument and the fix, before any model is loaded; `ModelError` or
    `StoreError` where models or the store cannot be used; `SearchFailed` where a model failed on the way. Ctrl-C stops
    the search, and a store keeps what it found.
    """
    searching = asolve(
        problem,
        strategy=strategy,
        models=models,
        scorer=scorer,
        answer=answer,
        budget=budget,
        store=store,
        **parameters,
    )
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(searching.result())
    aside = LoopThread("solve")  # a notebook has a loop of its own
    try:
        return aside.call(searching.result())
    finally:
        aside.close()  # stops the search where Ctrl-C ended the waiting


def asolve(
    problem: str, *, strategy: str = "beam_search", models: str | None = None, scorer: str | None = None,
    answer: str | None = None, budget: int | None = None, store: Store | Path | str | None = None, **parameters: Any,
) -> Searching:  # fmt: skip
    """As `solve`, for a program with an event loop: `await` it for the `Solution`, or go through its events as they
    come with `async for`. Mistakes raise `InvalidInput` at once. Cancelling the task stops the search."""
    if budget is not None:
        if parameters.get("max_tokens_total") not in (None, budget):
            raise InvalidInput("budget", "it is the same as max_tokens_total; give one of them")
        parameters["max_tokens_total"] = budget
    for name, value in (("problem", problem), ("models", models), ("scorer", scorer), ("answer", answer)):
        if not isinstance(value, str) and (value is not None or name == "problem"):
            raise InvalidInput(name, f"{str(value)[:40]!r} is not a text; give one")
    if not isinstance(store, Store | Path | str | None) or store == "":
        raise InvalidInput("store", f"{str(store)[:40]!r} is no store; give one, or the path or URL of one")
    catalogue, pair = _catalogue_of(models)
    catalogue.scorer(pair, scorer)
    params = asked(strategy, parameters, catalogue.entry(pair).policy.sampling.given())
    question = Question(problem, answer)
    Limits().admitted(question, [params])
    catalogue.check_rules(pair, [params.rule])
    return Searching(question, params, catalogue, pair, scorer, store)


class Searching:
    """A search that was asked for; it begins when it is awaited or iterated, and can be once.

    Attributes:
        solution: what it found, once it has ended.
    """

    def __init__(
        self, question: Question, params: RunParams, catalogue: Catalogue, pair: str, scorer: str | None,
        store: Store | Path | str | None,
    ) -> None:  # fmt: skip
        self._question, self._params, self._catalogue = question, params, catalogue
        self._pair, self._scorer, self._store = pair, scorer, store
        self._begun = False
        self.solution: Solution | None = None

    def __await__(self) -> Generator[Any, None, Solution]:
        return self.result().__await__()

    async def result(self) -> Solution:
        """Search to the end. Raises `SearchFailed` where a model failed."""
        async for _ in self:
            pass
        assert self.solution is not None
        if self.solution.record.status == "failed":
            raise SearchFailed(self.solution)
        return self.solution

    async def __aiter__(self) -> AsyncIterator[Event]:
        """The events of the search, from `RunStarted` to `RunFinished`: those of a store when they are committed.
        Leaving the loop (close the iterator, or cancel the task) stops the search."""
        if self._begun:
            raise RuntimeError("a search is awaited or iterated once; call asolve again")
        self._begun = True
        opened = None
        if self._store is not None and not isinstance(self._store, Store):
            opened = await asyncio.to_thread(Store.open, str(self._store))
        store = opened or (self._store if isinstance(self._store, Store) else None)
        try:
            run, log = await self._make(store)
            events = self._events(run, log, store)
            try:
                async for event in events:
                    yield event
            finally:
                await events.aclose()
        finally:
            if opened:
                await asyncio.to_thread(opened.close)

    async def _make(self, store: Store | None) -> tuple[Run, _Log]:
        """The run, not yet begun; loads the models."""
        domain = _domains()[self._question.domain]
        question = self._question
        if question.reference is None:
            question = replace(question, reference=domain.reference_of(question.problem))
        pair = await asyncio.to_thread(self._catalogue.load, self._pair, self._scorer)
        learned = None
        if store is not None:
            judge = pair.scorer.info.name if pair.scorer else None
            learned = await asyncio.to_thread(learned_for, store, self._params, pair.policy.info.name, judge)
        log = _Log(new_run_id(), store)
        return Run(
            log.run_id, question, self._params, pair.policy, pair.scorer, domain, log.take, learned=learned
        ), log  # fmt: skip

    async def _events(self, run: Run, log: _Log, store: Store | None) -> AsyncGenerator[Event, None]:
        task = asyncio.create_task(run.execute())
        told = 0
        try:
            while not task.done() or told < len(log.events):
                await log.more(task)
                known = len(log.events)
                if store is not None and known > told:
                    await asyncio.to_thread(store.flush, log.run_id)
                for event in log.events[told:known]:
                    yield event
                told = known
            task.result()
        finally:
            if not task.done():
                task.cancel()
            await asyncio.wait([task])
            if log.events:
                self.solution = log.solution()


class _Log:
    """Where a run's events go: into memory, and into the store if there is one."""

    def __init__(self, run_id: str, store: Store | None) -> None:
        self.run_id, self._store = run_id, store
        self.events: list[Event] = []
        self._usage = Usage()
        self._fresh = asyncio.Event()

    def take(self, events: Sequence[Event], usage: Usage) -> None:
        if self._store is not None:
            self._store.record(events, usage, self.run_id)
        self.events += events
        self._usage = usage
        self._fresh.set()

    async def more(self, task: asyncio.Task[Any]) -> None:
        """Return when there is more, or when the run has ended."""
        waiting = asyncio.create_task(self._fresh.wait())
        await asyncio.wait([waiting, task], return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        self._fresh.clear()

    def solution(self) -> Solution:
        first, last = self.events[0], self.events[-1]
        assert isinstance(first, RunStarted)
        ended = last if isinstance(last, RunFinished) else RunFinished("failed")
        outcome: Mapping[str, Any] = {each.name: getattr(ended, each.name) for each in fields(RunOutcome)}
        record = replace(begun(first, self._usage), **outcome)
        return Solution(record, tuple(self.events), Tree.from_events(self.events), self.run_id if self._store else None)


@cache
def _domains() -> Domains:
    domains = Domains()
    atexit.register(domains.close)
    return domains


@cache
def _catalogue(file: Path) -> Catalogue:
    catalogue = Catalogue(file)
    atexit.register(catalogue.close)
    return catalogue


def _catalogue_of(wanted: str | None) -> tuple[Catalogue, str]:
    """The catalogue and the name of the pair of it that are meant by a name, a FILE or FILE:NAME."""
    file, _, name = (wanted or "").rpartition(":")
    if wanted and wanted.endswith(".toml"):
        file, name = wanted, ""
    elif not file.endswith(".toml"):
        file, name = "", wanted or ""
    catalogue = _catalogue(Path(file) if file else CATALOGUE)
    return catalogue, catalogue.entry(name or None).name
