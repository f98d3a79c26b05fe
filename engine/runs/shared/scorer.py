"""A scorer whose sessions share one real session."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from engine.runs.shared.in_common import InCommon
from engine.runs.shared.once import Once
from engine.search.common_steps import CommonSteps
from engine.search.cost import ScorerCost, total
from engine.search.events import ModelInfo
from engine.search.scorer import Critic, Scorer, ScorerSession
from engine.search.tree import Node


class SharedScorer:
    """`runs` of one problem open a session each; the real session is closed when all of them have closed theirs."""

    def __init__(self, scorer: Scorer, problem: str, runs: int) -> None:
        self._scorer = scorer
        self._in_common = InCommon[_Common](problem, runs)
        self._bills: list[ScorerCost] = []

    @property
    def info(self) -> ModelInfo:
        return self._scorer.info

    @property
    def cost(self) -> ScorerCost:
        """The actual work so far, for all runs together."""
        return total(ScorerCost, self._bills)

    def prompt_tokens(self, problem: str) -> int:
        return self._scorer.prompt_tokens(problem)

    def session(self, problem: str) -> SharedScorerSession:
        common = self._in_common.shared(problem, lambda: _Common(self._scorer.session(problem), self._bills))
        return SharedScorerSession(common, self._in_common.leave)

    def close(self) -> None:
        """Does nothing: the scorer is not ours to close."""


@dataclass(slots=True)
class _Common:
    """What the sessions share."""

    real: ScorerSession
    bills: list[ScorerCost]
    steps: CommonSteps = field(default_factory=CommonSteps)
    scored: Once[Node, float | None] = field(default_factory=Once)


class SharedScorerSession:
    """One run's view of the shared session."""

    def __init__(self, common: _Common, leave: Callable[[], None]) -> None:
        self._common, self._leave = common, leave
        self._problem_read = False
        self._scored: set[Node] = set()

    async def score(self, paths: Sequence[Sequence[Node]], cost: ScorerCost) -> list[float | None]:
        if not paths:
            return []
        cost.calls += 1
        common = [self._common.steps.path(path) for path in paths]
        by_end = {path[-1]: path for path in common}

        async def judge(ends: Sequence[Node]) -> Mapping[Node, float | None]:
            self._common.bills.append(ScorerCost())
            scores = await self._common.real.score([by_end[end] for end in ends], self._common.bills[-1])
            return dict(zip(ends, scores, strict=True))

        await self._common.scored.obtain(by_end, judge)
        scores = [self._common.scored.known[path[-1]] for path in common]
        self._charge([path for path, score in zip(common, scores, strict=True) if score is not None], cost)
        return scores

    def _charge(self, paths: Sequence[tuple[Node, ...]], cost: ScorerCost) -> None:
        due = [path for path in paths if path[-1] not in self._scored]
        real = total(ScorerCost, self._common.bills)
        for path in due if self._problem_read else [(), *due]:
            scored = next((place for place, node in enumerate(path) if node not in self._scored), len(path))
            computed, reused = self._common.real.positions(path, scored)
            cost.scored_tokens += computed
            cost.scored_tokens_reused += reused
            if real.flops:  # of several models: what a position of the shared session took
                cost.flops += computed * real.flops / real.scored_tokens
        self._problem_read = True
        self._scored.update(node for path in due for node in path)

    def critique(self, path: Sequence[Node]) -> str | None:
        """As `Critic.critique`: what the real session wrote, if it writes."""
        real = self._common.real
        return real.critique(self._common.steps.path(path)) if isinstance(real, Critic) else None

    def positions(self, path: Sequence[Node], scored: int) -> tuple[int, int]:
        return self._common.real.positions(self._common.steps.path(path), scored)

    def close(self) -> None:
        self._leave()
