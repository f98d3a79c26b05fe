"""Requests to servers: one `Server` a base URL, and a `Route` through the replicas for each run.

A run stays on the replica that its problem hashes to, because that one has its prompts in its prefix cache. What may
pass (429, 5xx, a broken connection, silence) is tried again after a pause that doubles; a replica that does not recover
is left for the next one, and where there is no next one the run fails.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from typing import Any, TypeVar

import httpx
from httpx_sse import EventSource

from engine.errors import ModelError
from engine.models.loop_thread import LoopThread
from engine.models.servers.wire import Chunk, chunk, error_message, one_line

T = TypeVar("T")

#: The first pause before trying again, in seconds, and the longest.
_PAUSE_S, _LONGEST_PAUSE_S = 0.25, 8.0
#: Longest that a server may ask us to wait (Retry-After), in seconds.
_LONGEST_WAIT_S = 60.0
#: Tries on a replica before the next one is asked, where there is one.
_TRIES_BEFORE_MOVING = 2
#: Seconds during which new runs avoid a replica that failed.
_AVOIDED_S = 30.0
_CONNECT_S = 5.0

_PASSING = frozenset({408, 409, 425, 429})


class Unavailable(ModelError):
    """What may pass. `retry_after` is what the server asks us to wait, in seconds; `code` its status, 0 for none."""

    def __init__(self, message: str, retry_after: float = 0.0, code: int = 0) -> None:
        super().__init__(message)
        self.retry_after, self.code = retry_after, code


class Refused(ModelError):
    """A request that the server will never take; `code` is its status."""

    def __init__(self, message: str, code: int) -> None:
        super().__init__(message)
        self.code = code


class Server:
    """One base URL. Lives in one event loop."""

    def __init__(self, url: str, key: str | None, timeout_s: float, concurrency: int) -> None:
        self.url = url
        self.failed_at = float("-inf")
        self._slots = asyncio.Semaphore(concurrency)
        self._client = httpx.AsyncClient(
            base_url=url,
            headers={"Authorization": f"Bearer {key}"} if key else {},
            timeout=httpx.Timeout(timeout_s, connect=min(_CONNECT_S, timeout_s)),
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=concurrency),
        )

    async def get(self, path: str) -> Any:
        async with self._answer("GET", path, None) as answer:
            return await _json(answer)

    async def post(self, path: str, body: Mapping[str, Any]) -> Any:
        async with self._answer("POST", path, body) as answer:
            return await _json(answer)

    async def stream(self, path: str, body: Mapping[str, Any]) -> AsyncGenerator[Chunk, None]:
        """The events of a streamed answer. Leaving the loop early closes the connection, so that the server stops."""
        async with (
            self._answer("POST", path, body) as answer,
            aclosing(EventSource(answer).aiter_sse()) as events,
        ):
            async for event in events:
                if event.data == "[DONE]":
                    return
                try:
                    said = event.json()
                except json.JSONDecodeError as error:
                    raise Unavailable(f"{self.url} sends a damaged stream ({one_line(event.data)})") from error
                yield chunk(said)

    async def close(self) -> None:
        await self._client.aclose()

    @asynccontextmanager
    async def _answer(self, method: str, path: str, body: Mapping[str, Any] | None) -> AsyncIterator[httpx.Response]:
        try:
            async with self._slots, self._client.stream(method, path, json=body) as answer:
                if answer.status_code != httpx.codes.OK:
                    await answer.aread()
                    raise self._refusal(answer)
                yield answer
        except httpx.TimeoutException as error:
            raise Unavailable(f"{self.url} does not answer in time") from error
        except httpx.HTTPError as error:
            reason = one_line(error) or type(error).__name__
            raise Unavailable(f"{self.url} cannot be reached, or broke off ({reason})") from error

    def _refusal(self, answer: httpx.Response) -> ModelError:
        try:
            reason = error_message(answer.json())
        except ValueError:
            reason = one_line(answer.text)
        code = answer.status_code
        if code in _PASSING or code >= 500:
            return Unavailable(f"{self.url} answers {code}: {reason}", _retry_after(answer), code)
        if code in (401, 403):
            return Refused(
                f"{self.url} answers {code}: {reason}; check the key in the variable that key_env names", code
            )
        return Refused(f"{self.url} answers {code}: {reason}", code)


def hang_up(thread: LoopThread, servers: Iterable[Server]) -> None:
    """End what runs in `thread`, the connections of `servers`, and the thread. Again is harmless."""

    async def close() -> None:
        for server in servers:
            await server.close()

    if not thread.closed:
        thread.cancel_all()
        thread.call(close())
        thread.close()


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
                        raise ModelError(f"{problem}; no server is left to go on with") from problem
                    self._left.pop(0)
                    server, tries = self.server, 0
                else:
                    await asyncio.sleep(max(problem.retry_after, min(_PAUSE_S * 2 ** (tries - 1), _LONGEST_PAUSE_S)))


def _weight(url: str, problem: str) -> bytes:
    """Rendezvous hashing: every problem has its own order of the replicas, whichever of them are there."""
    return hashlib.blake2b(f"{url}\n{problem}".encode(), digest_size=8).digest()


def _retry_after(answer: httpx.Response) -> float:
    try:
        return min(_LONGEST_WAIT_S, max(0.0, float(answer.headers.get("retry-after", 0))))
    except ValueError:  # a date: the usual pauses will do
        return 0.0


async def _json(answer: httpx.Response) -> Any:
    await answer.aread()
    try:
        return answer.json()
    except ValueError as error:
        raise ModelError(f"{answer.request.url} answers with something that is no JSON") from error
