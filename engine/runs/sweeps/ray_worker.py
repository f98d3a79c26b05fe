"""A worker of a sweep on Ray: one process with its models, on whatever machine, that searches one problem at a time or
several, and hands back what it found. It writes to no database and knows no schedule.
"""

from __future__ import annotations

import asyncio
import platform
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from engine.domains import Domains
from engine.errors import TtsError
from engine.models.catalogue.catalogue import Catalogue, Models
from engine.models.catalogue.hub import stay_local
from engine.runs.question import Question
from engine.runs.run import one_line
from engine.runs.sweeps.cells import Cell
from engine.runs.sweeps.sweep import Searches, first_of, too_long
from engine.search.events import Event, Usage
from engine.store.sweep_records import OutcomeRecord
from engine.store.version import product_version


@dataclass(frozen=True, slots=True)
class Round:
    """What `Store.record` would have been given."""

    events: Sequence[Event]
    usage: Usage
    run_id: str
    outcomes: Sequence[OutcomeRecord]


@dataclass(slots=True)
class Found:
    """The rounds of all runs of one problem, in the order in which they came.

    `failed` says of runs that failed why, `refused` of those that were not made; `error` is what ends the sweep.
    """

    rounds: list[Round] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    error: str | None = None

    def record(
        self, events: Sequence[Event], usage: Usage, run_id: str, *, outcomes: Sequence[OutcomeRecord] = ()
    ) -> None:
        self.rounds.append(Round(events, usage, run_id, outcomes))


@dataclass(frozen=True, slots=True)
class ModelsFile:
    """A models file as it travels: its text, and where it lies on the machine that asks."""

    path: str
    text: str

    def here(self) -> Path:
        """The same file on this machine: the original where there is one (paths in it may be relative to it), or a
        copy."""
        original = Path(self.path)
        if original.is_file() and original.read_text(encoding="utf-8") == self.text:
            return original
        copy = Path(tempfile.mkdtemp(prefix="tts-ui-"), original.name)
        copy.write_text(self.text, encoding="utf-8")
        return copy


def versions() -> str:
    """What has to be the same on every machine, as objects travel between them."""
    return f"tts-ui {product_version()}, Python {'.'.join(platform.python_version_tuple()[:2])}"


async def _by_the_driver(_: str) -> None:
    """Nothing is on record here, and nothing is waited for."""


class Worker:
    """Made an actor by `engine.runs.sweeps.on_ray`; its methods run on the actor's event loop."""

    def __init__(self, sweep: str, levels: Mapping[str, str], models: ModelsFile) -> None:
        stay_local()
        self._sweep, self._levels = sweep, levels
        self._domains, self._catalogue = Domains(), Catalogue(models.here())

    async def versions(self) -> str:
        return versions()

    async def search(self, question: Question, cells: Sequence[Cell]) -> Found:
        """Search `question` with every cell. It may be done again: nothing is kept here, and nothing written."""
        found = Found()
        try:
            loaded = await asyncio.to_thread(self._load, cells)
            why = {cell: too_long(cell, models, question) for cell, models in loaded.items()}
            found.refused = [each for each in why.values() if each]
            fit = {cell: models for cell, models in loaded.items() if not why[cell]}
            searches = Searches(self._sweep, self._domains, self._levels, found.record, _by_the_driver, found.failed)
            await searches.of(question, fit)
        except TtsError as error:
            found.error = str(error)
        except BaseExceptionGroup as errors:
            if not isinstance(first := first_of(errors), Exception):
                raise
            found.error = one_line(first)
        return found

    def _load(self, cells: Sequence[Cell]) -> Mapping[Cell, Models]:
        return {cell: self._catalogue.load(cell.models, cell.scorer) for cell in cells}
