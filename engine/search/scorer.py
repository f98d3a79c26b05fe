"""What a search needs from a scorer: a value in [0, 1] for the last step of each path.

As with policies, a session belongs to one run and owns its prefix cache. A causal PRM's score of a step never changes
when later steps arrive, so a session is asked for each node once.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from engine.search.cost import ScorerCost
from engine.search.events import ModelInfo
from engine.search.tree import Node


class ScorerSession(Protocol):
    """A scorer at work on one problem."""

    async def score(self, paths: Sequence[Sequence[Node]], cost: ScorerCost) -> list[float | None]:
        """The score of the last step of each path, in order; None for a path that does not fit the context window.

        Paths begin with a first step and are never empty.
        """
        ...

    def positions(self, path: Sequence[Node], scored: int) -> tuple[int, int]:
        """What scoring the last step of `path` takes if its first `scored` steps are scored: positions computed, and
        positions read from a cache instead. For an empty path: what the problem takes, once per session.

        Called only for paths that this session was asked to score, those that do not fit included.
        """
        ...

    def close(self) -> None: ...


@runtime_checkable
class Critic(Protocol):
    """What the session of a judge that writes offers besides."""

    def critique(self, path: Sequence[Node]) -> str | None:
        """What was written about a path whose last step this session scored; None if nothing was."""
        ...


@runtime_checkable
class Forecaster(Protocol):
    """What a scorer offers besides where a step takes more positions than it has tokens."""

    def positions_about(self, steps: Sequence[int]) -> int:
        """About how many positions steps of so many tokens take, or at most; the problem is left out."""
        ...


class Scorer(Protocol):
    @property
    def info(self) -> ModelInfo: ...

    def prompt_tokens(self, problem: str) -> int:
        """Positions the problem takes before the first step, including the template."""
        ...

    def session(self, problem: str) -> ScorerSession: ...

    def close(self) -> None: ...
