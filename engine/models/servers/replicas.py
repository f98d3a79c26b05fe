"""A `Route` through the replicas for each run.

A run stays on the replica that its problem hashes to, because that one has its prompts in its prefix cache. What may
pass (429, 5xx, a broken connection, silence) is tried again after a pause that doubles; a replica that does not recover
is left for the next one, and where there is no next one the run fails.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from engine.errors import ModelError
from engine.models.servers.connection import Server
from engine.models.servers.refusals import Unavailable

T = TypeVar("T")

#: The first pause before trying again, in seconds, and the longest.
_PAUSE_S, _LONGEST_PAUSE_S = 0.25, 8.0
#: Tries on a replica before the next one is asked, where there is one.
_TRIES_BEFORE_MOVING = 2
#: Seconds during which new runs avoid a replica that failed.
_AVOIDED_S = 30.0


class Route:
    """One run's way through the replicas."""

    def __init__(self, servers: Sequence[Server], problem: str, retries: int) -> None:
        order = sorted(servers, key=lambda server: _weight(server.url, problem))
        recent = time.monotonic() - _AVOIDED_S
        self._left = sorted(order, key=lambda server: server.failed_at > recent)
        self._retries = retries

    @property
    def server(self) -> Server:
        """The replica that this run is with."""
        return self._left[0]

    async def do(self, work: Callable[[Server], Awaitable[T]]) -> T:
        """`work` with this run's replica, begun anew as often as need be. Raises `ModelError` when none is left."""
        server, tries = self.server, 0
        while True:
            try:
                return await work(server)
            except Unavailable as problem:
                tries += 1
                if server is not self.server:  # another request of this run has given it up meanwhile
                    server, tries = self.server, 0
                elif tries > self._retries or (len(self._left) > 1 and tries >= _TRIES_BEFORE_MOVING):
                    server.failed_at = time.monotonic()
                    if len(self._left) == 1:
                        advice = _advice(server, problem)
                        raise ModelError(f"{problem}; no server is left to go on with{advice}") from problem
                    self._left.pop(0)
                    server, tries = self.server, 0
                else:
                    await asyncio.sleep(max(problem.retry_after, min(_PAUSE_S * 2 ** (tries - 1), _LONGEST_PAUSE_S)))


def _advice(server: Server, problem: Unavailable) -> str:
    """What to change if it was too much at once: many small servers do one thing at a time."""
    if not problem.crowded or server.most_at_once < 2:
        return ""
    return (
        f" ({server.most_at_once} requests were under way at once; if the server takes fewer, set concurrency in the "
        "entry, to 1 for a server with one slot)"
    )


def _weight(url: str, problem: str) -> bytes:
    """Rendezvous hashing: every problem has its own order of the replicas, whichever of them are there."""
    return hashlib.blake2b(f"{url}\n{problem}".encode(), digest_size=8).digest()
