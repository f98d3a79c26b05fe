"""A policy whose sessions share one real session."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from engine.runs.shared.in_common import InCommon
from engine.runs.shared.once import Once
from engine.search.common_steps import CommonSteps
from engine.search.cost import PolicyCost, total
from engine.search.events import ModelInfo
from engine.search.policy import Bounded, Draw, Policy, PolicySession, Sampling, Step, TokenBudget, Writing

#: A draw: the number of its parent among the common steps, its seed, and how tokens are drawn.
_Key = tuple[int, int, Sampling]

#: A batch in which a budget ran out: its draws, and the tokens that were left for them.
_Whole = tuple[tuple[_Key, ...], int]


class SharedPolicy:
    """`runs` of one problem open a session each; the real session is closed when all of them have closed theirs."""

    def __init__(self, policy: Policy, problem: str, runs: int) -> None:
        self._policy = policy
        self._in_common = InCommon[_Common](problem, runs)
        self._bills: list[PolicyCost] = []

    @property
    def info(self) -> ModelInfo:
        return self._policy.info

    @property
    def delimiter(self) -> str:
        return self._policy.delimiter

    @property
    def longest_path(self) -> int:
        return self._policy.longest_path if isinstance(self._policy, Bounded) else self.info.context_window

    @property
    def cost(self) -> PolicyCost:
        """The actual work so far, for all runs together."""
        return total(PolicyCost, self._bills)

    def prompt_tokens(self, problem: str) -> int:
        return self._policy.prompt_tokens(problem)

    def token_ids(self, text: str) -> tuple[int, ...] | None:
        return self._policy.token_ids(text)

    def session(self, problem: str) -> SharedPolicySession:
        def make() -> _Common:
            return _Common(self._policy.session(problem), self.prompt_tokens(problem), self._bills)

        return SharedPolicySession(self._in_common.shared(problem, make), self._in_common.leave)

    def close(self) -> None:
        """Does nothing: the policy is not ours to close."""


@dataclass(slots=True)
class _Common:
    """What the sessions share. `drawn` holds complete steps only, `cut` the batches in which a budget ran out."""

    real: PolicySession
    prompt_tokens: int
    bills: list[PolicyCost]
    steps: CommonSteps = field(default_factory=CommonSteps)
    drawn: Once[_Key, Step] = field(default_factory=Once)
    cut: Once[_Whole, list[Step]] = field(default_factory=Once)

    def mean_tokens(self) -> float:
        """The mean over the steps so far."""
        return sum(step.tokens for step in self.drawn.known.values()) / max(1, len(self.drawn.known))


class SharedPolicySession:
    """One run's view of the shared session."""

    def __init__(self, common: _Common, leave: Callable[[], None]) -> None:
        self._common, self._leave = common, leave
        self._prompt_read = False
        self._waiting = False

    async def extend(
        self, draws: Sequence[Draw], sampling: Sampling, budget: TokenBudget, cost: PolicyCost
    ) -> list[Step]:
        if not draws:
            return []
        cost.calls += 1
        self._charge_prompts(draws, cost)
        batch = _Batch(self._common, draws, sampling, budget.left)
        self._waiting = True
        try:
            steps = await batch.in_full() or await batch.cut()
        except asyncio.CancelledError:
            cost.generated_tokens += batch.begun  # others may go on with it
            raise
        finally:
            self._waiting = False
        tokens = sum(step.tokens for step in steps)
        if budget.left is not None:
            budget.left -= tokens
        cost.generated_tokens += tokens
        return steps

    def _charge_prompts(self, draws: Sequence[Draw], cost: PolicyCost) -> None:
        """The positions before decoding: each distinct parent's path once. A path's last token counts as decoding."""
        for path in {draw.path[-1:]: draw.path for draw in draws}.values():
            length = self._common.prompt_tokens + sum(node.tokens for node in path)
            reused = length - 1 if path or self._prompt_read else 0
            cost.prompt_tokens += length - reused - (1 if path else 0)
            cost.prompt_tokens_reused += reused
            self._prompt_read = True

    def writing(self) -> Writing | None:
        return self._common.real.writing() if self._waiting else None

    def close(self) -> None:
        self._leave()


class _Batch:
    """One call of `extend`, of a run that may spend `left` tokens (None: no limit).

    If `left` pays for all of it, remembered steps are reused and the rest are made. Otherwise the whole batch is made,
    because the real session decides which draw the budget cuts, and where.
    """

    def __init__(self, common: _Common, draws: Sequence[Draw], sampling: Sampling, left: int | None) -> None:
        self._common, self._sampling, self._left = common, sampling, left
        self._draws = [Draw(common.steps.path(draw.path), draw.seed) for draw in draws]
        self._keys = tuple(_key(draw, sampling) for draw in self._draws)
        self._bills: list[PolicyCost] = []

    @property
    def begun(self) -> int:
        """Tokens generated so far by what this batch started."""
        return sum(bill.generated_tokens for bill in self._bills)

    async def in_full(self) -> list[Step] | None:
        """A step for each draw, if `left` pays for all of them."""
        if not await self._common.drawn.obtain(self._keys, self._make):
            return None
        steps = [self._common.drawn.known[key] for key in self._keys]
        return steps if self._left is None or sum(step.tokens for step in steps) <= self._left else None

    async def cut(self) -> list[Step]:
        """The batch cut by its budget. Runs that reach the end of the same budget at the same point share it, too."""
        assert self._left is not None
        whole = (self._keys, self._left)
        await self._common.cut.obtain([whole], self._make_whole)
        return self._common.cut.known[whole]

    async def _make(self, keys: Sequence[_Key]) -> Mapping[_Key, Step]:
        """The `keys` that the budget pays for; none if it is not expected to pay for the batch."""
        known = self._common.drawn.known
        remembered = [known[key].tokens for key in self._keys if key in known]
        all_of_it = len(keys) == len(self._keys)
        if self._left is not None:
            expected = sum(remembered) + self._common.mean_tokens() * (len(self._keys) - len(remembered))
            if (self._keys, self._left) in self._common.cut.known or (expected > self._left and not all_of_it):
                return {}
        wanted = dict(zip(self._keys, self._draws, strict=True))
        room = None if self._left is None else self._left - sum(remembered)
        steps = await self._extend([wanted[key] for key in keys], room)
        whole = _whole_steps(keys, steps)
        if all_of_it and self._left is not None and len(whole) < len(keys):
            self._common.cut.known[self._keys, self._left] = steps
        return whole

    async def _make_whole(self, batches: Sequence[_Whole]) -> Mapping[_Whole, list[Step]]:
        steps = await self._extend(self._draws, self._left)
        self._common.drawn.known |= _whole_steps(self._keys, steps)
        return dict.fromkeys(batches, steps)

    async def _extend(self, draws: Sequence[Draw], room: int | None) -> list[Step]:
        bill = PolicyCost()
        self._bills.append(bill)
        self._common.bills.append(bill)
        return await self._common.real.extend(draws, self._sampling, TokenBudget(room), bill)


def _key(draw: Draw, sampling: Sampling) -> _Key:
    greedy = sampling.temperature == 0  # no randomness, whatever the seed
    return (draw.path[-1].id if draw.path else 0, 0 if greedy else draw.seed, sampling)


def _whole_steps(keys: Sequence[_Key], steps: Sequence[Step]) -> dict[_Key, Step]:
    """The steps that no budget has cut."""
    return {key: step for key, step in zip(keys, steps, strict=True) if step.finish != "budget"}
