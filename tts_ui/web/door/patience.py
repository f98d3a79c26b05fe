"""Connections that say nothing, or only the beginning of a request, are closed: uvicorn waits for them for ever, and a
server that many of them reach has no room for anybody else."""

from __future__ import annotations

import asyncio

from uvicorn.protocols.http.h11_impl import H11Protocol


class ImpatientProtocol(H11Protocol):
    """HTTP/1.1 in which the head of a request must come within `head_within_s` seconds."""

    head_within_s = 20.0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._due = self.loop.call_later(self.head_within_s, self._look, None)

    def connection_lost(self, exc: Exception | None) -> None:
        self._due.cancel()
        super().connection_lost(exc)

    def _look(self, before: object) -> None:
        """Close the connection if nothing was being answered, now and the last time."""
        waiting = self.cycle is None or self.cycle.response_complete
        if waiting and self.cycle is before:
            self.transport.close()
            return
        seen = self.cycle if waiting else object()
        self._due = self.loop.call_later(self.head_within_s, self._look, seen)
