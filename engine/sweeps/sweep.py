"""Running a cell over a problem set: many searches at once on one back end, each recorded like any other run.

A sweep resumes: a problem whose run of this cell is done in the store is not searched again. Runs that were cut short
(killed, failed) are left on record and searched anew.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from engine.answers import Checker
from engine.events import Event, Usage
from engine.models import Models
from engine.run import Question, Run
from engine.store import RunRecord, Store
from engine.store.ids import new_run_id
from engine.sweeps.cells import Cell

#: Draws that all searches of a cell ask for together: where the batches of a small model stop paying for themselves.
DRAWS_AT_ONCE = 256


@dataclass(frozen=True, slots=True)
class Sweep:
    """A named series of cells over one store. The name sets its runs apart from those of other sweeps."""

    name: str
    store: Store
    checker: Checker

    def done(self, cell: Cell) -> dict[str, RunRecord]:
        """Problem -> its finished run under this cell."""
        runs = self.store.sweep(cell.sweep_id(self.name))
        return {run.problem: run for run in runs if run.status == "done"}

    def run(
        self, cell: Cell, models: Models, questions: Sequence[Question], progress: Callable[[], None] = lambda: None
    ) -> None:
        """Search every question that is not done yet; `progress` is called after each."""
        known = self.done(cell)
        todo = [question for question in questions if question.problem not in known]
        asyncio.run(self._run_all(cell, models, todo, progress))
        self.store.flush()

    async def _run_all(
        self, cell: Cell, models: Models, questions: Sequence[Question], progress: Callable[[], None]
    ) -> None:
        waiting = list(reversed(questions))

        async def work() -> None:
            while waiting:
                await self._search(cell, models, waiting.pop())
                progress()

        n = cell.params.n if "n" in cell.params.kind.options else 1
        async with asyncio.TaskGroup() as group:
            for _ in range(min(len(questions), max(1, DRAWS_AT_ONCE // n))):
                group.create_task(work())

    async def _search(self, cell: Cell, models: Models, question: Question) -> None:
        run_id = new_run_id()

        def record(events: Sequence[Event], usage: Usage) -> None:
            self.store.record(events, usage, run_id)

        run = Run(
            run_id, question, cell.params, models.policy, models.scorer, record, sweep_id=cell.sweep_id(self.name)
        )
        await run.execute(self.checker)
