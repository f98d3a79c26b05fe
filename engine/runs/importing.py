"""Importing a file with its answers read and graded: the store's importers, and the domain that they need."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from engine.domains import Domains
from engine.search.domain import Domain
from engine.search.events import Grade
from engine.store import Store, importers
from engine.store.ids import new_run_id
from engine.store.importers import Imported
from engine.store.importers.conversion import Origin, drafted_run
from engine.store.importers.draft import Draft
from engine.store.importers.json_values import Progress

#: Stands for the model where a person wrote the steps.
BY_HAND = "written by hand"


def import_file(store: Store, path: Path | str, *, progress: Progress | None = None, domain: str = "maths") -> Imported:
    """Add the runs of a file to the store, all or none; importing it again changes nothing.

    It takes as long as the file is: on an event loop, call it through `asyncio.to_thread`. `progress` is called with
    how much has been read, and how much there is. Raises `InvalidInput("FILE", ...)`, one line that names the place.
    """
    with Domains() as domains, asyncio.Runner() as loop:
        return importers.import_file(store, path, _Reader(domains[domain], loop), progress=progress)


def import_solution(store: Store, problem: str, steps: Sequence[str], *, domain: str = "maths") -> str:
    """Record a solution that a person wrote as a run of its own, and return its id; its answer is read, not graded."""
    draft = Draft(problem, strategy="solution", policy=BY_HAND, select="majority_vote", joint="\n\n")
    node = 0
    for step in steps:
        node = draft.add(node, step.strip(), origin="human")
    draft.finish(node)
    now = datetime.now(UTC).isoformat(timespec="microseconds")
    run_id = new_run_id()
    with Domains() as domains, asyncio.Runner() as loop:
        run = drafted_run(draft, run_id, Origin("the lab", BY_HAND, "the lab", now), _Reader(domains[domain], loop))
    store.record_whole([run])
    return run_id


class _Reader:
    """A domain as importers ask it."""

    def __init__(self, domain: Domain, loop: asyncio.Runner) -> None:
        self._domain, self._loop = domain, loop

    def answer_of(self, text: str) -> str | None:
        return self._domain.answer_of(text)

    def grades(self, answers: Sequence[str], reference: str | None) -> dict[str, Grade]:
        return self._loop.run(self._domain.grades(answers, reference))
