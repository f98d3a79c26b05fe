"""An event loop in a thread of its own, for a back end whose connections or engine belong to one loop.

Searches run in their caller's loop; what they await runs here, and cancelling it there cancels it here.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class LoopThread:
    """Runs coroutines until `close`, which cancels any that are left."""

    def __init__(self, name: str) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name=name, daemon=True)
        self._thread.start()

    async def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Await `work` from another loop."""
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, self._loop))

    def call(self, work: Coroutine[Any, Any, T]) -> T:
        """Wait for `work` from a thread that runs no loop."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    @property
    def closed(self) -> bool:
        return self._loop.is_closed()

    def cancel_all(self) -> None:
        """Cancel what runs, and wait until it has gone."""
        self.call(cancel_the_rest())

    def close(self) -> None:
        self.cancel_all()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout=10)
        if not self._loop.is_running():
            self._loop.close()


async def cancel_the_rest() -> None:
    """Cancel all other tasks of the running loop, and wait until they have gone."""
    rest = asyncio.all_tasks() - {asyncio.current_task()}
    for task in rest:
        task.cancel()
    await asyncio.gather(*rest, return_exceptions=True)
