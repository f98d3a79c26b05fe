"""What becomes of a path that is too long for the PRM, its window; strategies know nothing of it.

`skip` leaves its last step without a score, `refuse` ends the run. With `left` the PRM reads the problem and as many of
the last steps as fit. reward_hub keeps the last tokens; we keep whole steps, so that what is read has the form that
every family was trained on. To the PRM they are another solution, one that begins later: such a score is never taken
for one of the whole path, and whenever one more step is left out, all those that are kept are read anew.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from engine.errors import ModelError
from engine.search.common_steps import CommonSteps
from engine.search.cost import ScorerCost
from engine.search.events import ModelInfo
from engine.search.scorer import Critic, ScorerSession
from engine.search.tree import Node

#: What may be done with a path that is too long for the PRM.
PRM_WINDOWS = ("skip", "left", "refuse")


@dataclass(frozen=True, slots=True)
class WindowedScore:
    """The score of the last step of a path; `too_long` says why it is none, or not one of the whole path.

    It has the numbers of `REASONS["prm_window"]`, and none where the path fits. `critique` is what a judge that writes
    wrote about what it read.
    """

    value: float | None
    too_long: Mapping[str, float] = field(default_factory=dict)
    critique: str | None = None


class WindowedScorer:
    """A scorer's session, and what is done with the paths that do not fit its window."""

    def __init__(self, session: ScorerSession, info: ModelInfo, prm_window: str = "skip") -> None:
        self._session, self._info, self._prm_window = session, info, prm_window
        self._steps = CommonSteps()
        self._left_out: dict[Node, int] = {}

    async def score(self, paths: Sequence[Sequence[Node]], cost: ScorerCost) -> list[WindowedScore]:
        """The last step of each path, in order. Raises `ModelError` for scores that are none."""
        if self._prm_window == "left":  # paths with and without their first steps have one set of ids
            paths = [self._steps.path(path) for path in paths]
        values = await self._scores(paths, cost)
        too_long = [path for path, value in zip(paths, values, strict=True) if value is None]
        last_steps = await self._score_last_steps(too_long, cost) if self._prm_window == "left" else {}
        return [
            WindowedScore(value, critique=self._critique(path))
            if value is not None
            else self._too_long(path, *last_steps.get(path[-1], (None, 0)))
            for path, value in zip(paths, values, strict=True)
        ]

    def check(self, scores: Sequence[WindowedScore]) -> None:
        """Raises `ModelError` if one of the paths did not fit and the run was to end there."""
        longest = max((each.too_long["tokens"] for each in scores if each.too_long), default=None)
        if longest is not None and self._prm_window == "refuse":
            raise ModelError(
                f"a path of {longest:,.0f} tokens does not fit the window of {self._info.name} "
                f"({self._info.context_window:,}); limit max_tokens, or give prm_window skip or left"
            )

    async def _score_last_steps(
        self, paths: Sequence[Sequence[Node]], cost: ScorerCost
    ) -> dict[Node, tuple[float, int]]:
        """The score of each last step that fits, after as many of the steps before it as fit, and how many were read.

        A path leaves out no fewer steps than the one it continues did.
        """
        scored: dict[Node, tuple[float, int]] = {}
        for path in paths:
            self._left_out[path[-1]] = max([1, *(self._left_out.get(step, 0) for step in path[-2:-1])])
        while due := [path for path in paths if path[-1] not in scored and self._left_out[path[-1]] < len(path)]:
            kept = [self._steps.path(path[self._left_out[path[-1]] :]) for path in due]
            for path, steps, value in zip(due, kept, await self._scores(kept, cost), strict=True):
                if value is None:
                    self._left_out[path[-1]] += 1
                else:
                    scored[path[-1]] = value, len(steps)
        return scored

    def _too_long(self, path: Sequence[Node], value: float | None, read: int) -> WindowedScore:
        tokens = sum(self._session.positions(path, 0))
        numbers = {"tokens": tokens, "window": self._info.context_window, "steps": len(path), "read": read}
        critique = self._critique(self._steps.path(path[-read:])) if read else None
        return WindowedScore(value, numbers, critique)

    def _critique(self, path: Sequence[Node]) -> str | None:
        return self._session.critique(path) if isinstance(self._session, Critic) else None

    async def _scores(self, paths: Sequence[Sequence[Node]], cost: ScorerCost) -> list[float | None]:
        scores = await self._session.score(paths, cost)
        if len(scores) != len(paths):  # which score is whose is unknown
            raise ModelError(
                f"{self._info.name} gave {len(scores)} scores for {len(paths)} steps; none of them is used"
            )
        for value in scores:
            if value is not None and not 0 <= value <= 1:
                raise ModelError(f"{self._info.name}: a score of {value} is outside 0 to 1; its weights may be damaged")
        return scores
