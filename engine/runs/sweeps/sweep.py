"""Running cells over a problem set: many searches at once on one back end, each recorded like any other run.

The searches of one problem share what they have in common, as those of a comparison do: a draw or a score that two
cells ask for is made once, and each run is charged as if it ran alone.

A sweep resumes: if a problem's run under a cell is done in the store, it is not searched again. Runs that were cut
short (killed, failed) stay on record and are searched again.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from engine.domains import Domains
from engine.errors import InvalidInput, StoreError
from engine.models.catalogue.catalogue import Models
from engine.runs.question import Question
from engine.runs.run import Run, check_fits
from engine.runs.shared import SharedPolicy, SharedScorer
from engine.runs.sweeps.cells import Cell
from engine.runs.sweeps.outcomes import Finished, outcomes
from engine.search.events import Event, RunFinished, Usage
from engine.search.scorer import Scorer
from engine.store import RunRecord, Store
from engine.store.ids import new_run_id
from engine.store.sweep_records import OutcomeRecord

#: Problems are searched side by side until their largest cells ask for this many draws together: larger batches no
#: longer pay for a small model, and up to here a search that goes one step at a time (MCTS) seldom has one to itself.
DRAWS_AT_ONCE = 512
#: Seconds that the database may take to record a run that has ended.
PATIENCE_S = 60.0


@dataclass(frozen=True, slots=True)
class Sweep:
    """A named series of cells over one store. The name (the id of its row in `sweeps`) sets its runs apart from those
    of other sweeps; `levels` are those of problems, by text. `refused` says of runs that were not made why not,
    `failed` of runs that failed."""

    name: str
    store: Store
    domains: Domains
    levels: Mapping[str, str] = field(default_factory=dict)
    refused: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)

    def done(self, cell: Cell) -> dict[str, RunRecord]:
        """Problem -> its finished run under this cell."""
        runs = self.store.sweep(cell.sweep_id(self.name))
        return {run.problem: run for run in runs if run.status == "done"}

    def run(
        self,
        cells: Mapping[Cell, Models],
        questions: Sequence[Question],
        progress: Callable[[], object] = lambda: None,
    ) -> None:
        """Search every question under each cell in which it is not done yet; `progress` is called after each search."""
        asyncio.run(self.search(cells, questions, progress))
        self.store.flush()

    async def search(
        self,
        cells: Mapping[Cell, Models],
        questions: Sequence[Question],
        progress: Callable[[], object] = lambda: None,
    ) -> None:
        """As `run`, on the caller's event loop. Cancelling it stops the searches that are under way."""
        known = await asyncio.to_thread(self.store.done, [cell.sweep_id(self.name) for cell in cells])
        due = [(question, await self._due(question, cells, known)) for question in questions]
        waiting = [work for work in reversed(due) if work[1]]
        searches = Searches(self.name, self.domains, self.levels, self.store.record, self.unrecorded, self.failed)

        async def work() -> None:
            while waiting:
                await searches.of(*waiting.pop(), progress)

        async with asyncio.TaskGroup() as group:
            for _ in range(min(len(waiting), at_once(cell for _, cells in waiting for cell in cells))):
                group.create_task(work())

    async def _due(
        self, question: Question, cells: Mapping[Cell, Models], known: Mapping[str, Collection[str]]
    ) -> Mapping[Cell, Models]:
        """The cells that the question is to be searched under: not those where it is done, or too long for a model."""
        await asyncio.sleep(0)  # tokenizing a thousand problems takes a while
        due = {
            cell: models for cell, models in cells.items() if question.problem not in known[cell.sweep_id(self.name)]
        }
        why: dict[tuple[int, int], str | None] = {}
        for cell, models in due.items():
            judge = _judge(cell, models)
            key = (id(models.policy), id(judge))
            if key not in why:
                why[key] = _unfit(question, models, judge)
            if said := why[key]:
                self.refused.append(said)
        return {cell: models for cell, models in due.items() if not why[id(models.policy), id(_judge(cell, models))]}

    async def unrecorded(self, run_id: str) -> str | None:
        """Wait until a run is on record: what is counted as done must be. Returns why it is not, after a while."""
        deadline = time.monotonic() + PATIENCE_S
        while True:
            try:
                await asyncio.to_thread(self.store.flush, run_id)
                return None
            except StoreError as error:
                if time.monotonic() > deadline:
                    return str(error)
                await asyncio.sleep(0.5)


class Record(Protocol):
    """What takes a round of a run, as `Store.record` does."""

    def __call__(
        self, events: Sequence[Event], usage: Usage, run_id: str, *, outcomes: Sequence[OutcomeRecord]
    ) -> None: ...


@dataclass(frozen=True, slots=True)
class Searches:
    """The searches of a sweep, one question at a time, wherever they are made: `record` takes what they find,
    `unrecorded` waits until it is on record and says why it is not, `failed` says of runs that failed why."""

    name: str
    domains: Domains
    levels: Mapping[str, str]
    record: Record
    unrecorded: Callable[[str], Awaitable[str | None]]
    failed: list[str]

    async def of(
        self, question: Question, cells: Mapping[Cell, Models], progress: Callable[[], object] = lambda: None
    ) -> None:
        """All searches of one question, sharing each policy's draws and each judge's scores."""
        shared = _Shared(question.problem, cells)

        async def search(cell: Cell, models: Models) -> None:
            run_id = new_run_id()

            def record(events: Sequence[Event], usage: Usage) -> None:
                self.record(events, usage, run_id, outcomes=self._outcomes(run, events, usage))

            policy, scorer = shared.of(cell, models)
            domain = self.domains[question.domain]
            run = Run(run_id, question, cell.params, policy, scorer, domain, record, sweep_id=cell.sweep_id(self.name))
            finished = await run.execute()
            why = await self.unrecorded(run_id)
            if why or finished.status != "done":
                self.failed.append(why or finished.error or finished.status)
            progress()

        async with asyncio.TaskGroup() as group:
            for cell, models in cells.items():
                group.create_task(search(cell, models))

    def _outcomes(self, run: Run, events: Sequence[Event], usage: Usage) -> Sequence[OutcomeRecord]:
        """What the run came to, if these events are its end and there is a reference answer: in one transaction."""
        end = events[-1] if events else None
        if not isinstance(end, RunFinished) or end.status != "done" or run.tree is None or not run.question.reference:
            return ()
        params, scored = run.params, usage.scored_tokens
        finished = Finished(run.id, params.strategy, params.recorded(), run.judge, scored, end.grades, end.correct)
        return outcomes(finished, run.tree, self.name, self.levels.get(run.question.problem))


class _Shared:
    """The models of one question's searches; cells with the same judge share its work."""

    def __init__(self, problem: str, cells: Mapping[Cell, Models]) -> None:
        policies = [models.policy for models in cells.values()]
        scorers = [scorer for cell, models in cells.items() if (scorer := _judge(cell, models))]
        self._policies = {id(each): SharedPolicy(each, problem, policies.count(each)) for each in policies}
        self._scorers = {id(each): SharedScorer(each, problem, scorers.count(each)) for each in scorers}

    def of(self, cell: Cell, models: Models) -> tuple[SharedPolicy, SharedScorer | None]:
        scorer = _judge(cell, models)
        return self._policies[id(models.policy)], self._scorers[id(scorer)] if scorer else None


def _unfit(question: Question, models: Models, judge: Scorer | None) -> str | None:
    """Why the question cannot be asked of these models; None where it can."""
    try:
        check_fits(question, models.policy, judge)
    except InvalidInput as error:
        return error.message
    return None


def _judge(cell: Cell, models: Models) -> Scorer | None:
    return models.scorer if cell.params.method.scored else None


def too_long(cell: Cell, models: Models, question: Question) -> str | None:
    """Why the question does not fit a model of the cell's; None if it does."""
    return _unfit(question, models, _judge(cell, models))


def first_of(error: BaseException) -> BaseException:
    """The error itself, where tasks that ran side by side were ended by it."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def at_once(cells: Iterable[Cell]) -> int:
    """How many problems are searched side by side on one back end."""
    return max(1, DRAWS_AT_ONCE // max(map(_draws, cells), default=1))


def _draws(cell: Cell) -> int:
    return cell.params.n if "n" in cell.params.method.options else 1
