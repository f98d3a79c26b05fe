"""How a judge's scores stand to the truth, as numbers: false highs and lows, and what became of right answers."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from engine.search.tree import Node, Tree
from engine.search.truth import Truth, Verdict
from engine.store import RunRecord

#: From here on a score says "right".
HALF = 0.5


@dataclass(frozen=True, slots=True)
class Judged:
    """One step that the judge has scored. `drop` is how far its score is below that of the step before it, `ended`
    counts the draws below it that ended, `right` those with the right answer (None: there is nothing to grade by)."""

    node: Node
    score: float
    verdict: Verdict | None
    drop: float | None
    right: int | None
    ended: int

    @property
    def false_high(self) -> bool:
        return self.verdict in ("wrong", "after") and self.score >= HALF

    @property
    def false_low(self) -> bool:
        return self.verdict == "right" and self.score < HALF

    @property
    def surprise(self) -> float:
        """How far the score is from the truth; where that is not known, how far it fell."""
        if self.verdict is not None:
            return abs(self.score - (self.verdict == "right"))
        return self.drop or 0.0


def judged_steps(record: RunRecord, tree: Tree, judge: str, truth: Truth | None) -> list[Judged]:
    """Every step that `judge` has scored, the most surprising first."""
    right, ended = _leaves_below(record, tree)
    steps = []
    for node in tree.nodes[1:]:
        score = node.scores.get(judge)
        if score is None:
            continue
        assert node.parent is not None
        before = tree[node.parent].scores.get(judge)
        steps.append(Judged(
            node, score, truth[node.id] if truth else None, None if before is None else before - score,
            right[node.id] if record.reference_answer is not None else None, ended[node.id],
        ))  # fmt: skip
    return sorted(steps, key=lambda step: (-step.surprise, step.node.id))


def _leaves_below(record: RunRecord, tree: Tree) -> tuple[list[int], list[int]]:
    """For each node, the draws below it that ended right, and that ended."""
    right, ended = [0] * len(tree), [0] * len(tree)
    for leaf in tree.completions():
        grade = record.grades.get(leaf.answer) if leaf.answer is not None else None
        ended[leaf.id] += leaf.copies
        right[leaf.id] += leaf.copies if grade and grade.correct else 0
    for node in reversed(tree.nodes[1:]):  # children come after their parents
        assert node.parent is not None
        right[node.parent] += right[node.id]
        ended[node.parent] += ended[node.id]
    return right, ended


def separation(steps: Sequence[Judged]) -> float | None:
    """The chance that a right step is scored above a wrong one (the area under the ROC curve; ties count half).

    Steps after a wrong one are left out: whether a PRM should score them low is a matter of its training. None where
    there are no steps of both kinds.
    """
    right = sorted(step.score for step in steps if step.verdict == "right")
    wrong = sorted(step.score for step in steps if step.verdict == "wrong")
    if not right or not wrong:
        return None
    won = sum(bisect_left(wrong, score) + bisect_right(wrong, score) for score in right)
    return won / (2 * len(right) * len(wrong))


def reached_by_wrong_steps(record: RunRecord, tree: Tree, truth: Truth) -> Iterator[tuple[Node, Node]]:
    """Leaves whose answer is right although a step before it is wrong, each with that step."""
    for leaf in tree.completions():
        grade = record.grades.get(leaf.answer) if leaf.answer is not None else None
        if grade and grade.correct and (wrong := truth.first_wrong(tree.path(leaf))):
            yield leaf, wrong


def found_right(record: RunRecord, tree: Tree) -> tuple[int, int]:
    """Draws that ended with the right answer, and that ended."""
    right, ended = _leaves_below(record, tree)
    return right[0], ended[0]
