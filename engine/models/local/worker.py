"""A thread that owns a model, and the jobs that asyncio tasks hand to it.

One model, one thread: the searches of all users meet in the worker's queue, where their requests become one batch. The
thread only ever sees plain data; results go back through each job's event loop.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable
from typing import Any, Generic, TypeVar

import torch

from engine.errors import ModelError
from engine.models.local.placement import cpu_threads

T = TypeVar("T")


class Job(Generic[T]):
    """A request and its pending result. Created in the event loop that will await it."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._future: asyncio.Future[T] = self._loop.create_future()
        self.cancelled = False

    async def result(self) -> T:
        """Wait for the worker. Cancelling the waiting task makes the worker drop the job at its next token."""
        try:
            return await self._future
        except asyncio.CancelledError:
            self.cancelled = True
            raise

    def resolve(self, value: T) -> None:
        """Called by the worker."""
        self._settle(lambda: self._future.set_result(value))

    def fail(self, error: BaseException) -> None:
        """Called by the worker."""
        self._settle(lambda: self._future.set_exception(error))

    def _settle(self, action: Callable[[], None]) -> None:
        def settle() -> None:
            if not self._future.done():
                action()

        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(settle)


J = TypeVar("J", bound="Job[Any]")


class Worker(Generic[J]):
    """Calls `turn(new_jobs)` as long as it returns True (work is left), then sleeps until a job arrives.

    If a turn raises, every job it knows of fails, through `abort`, and the worker lives on. `name` is the model's role
    and name.
    """

    def __init__(
        self, name: str, parameters: int, turn: Callable[[list[J]], bool], abort: Callable[[BaseException], None]
    ) -> None:
        self._name, self._turn, self._abort = name, turn, abort
        self._threads = cpu_threads(parameters)
        self._queue: queue.SimpleQueue[J | None] = queue.SimpleQueue()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def submit(self, job: J) -> None:
        if self._closed:
            job.fail(_closed())
        else:
            self._queue.put(job)

    def close(self) -> None:
        """Let the thread finish; jobs in flight fail."""
        self._closed = True
        self._queue.put(None)
        self._thread.join(timeout=10)

    def _run(self) -> None:
        torch.set_num_threads(self._threads)
        busy = False
        with torch.inference_mode():
            while True:
                jobs = self._arrived(block=not busy)
                new = [job for job in jobs if job is not None]
                if None in jobs:
                    self._abort(_closed())
                    for job in new:
                        job.fail(_closed())
                    return
                try:
                    busy = self._turn(new)
                except Exception as error:  # out of memory, a broken checkpoint: the searches end, the app does not
                    self._fail(new, error)
                    busy = False

    def _fail(self, new: list[J], error: Exception) -> None:
        reason = self._out_of_memory(error)
        self._abort(reason or error)
        for job in new:
            job.fail(reason or error)
        if reason and torch.cuda.is_available():
            error.__traceback__ = None  # its frames hold the tensors of the step that did not fit
            torch.cuda.empty_cache()

    def _out_of_memory(self, error: Exception) -> ModelError | None:
        """What to do, if `error` means that memory ran out."""
        gpu = isinstance(error, torch.OutOfMemoryError)
        if not gpu and not isinstance(error, MemoryError) and "can't allocate memory" not in str(error):
            return None
        return ModelError(
            f"the {self._name} ran out of {'GPU memory' if gpu else 'memory'}; lower N or the number of steps, "
            "set a smaller cache_gb for the pair, or choose a pair with smaller models"
        )

    def _arrived(self, *, block: bool) -> list[J | None]:
        jobs: list[J | None] = []
        try:
            jobs.append(self._queue.get(block=block))
            while True:
                jobs.append(self._queue.get_nowait())
        except queue.Empty:
            return jobs


def _closed() -> ModelError:
    return ModelError("the model was closed while it was working")
