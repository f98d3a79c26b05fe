"""How a search progressed, against the tokens it had generated: two curves, read from its event log in seq order.

Each point says what would have been elected had the search stopped there: the completions finished by then, each with
the score that was recorded for it (a step's score does not depend on when it is asked for). Completions of one batch,
which came for the same tokens, are one point. Nothing is interpolated, and a curve without its numbers has no points
and says why.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from engine.search.events import Decision, Event, StepSampled
from engine.search.selection import Rule, response_score, rule_named
from engine.search.tree import Node, Tree
from engine.store import RunRecord

Point = tuple[int, float]  # generated tokens spent, value in 0 to 1


@dataclass(frozen=True, slots=True)
class Curve:
    """A line of one chart. `lacks` says in words why there are no points; empty where there are some."""

    points: tuple[Point, ...]
    lacks: str = ""


@dataclass(frozen=True, slots=True)
class Curves:
    """The curves of one run, and the generated tokens its log accounts for.

    `share` is the right answer's share of the vote's weight where a reference is known, else the leading answer's;
    `best` is the highest response score of a completion.
    """

    spent: int
    share: Curve
    best: Curve


@dataclass(frozen=True, slots=True)
class Finishing:
    """Completion `leaf` has `draws` more draws once `spent` tokens were generated."""

    spent: int
    leaf: int
    draws: int


def curves(record: RunRecord, tree: Tree, events: Iterable[Event], judge: str | None) -> Curves:
    """The curves of a run from its `events`; `tree` is what they have built, `judge` whose scores count."""
    spent, finishings = finishing(events)
    rule = rule_named(str(record.params.get("select", "majority_vote")))
    reducer = rule.reducer or "last"
    scores = {f.leaf: response_score(tree, tree[f.leaf], reducer, judge) if judge else None for f in finishings}
    share = tuple(dict(_shares(record, tree, rule, finishings, scores)).items())
    best = tuple(dict(_best(finishings, scores)).items())
    lacks_share, lacks_best = _lacks_share(finishings, share), _lacks_best(finishings, judge, best)
    return Curves(spent, Curve(share, lacks_share), Curve(best, lacks_best))


def finishing(events: Iterable[Event]) -> tuple[int, list[Finishing]]:
    """The tokens generated in all, and when each completion came: a draw costs its step's tokens, repeated or not."""
    spent = 0
    copies: dict[int, int] = {}
    finished: set[int] = set()
    found: list[Finishing] = []
    for event in events:
        match event:
            case StepSampled():
                draws = event.copies - copies.get(event.node, 0)
                spent += event.tokens * draws
                copies[event.node] = event.copies
                if event.node in finished:
                    found.append(Finishing(spent, event.node, draws))
            case Decision(action="finish"):
                finished.add(event.node)
                found.append(Finishing(spent, event.node, copies[event.node]))
    return spent, found


def _shares(
    record: RunRecord, tree: Tree, rule: Rule, finishings: Iterable[Finishing], scores: Mapping[int, float | None]
) -> Iterable[Point]:
    distinct = record.params.get("votes") == "distinct"
    eligible = bool(record.params.get("eligible_without_answer"))
    weights: defaultdict[str | None, float] = defaultdict(float)
    right: set[str | None] = set()
    seen: set[int] = set()
    for finish in finishings:
        leaf = tree[finish.leaf]
        if leaf.answer is None and not eligible:
            continue
        answer, correct = _graded(record, leaf)
        right |= {answer} if correct else set()
        weight = 1.0 if rule.reducer is None else (scores[finish.leaf] or 0.0)
        if rule.by_max:
            weights[answer] = max(weights[answer], weight)
        elif not (distinct and finish.leaf in seen):
            weights[answer] += weight * (1 if distinct else finish.draws)
        seen.add(finish.leaf)
        total = sum(weights.values())
        if total > 0:
            known = record.reference_answer is not None
            yield finish.spent, (sum(weights[a] for a in right) if known else max(weights.values())) / total


def _graded(record: RunRecord, leaf: Node) -> tuple[str | None, bool]:
    grade = record.grades.get(leaf.answer) if leaf.answer is not None else None
    return (grade.group, bool(grade.correct)) if grade else (leaf.answer, False)


def _best(finishings: Iterable[Finishing], scores: Mapping[int, float | None]) -> Iterable[Point]:
    highest = -1.0
    for finish in finishings:
        score = scores[finish.leaf]
        if score is not None and score > highest:
            highest = score
            yield finish.spent, score


def _lacks_share(finishings: list[Finishing], points: tuple[Point, ...]) -> str:
    if points:
        return ""
    return "no completion has a vote" if finishings else "no completion has finished"


def _lacks_best(finishings: list[Finishing], judge: str | None, points: tuple[Point, ...]) -> str:
    if points:
        return ""
    if judge is None:
        return "no PRM was used"
    return "no completion has a score" if finishings else "no completion has finished"
