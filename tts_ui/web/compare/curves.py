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
from itertools import groupby

from engine.search.events import Decision, Event, StepSampled
from engine.search.selection import Rule, response_score, rule_named, value_of, weights
from engine.search.tree import Node, Tree
from engine.store import RunRecord
from tts_ui.words.interface import say

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
    values = {f.leaf: value_of(tree, tree[f.leaf], rule, judge) for f in finishings} if rule.weighed else {}
    share = tuple(_shares(record, tree, rule, finishings, values))
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
    record: RunRecord, tree: Tree, rule: Rule, finishings: Iterable[Finishing], values: Mapping[int, float | None]
) -> Iterable[Point]:
    distinct = record.params.get("votes") == "distinct"
    eligible = bool(record.params.get("eligible_without_answer"))
    known = record.reference_answer is not None
    draws: dict[int, int] = {}
    for spent, batch in groupby(finishings, lambda finish: finish.spent):
        for finish in batch:
            if tree[finish.leaf].answer is not None or eligible:
                draws[finish.leaf] = 1 if distinct else draws.get(finish.leaf, 0) + finish.draws
        shares: defaultdict[str | None, float] = defaultdict(float)
        right: set[str | None] = set()
        weighed = weights(rule, [values.get(leaf) for leaf in draws], list(draws.values()))
        for leaf, weight in zip(draws, weighed, strict=True):
            answer, correct = _graded(record, tree[leaf])
            right |= {answer} if correct else set()
            shares[answer] = max(shares[answer], weight) if rule.by_max else shares[answer] + weight
        if (total := sum(shares.values())) > 0:
            yield spent, (sum(shares[answer] for answer in right) if known else max(shares.values())) / total


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
    return say("compare.no_vote" if finishings else "compare.none_finished")


def _lacks_best(finishings: list[Finishing], judge: str | None, points: tuple[Point, ...]) -> str:
    if points:
        return ""
    if judge is None:
        return say("compare.no_prm")
    return say("compare.no_score" if finishings else "compare.none_finished")
