"""One event loop in one thread, where all searches of this process run.

The app and the command line submit runs from their own threads and stop them by cancelling; models, store and domains
are shared. Everything a run emits goes to the store's recorder, and everything shown is read back from the
store.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass

from engine.domains import Domains
from engine.errors import StoreError
from engine.models.catalogue.catalogue import Catalogue
from engine.runs.comparison import Comparison
from engine.runs.question import Question
from engine.runs.run import Run
from engine.search.events import Event, RunFinished, Usage
from engine.search.params import RunParams
from engine.store import Store
from engine.store.ids import new_run_id


@dataclass(frozen=True, slots=True)
class Running:
    """A run that was submitted.

    `future` ends with its `RunFinished`, or cancelled, or with the error that ended it; `ended` is set once the last
    event of the run is with the recorder, which after a stop is a moment later.
    """

    run: Run
    future: Future[RunFinished]
    ended: threading.Event

    @property
    def id(self) -> str:
        return self.run.id

    def stop(self) -> None:
        """Stop at the next token. The run ends as `stopped`; what it found stays."""
        self.future.cancel()


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


class _Recording:
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


class Host:
    """Runs searches and records them.

    Args:
        unwatched_limit_s: stop a run that has not been watched for this long (see `watch`); None lets every run go on.
    """

    def __init__(
        self, store: Store, catalogue: Catalogue | None = None, *, unwatched_limit_s: float | None = None
    ) -> None:
        self.store, self.catalogue = store, catalogue or Catalogue()
        self.running: dict[str, Running] = {}
        self._watched: dict[str, float] = {}
        self.domains = Domains()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="engine", daemon=True)
        self._thread.start()
        if unwatched_limit_s is not None:
            asyncio.run_coroutine_threadsafe(self._stop_unwatched(unwatched_limit_s), self._loop)

    def submit(
        self, question: Question, params: RunParams, models: str | None = None, scorer: str | None = None
    ) -> Running:
        """Load the models if need be, start a run, and return when its first row is in the store.

        `models` names a pair of the catalogue, `scorer` a PRM of it in place of the pair's own.

        Raises `InvalidInput` for a mistake in the request, `ModelError` where the models cannot be loaded and
        `StoreError` where nothing can be recorded.
        """
        pair = self.catalogue.load(models, scorer)
        recording = _Recording(self.store, new_run_id())
        domain = self.domains[question.domain]
        run = Run(recording.run_id, question, params, pair.policy, pair.scorer, domain, recording.take)
        running = self._start(run)
        recording.wait(running)
        return running

    def compare(
        self,
        question: Question,
        params: Sequence[RunParams],
        models: str | None = None,
        scorer: str | None = None,
        *,
        paired: bool = True,
    ) -> Comparing:
        """Start a run for each of `params`, side by side; returns when all have their first row in the store.

        Paired runs share what draws and scores they have in common, and each is charged as if it ran alone. Unpaired
        ones share nothing: each has its own seed, the one given plus its place (from 0). Errors as with `submit`.
        """
        pair = self.catalogue.load(models, scorer)
        comparison = Comparison(question, params, pair, self.domains[question.domain], paired=paired)
        recordings = [_Recording(self.store, run_id, comparison) for run_id in comparison.run_ids]
        runs = [comparison.run(place, recording.take) for place, recording in enumerate(recordings)]
        comparing = Comparing(comparison.id, tuple(map(self._start, runs)), paired)
        try:
            for recording, running in zip(recordings, comparing.runs, strict=True):
                recording.wait(running)
        except StoreError:
            comparing.stop()
            raise
        return comparing

    def foreign(self, question: Question, models: str | None = None) -> str | None:
        """What to tell the user if the pair's policy was never trained for the question; else None."""
        return self.domains[question.domain].foreign(question.problem, self.catalogue.entry(models).policy.world)

    def watch(self, run_id: str) -> None:
        """Note that this run is being watched right now."""
        self._watched[run_id] = time.monotonic()

    def stop(self, run_id: str) -> bool:
        """Stop a run of this process; False if it is not running here."""
        running = self.running.get(run_id)
        if running:
            running.stop()
        return running is not None

    def close(self) -> None:
        """Stop all runs, wait until they are recorded, and close the loop and the models."""
        stopping = list(self.running.values())
        for running in stopping:
            running.stop()
        for running in stopping:  # a run that is choosing its answer is not cut short, so its end is recorded too
            running.ended.wait(timeout=30)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout=10)
        self._loop.close()
        self.domains.close()
        self.catalogue.close()

    def _start(self, run: Run) -> Running:
        self.watch(run.id)
        ended = threading.Event()
        future = asyncio.run_coroutine_threadsafe(self._execute(run, ended), self._loop)
        self.running[run.id] = running = Running(run, future, ended)
        if ended.is_set():  # it was over before it could be listed
            self.running.pop(run.id, None)
        return running

    async def _execute(self, run: Run, ended: threading.Event) -> RunFinished:
        try:
            return await run.execute()
        finally:
            ended.set()
            self.running.pop(run.id, None)
            self._watched.pop(run.id, None)

    async def _stop_unwatched(self, limit_s: float) -> None:
        while True:
            await asyncio.sleep(limit_s / 10)
            for run_id in [run_id for run_id, seen in self._watched.items() if time.monotonic() - seen > limit_s]:
                if not self.stop(run_id):
                    self._watched.pop(run_id, None)
