"""Kinds of truth about the steps of one run, best first: an exact check, labels by people, labels that came with the
run, and rollouts. Each is named wherever it is shown; none of them is a PRM's opinion."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from engine.search.events import StepScored
from engine.search.tree import Node
from engine.search.truth import Truth
from engine.store.labels import rating_of

#: Of judges whose scores are a kind of truth; what an exact check says is kept apart (`engine.search.truth`).
SourceKind = Literal["human", "imported", "estimated"]
ORDER: tuple[SourceKind, ...] = ("human", "imported", "estimated")

#: What the exact check is called among the sources.
EXACT = "exact check"

WORDS: dict[SourceKind, str] = {
    "human": "a person's labels", "imported": "labels that came with the run", "estimated": "by the run's own policy",
}  # fmt: skip


@dataclass(slots=True)
class Sources:
    """The judges of one run whose scores are a kind of truth, and what they say; `take` grows with its log."""

    _kinds: dict[str, SourceKind] = field(default_factory=dict)
    _said: dict[str, dict[int, StepScored]] = field(default_factory=dict)

    @classmethod
    def of(cls, events: Iterable[object]) -> Sources:
        sources = cls()
        for event in events:
            if isinstance(event, StepScored):
                sources.take(event)
        return sources

    def take(self, score: StepScored) -> bool:
        """Take in a score; True if it is the first of a new source."""
        kind = _kind(score)
        if kind is None:
            return False
        new = score.scorer not in self._kinds
        self._kinds.setdefault(score.scorer, kind)
        self._said.setdefault(score.scorer, {})[score.node] = score
        return new

    def kind(self, judge: str) -> SourceKind | None:
        return self._kinds.get(judge)

    @property
    def judges(self) -> list[str]:
        """Best first; within a kind in the order in which they came."""
        return sorted(self._kinds, key=lambda judge: ORDER.index(self._kinds[judge]))

    @property
    def people(self) -> list[str]:
        """Those of them that stand for people."""
        return [judge for judge in self.judges if self._kinds[judge] != "estimated"]

    def said(self, judge: str) -> dict[int, StepScored]:
        """What a source says, by node."""
        return self._said.get(judge, {})

    def rating(self, judge: str, node: int) -> int | None:
        """-1 wrong, 0 neutral, 1 right; None where the source is silent. A step from which no rollout ended right is
        wrong (OmegaPRM's reading, arXiv 2406.06592)."""
        score = self.said(judge).get(node)
        if score is None:
            return None
        if self._kinds[judge] == "estimated":
            return 1 if score.value > 0 else -1
        return rating_of(score.value)

    def ratings(self, judge: str) -> dict[int, int]:
        return {node: rating for node in self.said(judge) if (rating := self.rating(judge, node)) is not None}


@dataclass(frozen=True, slots=True)
class FirstWrong:
    """The first wrong step of a path and who says so; `by` is None where only the score's largest fall was left."""

    node: Node
    by: str | None


def first_wrong(path: Sequence[Node], truth: Truth | None, sources: Sources, judge: str | None) -> FirstWrong | None:
    """By the best truth that says anything of the path; where none does, the step at which the score falls most. None
    if that truth finds no fault, or nothing is known at all."""
    if truth is not None and any(truth[step.id] for step in path):
        wrong = truth.first_wrong(path)
        return FirstWrong(wrong, EXACT) if wrong else None
    for source in sources.judges:
        if any(step.id in sources.said(source) for step in path):
            at = next((step for step in path if sources.rating(source, step.id) == -1), None)
            return FirstWrong(at, source) if at else None
    falls = [
        (before.scores[judge] - step.scores[judge], step)
        for before, step in zip(path, path[1:], strict=False)
        if judge in before.scores and judge in step.scores
    ] if judge else []  # fmt: skip
    worst = max(falls, key=lambda fall: fall[0], default=None)
    return FirstWrong(worst[1], None) if worst and worst[0] > 0 else None


def _kind(score: StepScored) -> SourceKind | None:
    if score.kind == "estimated":
        return "estimated"
    if score.kind != "human":
        return None
    return "imported" if score.scoring is None else "human"
