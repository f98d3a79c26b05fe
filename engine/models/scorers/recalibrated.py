"""A judge whose scores are read through a monotone map, so that they say how often such steps are right.

The map is fitted elsewhere (the lab does it) and stored as numbers. It costs nothing: the judge behind it scores as
ever, each step once. Ranks change only where an isotonic map is flat, so the vote and products change, `max` hardly.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b
from itertools import pairwise
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from engine.search.cost import ScorerCost
from engine.search.events import ModelInfo
from engine.search.scorer import Critic, Forecaster, Scorer, ScorerSession
from engine.search.tree import Node

#: Scores nearer to 0 or 1 are taken for this near, where log-odds are needed.
EPSILON = 1e-6


class ScoreMap(BaseModel):
    """From a judge's score to a probability: by points (linear between them, constant outside), or by a temperature
    (sigmoid(log-odds / temperature), Guo et al. 2017)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    scores: tuple[float, ...] = ()
    values: tuple[float, ...] = ()
    temperature: float | None = Field(default=None, gt=0)

    @model_validator(mode="after")
    def _monotone(self) -> Self:
        if (self.temperature is None) == (not self.scores):
            raise ValueError("a map has scores and values, or a temperature")
        if len(self.scores) != len(self.values):
            raise ValueError("a map has as many values as scores")
        if any(not 0 <= each <= 1 for each in (*self.scores, *self.values)):
            raise ValueError("scores and values are between 0 and 1")
        if any(a >= b for a, b in pairwise(self.scores)) or any(a > b for a, b in pairwise(self.values)):
            raise ValueError("scores must rise and values must not fall")
        return self

    def __call__(self, score: float) -> float:
        if self.temperature is not None:
            held = min(1 - EPSILON, max(EPSILON, score))
            return 1 / (1 + math.exp(-math.log(held / (1 - held)) / self.temperature))
        place = bisect_right(self.scores, score)
        if place in (0, len(self.scores)):
            return self.values[min(place, len(self.scores) - 1)]
        (low, high), (below, above) = self.scores[place - 1 : place + 1], self.values[place - 1 : place + 1]
        return below + (above - below) * (score - low) / (high - low)

    @property
    def digest(self) -> str:
        return blake2b(self.model_dump_json().encode(), digest_size=8).hexdigest()


class Recalibrated:
    """The judge `of` under another name. It does not own `of`, which others may use, too."""

    def __init__(self, name: str, of: Scorer, through: ScoreMap) -> None:
        self._of, self._map = of, through
        self.info: ModelInfo = replace(of.info, name=name, digest=f"{of.info.digest}+{through.digest}")

    def prompt_tokens(self, problem: str) -> int:
        return self._of.prompt_tokens(problem)

    def positions_about(self, steps: Sequence[int]) -> int:
        return self._of.positions_about(steps) if isinstance(self._of, Forecaster) else sum(steps)

    def session(self, problem: str) -> ScorerSession:
        return _Session(self._of.session(problem), self._map)

    def close(self) -> None:
        """Does nothing: whoever loaded the judge closes it."""


@dataclass(frozen=True, slots=True)
class _Session:
    of: ScorerSession
    through: ScoreMap

    async def score(self, paths: Sequence[Sequence[Node]], cost: ScorerCost) -> list[float | None]:
        scores = await self.of.score(paths, cost)
        return [None if score is None else self.through(score) for score in scores]

    def positions(self, path: Sequence[Node], scored: int) -> tuple[int, int]:
        return self.of.positions(path, scored)

    def critique(self, path: Sequence[Node]) -> str | None:
        """As `Critic.critique`, where the judge writes."""
        return self.of.critique(path) if isinstance(self.of, Critic) else None

    def close(self) -> None:
        self.of.close()
