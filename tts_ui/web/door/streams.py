"""Which pages really take their stream. A run is watched while one does, and not because somebody once asked for it.

Gradio starts an event when it is asked for and keeps what it yields until a client fetches it; a client that never does
would keep a run going, and its text in memory, for ever.
"""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager

#: Seconds that a page has to open its stream after it has asked for something; it does so at once.
_OPENS_WITHIN_S = 10.0
#: Seconds that one piece may take to be accepted by the client's connection.
_TAKES_WITHIN_S = 10.0
_LOOK_S = 0.02


class Stream:
    """One open connection. `pending_since` is when the piece that waits to be accepted was handed over, if one does."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._pending_since: float | None = None

    @contextmanager
    def handing_over(self) -> Iterator[None]:
        """Around each piece that is sent."""
        self._pending_since = self._clock()
        yield
        self._pending_since = None

    @property
    def taken(self) -> bool:
        return self._pending_since is None or self._clock() - self._pending_since < _TAKES_WITHIN_S


class Streams:
    """The open streams, by the session of their page."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._open: defaultdict[str, list[Stream]] = defaultdict(list)

    @contextmanager
    def open(self, session: str) -> Iterator[Stream]:
        """While a connection delivers what `session` is told."""
        stream = Stream(self._clock)
        self._open[session].append(stream)
        try:
            yield stream
        finally:
            self._open[session].remove(stream)
            if not self._open[session]:
                del self._open[session]

    def taken(self, session: str | None) -> bool:
        """Whether a client takes what `session` is told."""
        return any(stream.taken for stream in self._open.get(session or "", ()))

    async def opened(self, session: str | None) -> bool:
        """Wait until a client takes the stream of `session`; False if none does in time."""
        deadline = self._clock() + _OPENS_WITHIN_S
        while not self.taken(session):
            if self._clock() > deadline:
                return False
            await asyncio.sleep(_LOOK_S)
        return True
