"""Work that several searches ask for and that is done once: whoever asks first does it, the others wait for it.

A search that is stopped while it waits takes nothing from the others: what somebody still waits for goes on, what
nobody waits for is cancelled. Work that failed, or was cut short, is begun anew by the next who needs it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


@dataclass(slots=True, eq=False)
class _Job:
    task: asyncio.Task[None]
    waiting: int = 0


class Once(Generic[K, V]):
    """Values by key. `known` holds those that are there; all of it belongs to one event loop."""

    def __init__(self) -> None:
        self.known: dict[K, V] = {}
        self._underway: dict[K, _Job] = {}

    async def obtain(
        self, keys: Iterable[K], compute: Callable[[Sequence[K]], Coroutine[Any, Any, Mapping[K, V]]]
    ) -> bool:
        """Wait until all `keys` are known; `compute` is given those that nobody has begun. Its errors are raised here.

        False if `compute` left some of what it was given out.
        """
        wanted = list(dict.fromkeys(keys))
        while missing := [key for key in wanted if key not in self.known]:
            fresh = [key for key in missing if key not in self._underway]
            own = self._begin(fresh, compute) if fresh else None
            await self._wait({self._underway[key] for key in missing})
            if own is not None:
                own.task.result()
                if any(key not in self.known for key in fresh):
                    return False
        return True

    def _begin(self, keys: Sequence[K], compute: Callable[[Sequence[K]], Coroutine[Any, Any, Mapping[K, V]]]) -> _Job:
        async def work() -> None:
            self.known.update(await compute(keys))

        def end(task: asyncio.Task[None]) -> None:
            for key in keys:
                del self._underway[key]
            if not task.cancelled():
                task.exception()  # seen: who began the work may have left meanwhile

        job = _Job(asyncio.create_task(work()))
        self._underway |= dict.fromkeys(keys, job)
        job.task.add_done_callback(end)
        return job

    @staticmethod
    async def _wait(jobs: Iterable[_Job]) -> None:
        awaited = list(jobs)
        for job in awaited:
            job.waiting += 1
        try:
            await asyncio.wait([job.task for job in awaited])
        finally:
            for job in awaited:
                job.waiting -= 1
                if not job.waiting:
                    job.task.cancel()
