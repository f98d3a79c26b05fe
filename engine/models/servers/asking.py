"""Short questions to one server, in streams as searches ask them: some say less in a stream than in a whole answer.

Only the tokens of a prompt are counted in whole answers: streams often come without a count.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, TypeVar

from engine.models.servers.connection import Server
from engine.models.servers.refusals import Refused, Unavailable
from engine.models.servers.wire import Chunk, chunk

T = TypeVar("T")

#: Asks for the number of tokens at the end of a stream.
USAGE: Mapping[str, Any] = {"stream_options": {"include_usage": True}}
#: What makes a chat completion continue the last message (vLLM, SGLang); others do so by default, or not at all.
CONTINUE: Mapping[str, Any] = {"continue_final_message": True, "add_generation_prompt": False}

QUESTION = {"role": "user", "content": "What is 7 + 5?"}
_TEXT = "Question: What is 7 + 5?\n\nAnswer:"
#: Number of answers of this kind to one question after which it counts as refused. Others (503) are of a busy server.
_TRIES, _FAULTS = 3, (500, 501)


@dataclass(slots=True)
class Asking:
    """Questions at `path` of `server`.

    `usage`: it takes the request to count a stream; `flags`: it must be told to continue a message; `refusal` is the
    last one, for errors: what the server says itself is what its owner can act on.
    """

    server: Server
    model: str
    path: str
    usage: bool = True
    flags: bool = False
    refusal: Refused | None = None

    @property
    def chat(self) -> bool:
        return "chat" in self.path

    async def ask(self, body: Mapping[str, Any]) -> Chunk:
        """One greedy token after the probe's text, or what `body` asks for instead.

        Raises `Refused` if the server rejects it; some answer 500 to a field, however often it is sent.
        """
        what: dict[str, Any] = {"messages": [QUESTION]} if self.chat else {"prompt": _TEXT}
        usage = USAGE if self.usage else {}

        async def answer() -> Chunk:
            whole = Chunk()
            events = self.server.stream(self.path, {**self._greedy, **what, "stream": True, **usage, **body})
            async with aclosing(events) as stream:
                async for said in stream:
                    whole += said
            if whole.ending in (None, "broken"):
                raise Unavailable(f"{self.server.url} broke off in the middle of an answer", crowded=True)
            return whole

        return await self._insistently(answer)

    async def prompt_tokens(self, body: Mapping[str, Any]) -> int | None:
        """How many tokens the server counts in a prompt or in messages; None if it does not say."""

        async def answer() -> int | None:
            return chunk(await self.server.post(self.path, {**self._greedy, **body})).prompt_tokens

        return await self._insistently(answer)

    async def answers(self, body: Mapping[str, Any]) -> bool:
        """Whether the server takes a request with the fields of `body`. A rejected key does not count as an answer."""
        try:
            await self.ask(body)
        except Refused as refusal:
            if refusal.code in (401, 403):
                raise
            return False
        return True

    async def opens(self) -> bool:
        """Whether there is a completion to be had at all, with or without a count."""
        for self.usage in (True, False):
            if await self.answers({}):
                return True
        return False

    @property
    def _greedy(self) -> dict[str, Any]:
        return {"model": self.model, "max_tokens": 1, "temperature": 0}

    async def _insistently(self, answer: Callable[[], Awaitable[T]]) -> T:
        for tried in range(_TRIES):
            try:
                return await answer()
            except Refused as refusal:
                self.refusal = refusal
                raise
            except Unavailable as error:
                if error.code not in _FAULTS:
                    raise
                if tried == _TRIES - 1:
                    self.refusal = Refused(str(error), error.code)
                    raise self.refusal from error
        raise AssertionError
