"""What was learned from recorded sweeps about one policy under one judge at one budget: a strategy for each difficulty.

A small value that is handed to a search, which records all of it: a run can be understood from its document alone. How
it is learned is the affair of `engine.runs.sweeps.learning`.
"""

from __future__ import annotations

from dataclasses import dataclass

from engine.search.interval import Interval


@dataclass(frozen=True, slots=True)
class LearnedChoice:
    """The strategy for problems that look `difficulty` (an index of `DIFFICULTIES`).

    `accuracy` is what it reached on the `problems` on record that look so (on all, where there is none). `tied` names
    the other strategies that could not be told from the best.
    """

    difficulty: int
    strategy: str
    accuracy: Interval
    problems: int
    tied: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Learned:
    """A choice for each difficulty, learned from runs of `problems` problems with a budget of `n`."""

    policy: str
    scorer: str
    n: int
    problems: int
    choices: tuple[LearnedChoice, ...]

    @property
    def one_for_all(self) -> str | None:
        """The strategy, if it is the same for every difficulty: then it need not be known."""
        strategies = {choice.strategy for choice in self.choices}
        return strategies.pop() if len(strategies) == 1 else None

    def choice(self, difficulty: int) -> LearnedChoice:
        return next(choice for choice in self.choices if choice.difficulty == difficulty)
