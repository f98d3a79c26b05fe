"""Work that several searches ask for and that is done once: the first to ask does it, the others wait.

Stopping a search that waits takes nothing from the others: work goes on as long as any search waits for it, and is
cancelled when none does. Work that failed, or was cut short, is started again by the next search that needs it.
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
    """Values by key. `known` holds the finished ones. For use from one event loop."""

    def __init__(self) -> None:
        self.known: dict[K, V] = {}
        self._underway: dict[K, _Job] = {}

    async def obtain(
        self, keys: Iterable[K], compute: Callable[[Sequence[K]], Coroutine[Any, Any, Mapping[K, V]]]
    ) -> bool:
        """Wait until all `keys` are known; `compute` is given those not yet started. Its errors are raised here.

        False if `compute` omitted some of what it was given.
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
                task.exception()  # marks it as retrieved: the search that started the work may have left by now

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
