"""A sweep that is being run: on a thread of its own, with its progress, until it is done or stopped.

Whatever ends it (Stop, Ctrl-C, kill -9, a power cut), every run that was over is on record with what it came to, and a
resumed sweep runs only what is not.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from engine.domains import Domains
from engine.errors import TtsError
from engine.models.catalogue.catalogue import CATALOGUE, Catalogue
from engine.models.catalogue.hub import Download
from engine.runs.run import one_line
from engine.runs.sweeps.on_ray import Cluster, search_on_ray
from engine.runs.sweeps.outcomes import fill_in
from engine.runs.sweeps.plan import Plan, question_entry
from engine.runs.sweeps.sweep import Sweep, first_of
from engine.store import Store
from engine.store.owner import this_process
from engine.store.sweep_records import SweepRecord, SweepStatus
from engine.store.version import product_version

#: Seconds between two notes of how far a sweep has come.
_NOTE_S = 2.0


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a sweep has come: runs that are done, of so many, those that ended this time, and seconds of this time.

    `failed` are runs that failed, or could not be made (a problem too long for a model); `why` is what the last of them
    said.
    """

    done: int
    of: int
    made: int
    seconds: float
    failed: int = 0
    why: str | None = None

    @property
    def seconds_left(self) -> float | None:
        """None until something is known of the pace."""
        left = self.of - self.done - self.failed
        return left * self.seconds / self.made if self.made else None


class RunningSweep:
    """A sweep on a thread; `ended` is set when it is over, `status` says how, `wait` raises what went wrong.

    With `cluster` it is searched there, and no model is loaded here.
    """

    def __init__(
        self,
        store: Store,
        plan: Plan,
        catalogue: Catalogue,
        domains: Domains,
        download: Callable[[Download], None] | None = None,
        cluster: Cluster | None = None,
    ) -> None:
        self.plan, self.ended = plan, threading.Event()
        self.status: SweepStatus = "running"
        self.error: BaseException | None = None
        self._store, self._catalogue, self._download, self._cluster = store, catalogue, download, cluster
        self._sweep = Sweep(plan.id, store, domains, plan.levels)
        self._made, self._began, self._stopping = 0, time.monotonic(), threading.Event()
        self._stood: float | None = None
        self._begin()
        self._thread = threading.Thread(target=self._run, name="sweep", daemon=True)
        self._thread.start()

    @property
    def progress(self) -> Progress:
        failed, refused = self._sweep.failed, self._sweep.refused
        done = self.plan.runs_done + self._made - len(failed)
        why = next(reversed([*refused, *failed]), None)
        seconds = (self._stood or time.monotonic()) - self._began
        return Progress(done, self.plan.runs, self._made, seconds, len(failed) + len(refused), why)

    def stop(self) -> None:
        """Stop what is being searched; what is over stays. Returns at once."""
        self._stopping.set()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait for the end; False if it has not come. Raises what ended the sweep, if anything went wrong."""
        if not self.ended.wait(timeout):
            return False
        if self.error is not None:
            raise self.error
        return True

    def _run(self) -> None:
        try:
            asyncio.run(self._work())
            fill_in(self._store, self.plan.levels)
            self._recount()
            self.status = "stopped" if self._stopping.is_set() and self.progress.done < self.plan.runs else "done"
        except BaseException as error:
            self.status, self.error = "failed", first_of(error)
        finally:
            self._stood = time.monotonic()
            self._end()
            self.ended.set()

    async def _work(self) -> None:
        watching = asyncio.create_task(self._watch(asyncio.current_task()))
        try:
            await (self._here() if self._cluster is None else self._on(self._cluster))
        except asyncio.CancelledError:
            if not self._stopping.is_set():
                raise
        finally:
            watching.cancel()
            await asyncio.to_thread(self._store.flush)

    async def _here(self) -> None:
        for models in dict.fromkeys(cell.models for cell in self.plan.cells):
            cells = [cell for cell in self.plan.cells if cell.models == models and self.plan.left(cell)]
            loaded = {
                cell: await asyncio.to_thread(self._catalogue.load, cell.models, cell.scorer, self._download)
                for cell in cells
            }
            await self._sweep.search(loaded, [each.question for each in self.plan.problems], self._over)

    async def _on(self, cluster: Cluster) -> None:
        file = self.plan.declared.models_file
        questions = [each.question for each in self.plan.problems]
        models = Path(file) if file else CATALOGUE
        await search_on_ray(self._sweep, self.plan.cells, questions, cluster, models, self._over)

    async def _watch(self, work: asyncio.Task[None] | None) -> None:
        noted = time.monotonic()
        while not self._stopping.is_set():
            await asyncio.sleep(0.1)
            if time.monotonic() > noted + _NOTE_S:
                await asyncio.to_thread(self._note, "running")
                noted = time.monotonic()
        assert work is not None
        work.cancel()

    def _over(self) -> None:
        self._made += 1

    def _recount(self) -> None:
        """A run that was being written when everything stopped is on record and was not counted."""
        done = self._store.done([cell.sweep_id(self.plan.id) for cell in self.plan.cells]).values()
        self._made = sum(map(len, done)) - self.plan.runs_done + len(self._sweep.failed)

    def _begin(self) -> None:
        """Write down what is asked, whose problems stay whatever becomes of their file."""
        plan = self.plan
        self._store.save_sweep(
            SweepRecord(
                plan.id, plan.name, plan.created_at, "running", plan.declared.problems, len(plan.problems),
                len(plan.cells), plan.runs, plan.runs_done, plan.declared.model_dump(mode="json"),
                tuple(map(question_entry, plan.problems)), plan.elapsed_s, None, product_version(), this_process(),
                time.time(),
            )
        )  # fmt: skip

    def _note(self, status: SweepStatus) -> None:
        """Write down how far it has come."""
        now, said = self.progress, None
        if self.error is not None:
            said = str(self.error)
            if isinstance(self.error, Exception) and not isinstance(self.error, TtsError):
                said = one_line(self.error)
        self._store.note_sweep(self.plan.id, status, now.done, self.plan.elapsed_s + now.seconds, said)

    def _end(self) -> None:
        try:
            self._note(self.status)
        except Exception as error:
            self.error = self.error or error
