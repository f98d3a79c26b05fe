"""Judges behind vLLM servers: the format is made here, the model runs there, one or several replicas.

vLLM serves each family at another path; all three give the scores that the model gives in this process. The server does
not report what it reads from its prefix cache, so every position sent is counted as computed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from engine.errors import ModelError
from engine.models.loop_thread import LoopThread
from engine.models.scorers.formats import Format, conversation, refuse_empty
from engine.models.servers.connection import Server, hang_up
from engine.models.servers.listing import entry_of, with_window
from engine.models.servers.refusals import Refused, one_line
from engine.models.servers.replicas import Route
from engine.models.servers.settings import ServerSettings
from engine.search.cost import ScorerCost
from engine.search.events import ModelInfo
from engine.search.tree import Node


class Address(Protocol):
    """Where a family's scores come from. `start` is what the server's command line needs, for advice in errors."""

    path: str
    start: str

    def body(self, ids: list[int]) -> dict[str, Any]:
        """A request for the score at the last of `ids`; the model's name is added."""
        ...

    def score(self, answer: Mapping[str, Any]) -> float: ...


class StepPooling:
    """Per-token classification pooled at the step tags: a row of label probabilities per step; the last is ours."""

    path = "/pooling"
    start = '--runner pooling --pooler-config \'{"task": "token_classify", "tok_pooling_type": "STEP"}\''

    def body(self, ids: list[int]) -> dict[str, Any]:
        return {"input": ids, "task": "token_classify"}

    def score(self, answer: Mapping[str, Any]) -> float:
        return float(answer["data"][0]["data"][-1][1])


class Classification:
    """A sequence classifier with one label, read at the last token. vLLM caches the prefixes of such requests."""

    path = "/classify"
    start = "--runner pooling, on a checkpoint converted by python -m engine.models.scorers.skywork"

    def body(self, ids: list[int]) -> dict[str, Any]:
        return {"input": ids}

    def score(self, answer: Mapping[str, Any]) -> float:
        (probability,) = answer["data"][0]["probs"]
        return float(probability)


@dataclass(slots=True)
class TwoTokens:
    """P(good) of two tokens after the last one, from a server that generates. Prefixes are cached there, too."""

    good: int
    bad: int
    path: str = "/generative_scoring"
    start: str = "nothing but the model"

    def body(self, ids: list[int]) -> dict[str, Any]:
        return {"query": [], "items": [ids], "label_token_ids": [self.good, self.bad]}

    def score(self, answer: Mapping[str, Any]) -> float:
        return float(answer["data"][0]["score"])


class ServedScorer:
    """A judge served under `settings.urls`. Raises `ModelError` if a server cannot be used for this family."""

    info: ModelInfo
    servers: list[Server]

    def __init__(self, name: str, settings: ServerSettings, form: Format, address: Address) -> None:
        key = settings.api_key()
        self.format, self.address = form, address
        self._settings, self._model = settings, settings.model
        self.thread = LoopThread(f"scorer at {settings.urls[0]}")
        try:
            self.thread.call(self._connect(name, key))
        except BaseException:
            self.close()
            raise

    async def _connect(self, name: str, key: str | None) -> None:
        settings = self._settings
        self.servers = [Server(url, key, settings) for url in settings.urls]
        entry = await self.route("").do(lambda server: entry_of(server, settings.model))
        self._model = entry.id
        window = settings.context_window or (await with_window(self.route("").server, entry)).context_window
        if not window:
            raise ModelError(f"{settings.urls[0]} does not say how long its context is; add context_window")
        self.info = ModelInfo(
            name=name,
            parameters=int(settings.parameters or 0),
            context_window=int(window),
            device="server",
            template=self.format.template,
        )
        ids, _ = conversation(self.format, "What is 1 + 1?", ("1 + 1 = 2",))
        await self.ask(self.route(""), ids)  # a server that cannot judge fails here

    async def ask(self, route: Route, ids: list[int]) -> float:
        """The score at the last of `ids`. In this scorer's loop."""
        address = self.address
        body = {"model": self._model, **address.body(ids)}
        try:
            answer = await route.do(lambda server: server.post(address.path, body))
            score = address.score(answer)
        except Refused as refusal:
            if refusal.code in (401, 403):  # about the key, and the message says so
                raise
            raise self._stranger(refusal) from refusal
        except (KeyError, IndexError, TypeError, ValueError) as error:
            raise self._stranger(error) from error
        if not 0.0 <= score <= 1.0:  # a NaN too
            raise ModelError(f"{self.info.name} computes no scores; its weights may be damaged")
        return score

    def _stranger(self, error: Exception) -> ModelError:
        reason = one_line(f"{type(error).__name__}: {error}")
        return ModelError(
            f"{self._settings.urls[0]} gives no scores of this family at {self.address.path} ({reason}); "
            f"start vLLM with {self.address.start}"
        )

    def route(self, problem: str) -> Route:
        return Route(self.servers, problem, self._settings.retries)

    def prompt_tokens(self, problem: str) -> int:
        return len(self.format.prompt(problem))

    def session(self, problem: str) -> ServedScorerSession:
        return ServedScorerSession(self, problem)

    def close(self) -> None:
        hang_up(self.thread, getattr(self, "servers", ()))


class ServedScorerSession:
    """One run's scores, on the replica that its problem hashes to. A step is asked for once."""

    def __init__(self, scorer: ServedScorer, problem: str) -> None:
        self._scorer, self._problem = scorer, problem
        self._route = scorer.route(problem)
        self._scores: dict[Hashable, float] = {}

    async def score(self, paths: Sequence[Sequence[Node]], cost: ScorerCost) -> list[float | None]:
        """As `ScorerSession.score`. Raises `ModelError` for a step without text, which cannot be scored."""
        if not paths:
            return []
        refuse_empty(paths)
        cost.calls += 1
        return await self._scorer.thread.run(self._score(paths, cost))

    async def _score(self, paths: Sequence[Sequence[Node]], cost: ScorerCost) -> list[float | None]:
        due = {path[-1].id: path for path in paths if path[-1].id not in self._scores}
        try:
            async with asyncio.TaskGroup() as group:
                for path in due.values():
                    group.create_task(self._ask(path, cost))
        except ExceptionGroup as failed:
            raise failed.exceptions[0] from failed
        return [self._scores.get(path[-1].id) for path in paths]

    async def _ask(self, path: Sequence[Node], cost: ScorerCost) -> None:
        ids = self._ids(path)
        if len(ids) < self._scorer.info.context_window:  # vLLM reserves a place for the next token
            self._scores[path[-1].id] = await self._scorer.ask(self._route, ids)
            cost.scored_tokens += len(ids)

    def _ids(self, path: Sequence[Node]) -> list[int]:
        return conversation(self._scorer.format, self._problem, [node.text for node in path])[0]

    def positions(self, path: Sequence[Node], scored: int) -> tuple[int, int]:
        return (len(self._ids(path)) if path else 0), 0

    def close(self) -> None: ...
