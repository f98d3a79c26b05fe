"""A policy behind OpenAI-compatible servers: vLLM, SGLang, llama.cpp, Ollama, hosted ones; one or several replicas.

Every draw is a streamed request of its own, with its own seed. If the server says why a text ended, it is told to stop
at the blank line; otherwise the stream is cut here when the blank line arrives, because "stop" alone could also mean
EOS. A server stops when its stream is closed, so cancelling needs nothing more.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.errors import ModelError
from engine.models.loop_thread import LoopThread
from engine.models.policies.draft import Continue, Draft, End, Piece, RequestSession, Till
from engine.models.policies.streamed import Reading
from engine.models.prompts.open_tokenizer import open_tokenizer
from engine.models.servers.asking import USAGE
from engine.models.servers.connection import Server, hang_up
from engine.models.servers.probe import PLAIN_SAMPLING, Found, probe
from engine.models.servers.prompts import Prompt, Prompts
from engine.models.servers.replicas import Route
from engine.models.servers.settings import ServerSettings
from engine.models.servers.wire import Abilities
from engine.search.events import ModelInfo
from engine.search.policy import DELIMITER, Sampling

#: Prompts remembered, so that each problem's is made once.
_PROMPTS = 64
#: Seeds are cut to what every server accepts.
_SEED_BITS = 31


class OpenAIPolicy:
    """A model served under `settings.urls`.

    `system` is the system prompt, `suffix` follows every problem; `tokenizer` is the folder of the model's tokenizer,
    if there is one here.
    """

    def __init__(
        self,
        settings: ServerSettings,
        *,
        system: str = "",
        suffix: str = "",
        tokenizer: Path | None = None,
        delimiter: str = DELIMITER,
    ) -> None:
        key = settings.api_key()
        self.delimiter = delimiter
        self._settings = settings
        opened = open_tokenizer(tokenizer) if tokenizer else None
        self.thread = LoopThread(f"policy at {settings.urls[0]}")
        self._prompts: dict[str, Prompt] = {}
        try:
            self.thread.call(self._connect(key, system, suffix, opened))
        except BaseException:
            self.close()
            raise

    info: ModelInfo
    abilities: Abilities
    servers: list[Server]
    prompts: Prompts

    async def _connect(self, key: str | None, system: str, suffix: str, tokenizer: Any) -> None:
        settings = self._settings
        self.servers = [Server(url, key, settings) for url in settings.urls]
        found = await self._probe(tokenizer is not None)
        self.abilities = found[0].abilities
        for other in found[1:]:
            self.abilities &= other.abilities
        self.prompts = Prompts(found[0].model, self.abilities, tokenizer, system=system, suffix=suffix)
        await self.route("").do(self.prompts.check)
        windows = [window for window in (settings.context_window, *(f.context_window for f in found)) if window]
        if not windows:
            raise ModelError(f"{self.servers[0].url} does not say how long its context is; add context_window")
        without = self.abilities.missing
        self.info = ModelInfo(
            name=found[0].model,
            parameters=int(settings.parameters or found[0].parameters or 0),
            context_window=min(windows),
            device=f"server{', without ' + without if without else ''}",
            template=self.prompts.template,
            opens_thought=self.prompts.opens_thought,
        )

    async def _probe(self, tokenizer: bool) -> list[Found]:
        """Ask all replicas at once; those that do not answer join later and are taken to be like the others."""
        settings = self._settings
        asked = [
            Route([server], "", settings.retries).do(lambda s: probe(s, settings.model, tokenizer=tokenizer))
            for server in self.servers
        ]
        answers = await asyncio.gather(*asked, return_exceptions=True)
        found = [answer for answer in answers if isinstance(answer, Found)]
        for server, answer in zip(self.servers, answers, strict=True):
            if isinstance(answer, BaseException):
                server.failed_at = time.monotonic()
                if not found or not isinstance(answer, ModelError):
                    raise answer
        if len({(each.model, each.abilities.prompts) for each in found}) > 1:
            raise ModelError("the servers of this entry are not replicas: their models or abilities differ")
        return found

    def route(self, problem: str) -> Route:
        return Route(self.servers, problem, self._settings.retries)

    async def prompt(self, problem: str) -> Prompt:
        """In this policy's loop."""
        if problem not in self._prompts:
            made = await self.route(problem).do(lambda server: self.prompts.prompt(server, problem))
            self._prompts[problem] = made
            for oldest in list(self._prompts)[:-_PROMPTS]:
                del self._prompts[oldest]
        return self._prompts[problem]

    def prompt_tokens(self, problem: str) -> int:
        return self.thread.call(self.prompt(problem)).tokens

    def token_ids(self, text: str) -> tuple[int, ...] | None:
        return self.prompts.token_ids(text)

    def session(self, problem: str) -> RequestSession:
        route = self.route(problem)

        async def ask(sampling: Sampling) -> tuple[int, Continue]:
            prompt = await self.prompt(problem)
            return prompt.tokens, _Asking(self, route, prompt, sampling).go_on

        return RequestSession(self.thread, self.info.context_window, self.delimiter, ask, self.prompts.decode)

    def close(self) -> None:
        hang_up(self.thread, getattr(self, "servers", ()))


@dataclass(frozen=True, slots=True)
class _Asking:
    """How a draft of one run is continued by a request to its replica."""

    policy: OpenAIPolicy
    route: Route
    prompt: Prompt
    sampling: Sampling

    async def go_on(self, draft: Draft, most: int, till: Till) -> End:
        left = most

        async def attempt(server: Server) -> End:
            nonlocal left
            draft.arriving = Piece()
            if left <= 0:
                return "lost"
            try:
                return await self._stream(server, draft, left, till)
            finally:
                left -= draft.arriving.tokens if till.limited else 0  # tokens of a broken stream were paid for, too

        return await self.route.do(attempt)

    async def _stream(self, server: Server, draft: Draft, most: int, till: Till) -> End:
        policy = self.policy
        body = await self._body(server, draft, most)
        reading = Reading(draft, till, policy.abilities, most)
        async with aclosing(server.stream(policy.prompts.path, body)) as chunks:
            end = await reading.read(chunks)
        told = reading.prompt_tokens
        till.cost.prompt_tokens += self._positions(draft) if told is None else told - reading.cached_tokens
        till.cost.prompt_tokens_reused += reading.cached_tokens
        return end

    def _positions(self, draft: Draft) -> int:
        return self.prompt.tokens + sum(node.tokens for node in draft.draw.path) + draft.written.tokens

    async def _body(self, server: Server, draft: Draft, most: int) -> dict[str, Any]:
        policy, able, sampling = self.policy, self.policy.abilities, self.sampling
        path, written = draft.draw.path, draft.written
        body: dict[str, Any] = {
            "model": policy.info.name,
            "max_tokens": most,
            "temperature": sampling.temperature,
            "top_p": sampling.top_p,
            "stream": True,
            **await policy.prompts.following(server, self.prompt, path, written.ids, written.text),
        }
        if able.usage:
            body |= USAGE
        if able.stop_reason:
            body |= {"stop": [policy.delimiter]}
        if able.kept_stop:
            body |= {"include_stop_str_in_output": True}
        if able.token_ids:
            body |= {"return_token_ids": True}
        if able.logprobs:
            body |= {"logprobs": 1 if able.prompts else True}
        if able.seeds:
            body |= {"seed": draft.seed >> (64 - _SEED_BITS)}
        if able.plain_sampling:
            body |= PLAIN_SAMPLING
        return body
