"""What a search needs from a policy: the size of prompts, and single steps below given paths.

A policy knows nodes as data (their text and token ids) and nothing of strategies. A session is opened for each run; it
owns whatever makes the next step cheap (a prefix cache, a server connection) until it is closed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from engine.search.cost import PolicyCost
from engine.search.events import Finish, ModelInfo
from engine.search.tree import Node

#: What ends a step unless a policy has another habit: a blank line.
DELIMITER = "\n\n"


@dataclass(frozen=True, slots=True)
class Sampling:
    """How tokens are drawn. `temperature` 0 is greedy; `max_step_tokens` cuts a step (finish `length`).

    `max_tokens` cuts the whole completion; None leaves it to the context window.
    """

    temperature: float = 0.8
    top_p: float = 1.0
    max_step_tokens: int = 2048
    max_tokens: int | None = None

    def left(self, written: int, otherwise: int) -> int:
        """Tokens that a completion of `written` tokens may still grow by; `otherwise` if there is no limit."""
        return otherwise if self.max_tokens is None else self.max_tokens - written


@dataclass(frozen=True, slots=True)
class Draw:
    """One sample to take: a step below the last node of `path` (empty: below the prompt).

    `seed` is 64 bits and decides all of the draw's randomness.
    """

    path: tuple[Node, ...]
    seed: int


@dataclass(frozen=True, slots=True)
class Step:
    """One step as it was sampled: EOS is in `token_ids` but not in `text`; `logprob`, `confidence` and `certainty` as
    in `StepSampled`."""

    text: str
    token_ids: tuple[int, ...] | None
    tokens: int
    logprob: float | None
    finish: Finish
    confidence: float | None = None
    certainty: float | None = None


@dataclass(frozen=True, slots=True)
class Writing:
    """Draws in progress: the text of one of them so far, which step of its path it is, and how many have ended."""

    text: str
    level: int
    ended: int
    draws: int


@dataclass(slots=True)
class TokenBudget:
    """Generated tokens that a run may still use, shared by all its draws; None: no limit. Never goes below 0."""

    left: int | None = None

    @property
    def spent(self) -> bool:
        return self.left == 0

    def take(self) -> bool:
        """Pay for one token; False if nothing is left."""
        if self.left is None:
            return True
        if self.left == 0:
            return False
        self.left -= 1
        return True


class PolicySession(Protocol):
    """A policy at work on one problem."""

    async def extend(
        self, draws: Sequence[Draw], sampling: Sampling, budget: TokenBudget, cost: PolicyCost
    ) -> list[Step]:
        """One step for each draw, in the order of `draws`.

        Each token is paid for from `budget`, in draw order; a draw that cannot pay ends with finish `budget`. Adds
        what it does to `cost` as it goes, so that a cancelled call is charged, too. Cancelling stops at the next
        token.
        """
        ...

    def writing(self) -> Writing | None:
        """What is being written right now, for a ticker; provisional, and None between steps."""
        ...

    def close(self) -> None:
        """Free what the session holds."""
        ...


@runtime_checkable
class Bounded(Protocol):
    """A policy whose memory may hold less than its context window."""

    @property
    def longest_path(self) -> int:
        """Positions that one path may have, prompt included."""
        ...


class Policy(Protocol):
    """A loaded policy. `delimiter` ends a step; it is a property of the policy ("\\n\\n")."""

    @property
    def info(self) -> ModelInfo: ...

    @property
    def delimiter(self) -> str: ...

    def prompt_tokens(self, problem: str) -> int:
        """Positions the prompt of this problem takes, including the template."""
        ...

    def token_ids(self, text: str) -> tuple[int, ...] | None:
        """A step that somebody else wrote, in this policy's tokens; None where only a server knows them."""
        ...

    def session(self, problem: str) -> PolicySession: ...

    def close(self) -> None: ...
