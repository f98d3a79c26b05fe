"""A policy opened from a checkpoint, and draws from it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from engine.models.policies.local import LocalPolicy
from engine.search.cost import PolicyCost
from engine.search.policy import Draw, Sampling, Step, TokenBudget
from engine.search.tree import Node


@contextmanager
def policy_of(folder: Path, **options: Any) -> Iterator[LocalPolicy]:
    policy = LocalPolicy("markov", folder, **options)
    try:
        yield policy
    finally:
        policy.close()


async def sample(policy: LocalPolicy, *, path: tuple[Node, ...] = (), seeds: Any = (1,), limit: int | None = None,
                 **sampling: Any) -> tuple[list[Step], PolicyCost]:  # fmt: skip
    cost = PolicyCost()
    session = policy.session("x")
    steps = await session.extend([Draw(path, seed) for seed in seeds], Sampling(**sampling), TokenBudget(limit), cost)
    session.close()
    return steps, cost
