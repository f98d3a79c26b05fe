"""A local policy whose draws are made on a lent GPU (`engine.models.local.lent_gpu`), a call for each round.

A call starts from nothing: it takes the weights to the GPU and reads the paths again, for no prefix cache outlives it.
It draws what the policy would have drawn in place, and is charged for all that it reads. It cannot be stopped half-way:
a cancelled round is made to its end, and charged.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import fields
from typing import Any

import torch
from transformers import PreTrainedTokenizerBase

from engine.models.local.decode_loop import DecodeLoop
from engine.models.local.draws import Request
from engine.models.local.lent_gpu import on_lent_gpu
from engine.models.local.prefix_cache import PrefixCache
from engine.models.policies.local import LocalPolicy
from engine.search.cost import PolicyCost
from engine.search.events import ModelInfo
from engine.search.policy import Draw, Sampling, Step, TokenBudget, Writing

#: The models that a call may ask for, by the names of their checkpoints: the forked process finds them in its memory.
_MODELS: dict[str, tuple[Any, PreTrainedTokenizerBase, ModelInfo]] = {}


class _Alone:
    """What a request needs of a session, for the length of a call."""

    def __init__(self, prompt: list[int]) -> None:
        self.prompt, self.cache = prompt, PrefixCache()


@on_lent_gpu
def extend_alone(
    name: str, prompt: list[int], draws: Sequence[Draw], sampling: Sampling, left: int | None, stops: tuple[str, ...]
) -> tuple[list[Step], PolicyCost, int | None]:
    """A step for each draw, what that cost, and what is left of the budget."""
    model, tokenizer, info = _MODELS[name]
    model.to("cuda" if torch.cuda.is_available() else "cpu")
    loop = DecodeLoop(model, tokenizer, info, "policy")
    cost, budget = PolicyCost(calls=1), TokenBudget(left)

    async def drawn() -> list[Step]:
        request = Request(_Alone(prompt), draws, sampling, budget, cost, info.context_window, stops)
        new = [request]
        with torch.inference_mode():
            while loop.turn(new):
                new = []
        return await request.result()

    try:
        return asyncio.run(drawn()), cost, budget.left
    finally:
        loop.worker.close()


class LentPolicy:
    """`policy`, but that its sessions draw on a lent GPU."""

    def __init__(self, policy: LocalPolicy) -> None:
        self._policy, self.info, self.delimiter = policy, policy.info, policy.delimiter
        _MODELS[self.info.name] = (policy.model, policy.tokenizer, policy.info)

    def prompt_tokens(self, problem: str) -> int:
        return self._policy.prompt_tokens(problem)

    def token_ids(self, text: str) -> tuple[int, ...]:
        return self._policy.token_ids(text)

    def session(self, problem: str) -> LentSession:
        return LentSession(self.info.name, self._policy.prompt_ids(problem), self.delimiter)

    def close(self) -> None:
        self._policy.close()


class LentSession:
    """One run's prompt; nothing is kept between two rounds."""

    def __init__(self, name: str, prompt: list[int], delimiter: str) -> None:
        self._name, self._prompt, self._stops = name, prompt, (delimiter,)

    async def extend(
        self, draws: Sequence[Draw], sampling: Sampling, budget: TokenBudget, cost: PolicyCost
    ) -> list[Step]:
        if not draws:
            return []
        call = asyncio.create_task(
            asyncio.to_thread(extend_alone, self._name, self._prompt, draws, sampling, budget.left, self._stops)
        )
        try:
            steps, spent, left = await asyncio.shield(call)
        except asyncio.CancelledError:
            _, spent, left = await call
            _charge(cost, spent, budget, left)
            raise
        _charge(cost, spent, budget, left)
        return steps

    def writing(self) -> Writing | None:
        """Nothing is known of a round until it has ended."""
        return None

    def close(self) -> None:
        """It holds nothing."""


def _charge(cost: PolicyCost, spent: PolicyCost, budget: TokenBudget, left: int | None) -> None:
    budget.left = left
    for each in fields(PolicyCost):
        setattr(cost, each.name, getattr(cost, each.name) + getattr(spent, each.name))
