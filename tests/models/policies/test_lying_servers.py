"""Servers that lie: answers that are none, numbers that cannot be, streams that do not end. A run ends with a line that
names the server, in time and with its tree; beside an honest replica it is done."""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from support.completion_server import BUILTIN, Behaviour, CompletionServer, Connect, Serve
from support.recorded import solve_with

from engine.models.catalogue.catalogue import Models
from engine.search.domain import Domain

SECONDS = 60.0


def event(choice: dict[str, Any] | None = None, **more: Any) -> str:
    choices = [{"index": 0, "finish_reason": None} | choice] if choice is not None else []
    return f"data: {json.dumps({'model': 'served', 'choices': choices} | more)}\n\n"


END = event({"text": "x", "finish_reason": "stop"}) + "data: [DONE]\n\n"
LOGPROBS = {"tokens": ["x"], "token_logprobs": [math.nan], "top_logprobs": [{"x": math.nan}]}
#: What a stream says instead of an answer; the second part again and again, for ever.
LIES: dict[str, tuple[str, str]] = {
    "no JSON": ("data: {x\n\n", ""),
    "a list": ("data: []\n\n", ""),
    "nothing nested deeply": (f"data: {'[' * 50_000}\n\n", ""),
    "no choice": ("data: {}\n\ndata: [DONE]\n\n", ""),
    "choices that are none": (event(choices=["x"]) + END, ""),
    "choices of others only": (event({"index": 1, "text": "y", "finish_reason": "stop"}) + "data: [DONE]\n\n", ""),
    "a log-probability that is no number": (event({"text": "x", "logprobs": LOGPROBS}) + END, ""),
    "an id beyond all": (event({"text": "x", "token_ids": [10**30]}) + END, ""),
    "an id below zero": (event({"text": "x", "token_ids": [-5]}) + END, ""),
    "an infinite id": ('data: {"choices": [{"index": 0, "text": "x", "token_ids": [1e999]}]}\n\n' + END, ""),
    "a number of tokens in words": (event({"text": "x"}, usage={"completion_tokens": "many"}) + END, ""),
    "more tokens than there are": (event({"text": "x"}, usage={"completion_tokens": 10**30}) + END, ""),
    "an end that is none": (event({"text": "x", "finish_reason": {"a": 1}}) + "data: [DONE]\n\n", ""),
    "pings for ever": ("", ": still here\n\n"),
    "empty events for ever": ("", event({"text": ""})),
    "one line for ever": ("data: ", "x" * (1 << 20)),
    "words for ever": ("", event({"text": "word "})),
    "an end without a beginning": ("data: [DONE]\n\n", ""),
}


class LyingServer(CompletionServer):
    """Says `lie` in every stream of a search; to all other questions it answers as an honest one."""

    def __init__(self, lie: tuple[str, str]) -> None:
        self._lie = lie
        super().__init__(BUILTIN, Behaviour())

    async def _events(self, said: Any, body: dict[str, Any], usage: dict[str, int]) -> AsyncIterator[str]:
        if "7 + 5" in str(body.get("prompt") or body["messages"]):  # the probe's
            async for event in super()._events(said, body, usage):
                yield event
            return
        once, again = self._lie
        yield once
        while again:
            yield again
            await asyncio.sleep(0.01)


@pytest.fixture
def lying(request: pytest.FixtureRequest) -> Iterator[LyingServer]:
    server = LyingServer(LIES[request.param])
    yield server
    server.stop()


@pytest.mark.parametrize("lying", LIES, indirect=True)
async def test_a_run_ends_in_time_and_says_whose_fault_it_was(
    lying: LyingServer, connect: Connect, maths: Domain
) -> None:
    policy = connect(lying, timeout_s=1.0, retries=0)
    async with asyncio.timeout(SECONDS):
        run = await solve_with(policy, None, maths, strategy="majority_vote", n=2, max_tokens=40, max_steps=2)
    assert run.last.status in ("done", "failed")
    if run.last.status == "failed":
        assert run.last.error and "Error" not in run.last.error.split(":")[0], run.last.error
        assert lying.url in run.last.error or "the server" in run.last.error
    for node in run.tree.nodes:
        assert node.logprob is None or math.isfinite(node.logprob)


@pytest.mark.parametrize("lying", ["no JSON", "pings for ever", "one line for ever"], indirect=True)
async def test_beside_an_honest_replica_it_is_done(
    lying: LyingServer, serve: Serve, connect: Connect, models: Models, maths: Domain
) -> None:
    policy = connect(lying, serve(), timeout_s=1.0)
    async with asyncio.timeout(SECONDS):
        for number in range(3):
            problem = f"Compute {number} + 1."
            run = await solve_with(policy, None, maths, strategy="greedy", max_steps=1, problem=problem)
            assert run.last.status == "done"
