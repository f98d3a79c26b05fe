"""Running cells over a problem set: many searches at once on one back end, each recorded like any other run.

The searches of one problem share what they have in common, as those of a comparison do: a draw or a score that two
cells ask for is made once, and each run is charged as if it ran alone.

A sweep resumes: if a problem's run under a cell is done in the store, it is not searched again. Runs that were cut
short (killed, failed) stay on record and are searched again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from engine.domains import Domains
from engine.models.catalogue.catalogue import Models
from engine.runs.question import Question
from engine.runs.run import Run
from engine.runs.shared import SharedPolicy, SharedScorer
from engine.runs.sweeps.cells import Cell
from engine.search.events import Event, Usage
from engine.search.scorer import Scorer
from engine.store import RunRecord, Store
from engine.store.ids import new_run_id

#: Problems are searched side by side until their largest cells ask for this many draws together: larger batches no
#: longer pay for a small model, and up to here a search that goes one step at a time (MCTS) seldom has one to itself.
DRAWS_AT_ONCE = 512

#: A problem and the cells it is to be searched with.
_Work = tuple[Question, Mapping[Cell, Models]]


@dataclass(frozen=True, slots=True)
class Sweep:
    """A named series of cells over one store. The name sets its runs apart from those of other sweeps."""

    name: str
    store: Store
    domains: Domains

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
        known = {cell: self.done(cell).keys() for cell in cells}
        due = [
            (question, {cell: models for cell, models in cells.items() if question.problem not in known[cell]})
            for question in questions
        ]
        asyncio.run(self._run_all([work for work in due if work[1]], progress))
        self.store.flush()

    async def _run_all(self, due: Sequence[_Work], progress: Callable[[], object]) -> None:
        waiting = list(reversed(due))

        async def work() -> None:
            while waiting:
                await self._search(*waiting.pop(), progress)

        draws = max((max(map(_draws, cells)) for _, cells in due), default=1)
        async with asyncio.TaskGroup() as group:
            for _ in range(min(len(due), max(1, DRAWS_AT_ONCE // draws))):
                group.create_task(work())

    async def _search(self, question: Question, cells: Mapping[Cell, Models], progress: Callable[[], object]) -> None:
        """All searches of one question, sharing each policy's draws and each judge's scores."""
        shared = _Shared(question.problem, cells)

        async def search(cell: Cell, models: Models) -> None:
            run_id = new_run_id()

            def record(events: Sequence[Event], usage: Usage) -> None:
                self.store.record(events, usage, run_id)

            policy, scorer = shared.of(cell, models)
            domain = self.domains[question.domain]
            run = Run(run_id, question, cell.params, policy, scorer, domain, record, sweep_id=cell.sweep_id(self.name))
            await run.execute()
            progress()

        async with asyncio.TaskGroup() as group:
            for cell, models in cells.items():
                group.create_task(search(cell, models))


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


def _judge(cell: Cell, models: Models) -> Scorer | None:
    return models.scorer if cell.params.method.scored else None


def _draws(cell: Cell) -> int:
    return cell.params.n if "n" in cell.params.method.options else 1
