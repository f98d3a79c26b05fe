"""Runs that were submitted, as others see them, and where their events go."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass

from engine.runs.comparison import Comparison
from engine.runs.run import Run
from engine.search.events import Event, RunFinished, Usage
from engine.store import Store


@dataclass(frozen=True, slots=True)
class Running:
    """A run that was submitted.

    `future` ends with its `RunFinished`, or cancelled, or with the error that ended it; `ended` is set just before,
    when the last event of the run is with the recorder.
    """

    run: Run
    future: Future[RunFinished]
    ended: threading.Event
    cancel: Callable[[], object]

    @property
    def id(self) -> str:
        return self.run.id

    def stop(self) -> None:
        """Stop at the next token. The run ends as `stopped`; what it found stays."""
        self.cancel()


@dataclass(frozen=True, slots=True)
class Comparing:
    """A comparison that was submitted; `runs` in the order requested."""

    id: str
    runs: tuple[Running, ...]
    paired: bool

    def stop(self) -> None:
        """Stop every run of it."""
        for running in self.runs:
            running.stop()


class Recording:
    """Where a run's events go: the store, with the bill of the comparison it is in."""

    def __init__(self, store: Store, run_id: str, comparison: Comparison | None = None) -> None:
        self.run_id = run_id
        self._store, self._comparison = store, comparison
        self._begun = threading.Event()

    def take(self, events: Sequence[Event], usage: Usage) -> None:
        compared = self._comparison.billed(self.run_id, usage) if self._comparison else None
        self._store.record(events, usage, self.run_id, compared)
        self._begun.set()

    def wait(self, running: Running) -> None:
        """Return when the run's first row is in the store."""
        while not self._begun.wait(timeout=0.1) and not running.ended.is_set():
            pass
        self._store.flush(self.run_id)


@dataclass(frozen=True, slots=True)
class Begun:
    """A run that may begin, and where it is recorded."""

    run: Run
    recording: Recording
