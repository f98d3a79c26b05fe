"""Requests to one server: whole answers and streamed ones, at most so many at once, directly or through a proxy."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Mapping
from contextlib import aclosing, asynccontextmanager
from typing import Any

import httpx
from httpx_sse import EventSource, ServerSentEvent

from engine.models.loop_thread import LoopThread
from engine.models.servers.proxies import proxy_for, transport
from engine.models.servers.refusals import Unavailable, error_in, error_message, one_line, page_message, refusal
from engine.models.servers.settings import ServerSettings
from engine.models.servers.wire import Chunk, chunk

#: Longest that a server may ask us to wait (Retry-After), in seconds.
_LONGEST_WAIT_S = 60.0
_CONNECT_S = 5.0
#: How many times as long as it may be silent a server may say nothing but that it is still there, as it does while a
#: request waits for its turn; bytes of the longest answer that is read.
_PATIENCE, _MOST_BYTES = 10, 64 << 20
#: What a proxy may have said itself.
_OF_A_PROXY = frozenset({403, 407, 502, 503, 504})
_HUNG_UP = (httpx.RemoteProtocolError, httpx.ReadError)


class _Bounded(httpx.AsyncByteStream):
    """The bytes of an answer, up to a number that no honest one has. Raises `httpx.ReadError` beyond."""

    def __init__(self, stream: httpx.AsyncByteStream) -> None:
        self._stream = stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        read = 0
        async for piece in self._stream:
            read += len(piece)
            if read > _MOST_BYTES:
                raise httpx.ReadError(f"an answer of more than {_MOST_BYTES >> 20} MB")
            yield piece

    async def aclose(self) -> None:
        await self._stream.aclose()


class Server:
    """One base URL, asked as `settings` say. Lives in one event loop. Raises `ModelError` for an unusable proxy.

    `most_at_once` is how many requests were under way together.
    """

    def __init__(self, url: str, key: str | None, settings: ServerSettings) -> None:
        self.url = url
        self.failed_at = float("-inf")
        self.most_at_once = self._at_once = 0
        self._slots, self._timeout_s = asyncio.Semaphore(settings.concurrency), settings.timeout_s
        self._proxy = proxy_for(url, settings.proxy)
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=settings.concurrency)
        self._client = httpx.AsyncClient(
            base_url=url,
            headers={"Authorization": f"Bearer {key}"} if key else {},
            timeout=httpx.Timeout(settings.timeout_s, connect=min(_CONNECT_S, settings.timeout_s)),
            transport=transport(url, self._proxy, limits),
        )

    async def get(self, path: str) -> Any:
        async with self._answer("GET", path, None) as answer:
            return await self._whole(answer)

    async def post(self, path: str, body: Mapping[str, Any]) -> Any:
        async with self._answer("POST", path, body) as answer:
            return await self._whole(answer)

    async def stream(self, path: str, body: Mapping[str, Any]) -> AsyncGenerator[Chunk, None]:
        """The events of a streamed answer. Leaving the loop early closes the connection, so that the server stops.

        Some servers look at a request only when they have begun to answer, and hang up without a word if they do not
        like it. Then it is put once more, not as a stream, for the reason.
        """
        heard = False
        try:
            async with self._answer("POST", path, body) as answer:
                if "json" in answer.headers.get("content-type", ""):  # it does not stream, or that is its error
                    heard = True
                    yield chunk(await self._whole(answer))
                    return
                async with aclosing(EventSource(answer).aiter_sse()) as events:
                    since = asyncio.get_running_loop().time()
                    while (event := await self._next(events, since)) is not None:
                        heard = heard or bool(event.data)
                        if event.data == "[DONE]":
                            return
                        if event.data:
                            said = chunk(self._event(event.data, error=event.event == "error"))
                            since = asyncio.get_running_loop().time() if said.text or said.ids else since
                            yield said
        except Unavailable as error:
            if heard or not isinstance(error.__cause__, _HUNG_UP):
                raise
            await self._ask_why(path, body)
            raise
        if not heard:
            await self._ask_why(path, body)

    async def _next(self, events: AsyncGenerator[ServerSentEvent, None], since: float) -> ServerSentEvent | None:
        """The next event, None at the end. A server may say that it is still there, but not for ever."""
        try:
            async with asyncio.timeout_at(since + _PATIENCE * self._timeout_s):
                return await anext(events, None)
        except TimeoutError as error:
            raise Unavailable(f"{self.url} keeps a stream open and says nothing", crowded=True) from error

    async def _ask_why(self, path: str, body: Mapping[str, Any]) -> None:
        """Raises `Refused` if the server has a reason not to answer `body` at all."""
        plain = {key: value for key, value in body.items() if key not in ("stream", "stream_options")}
        try:
            await self.post(path, plain | {"max_tokens": 1})
        except Unavailable as error:
            if not isinstance(error.__cause__, _HUNG_UP):
                raise
            await self.post(path, plain | {"max_tokens": 1})  # that was on the connection which the server had closed

    async def close(self) -> None:
        await self._client.aclose()

    def _event(self, data: str, *, error: bool) -> Any:
        try:
            said = json.loads(data)
        except (ValueError, RecursionError) as damage:
            raise Unavailable(f"{self.url} sends a damaged stream ({one_line(data)})") from damage
        return self._checked({"error": said} if error else said)

    async def _whole(self, answer: httpx.Response) -> Any:
        await answer.aread()
        try:
            return self._checked(answer.json())
        except (ValueError, RecursionError) as error:
            raise Unavailable(f"{answer.request.url} answers with something that is no JSON") from error

    def _checked(self, said: Any) -> Any:
        """`said`, unless it is an error after all: the headers may long be out when a server fails."""
        if error := error_in(said):
            code, reason = error
            raise refusal(f"{self.url} reports an error: {reason}", code)
        return said

    @asynccontextmanager
    async def _answer(self, method: str, path: str, body: Mapping[str, Any] | None) -> AsyncIterator[httpx.Response]:
        try:
            async with self._slot(), self._client.stream(method, path, json=body) as answer:
                assert isinstance(answer.stream, httpx.AsyncByteStream)
                answer.stream = _Bounded(answer.stream)
                if answer.status_code != httpx.codes.OK:
                    await answer.aread()
                    raise self._refusal(answer)
                yield answer
        except httpx.TimeoutException as error:
            raise Unavailable(f"{self.url} does not answer in time{self._way()}", crowded=True) from error
        except httpx.HTTPError as error:
            reason = one_line(error) or type(error).__name__
            raise Unavailable(
                f"{self.url} cannot be reached, or broke off ({reason}){self._way()}",
                crowded=isinstance(error, httpx.RemoteProtocolError),
            ) from error

    @asynccontextmanager
    async def _slot(self) -> AsyncIterator[None]:
        async with self._slots:
            self._at_once += 1
            self.most_at_once = max(self.most_at_once, self._at_once)
            try:
                yield
            finally:
                self._at_once -= 1

    def _way(self) -> str:
        return f", asked {self._proxy.shown}" if self._proxy else ""

    def _refusal(self, answer: httpx.Response) -> Exception:
        code = answer.status_code
        try:
            reason = error_message(answer.json())
        except (ValueError, RecursionError):
            reason = page_message(answer.text) or answer.reason_phrase
        message = f"{self.url} answers {code}: {reason}"
        if code in _OF_A_PROXY:
            message += self._way()
        if code in (401, 403):
            message += "; check the key in the variable that key_env names"
        return refusal(message, code, _retry_after(answer))


def hang_up(thread: LoopThread, servers: Iterable[Server]) -> None:
    """End what runs in `thread`, the connections of `servers`, and the thread. Again is harmless."""

    async def close() -> None:
        for server in servers:
            await server.close()

    if not thread.closed:
        thread.cancel_all()
        thread.call(close())
        thread.close()


def _retry_after(answer: httpx.Response) -> float:
    try:
        return min(_LONGEST_WAIT_S, max(0.0, float(answer.headers.get("retry-after", 0))))
    except ValueError:  # a date: the usual pauses will do
        return 0.0
