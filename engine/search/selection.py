"""From what is recorded of completions to the chosen answer.

Two choices make a rule: how the steps of a completion become one value, and how the completions elect an answer.

- Of a PRM's step scores, under the paper's names (arXiv 2502.06703, section 2.3 and Table 2): `min`, `last`, `avg` or
  `prod` of them, and `max` (the answer of the best completion), `vote` (the answer with the largest sum of values) or
  `majority` (the most draws).
- Of the policy's own numbers (`engine.search.readings`): votes weighted by `confidence` (DeepConf) of the whole, its
  tail or its lowest steps; Borda votes by `certainty`; the majority of the k completions that finish first or last.

A finished tree can be read again under every rule at no cost. Completions vote once for each draw that produced them,
so merging identical steps changes no election; or once each (`votes="distinct"`). A bare EOS gives a PRM nothing to
judge and is not a step of a response.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from engine.errors import InvalidInput
from engine.search.events import Grade
from engine.search.readings import READINGS, borda, finishers
from engine.search.tree import Node, Tree

#: What has a vote: every draw, or every distinct completion.
VOTES = ("draws", "distinct")

REDUCERS: Mapping[str, Callable[[Sequence[float]], float]] = {
    "min": min,
    "last": lambda steps: steps[-1],
    "avg": lambda steps: sum(steps) / len(steps),
    "prod": math.prod,
}


#: How the values of completions elect an answer: by the most draws, the best one, the sum of values, Borda votes by
#: value, or the draws of the smallest or the largest values alone.
Election = Literal["majority", "max", "sum", "borda", "first", "last"]


@dataclass(frozen=True, slots=True)
class Rule:
    """A selection rule: it reduces a PRM's step scores by `reducer`, or reads the policy's numbers by `reading` (one of
    `READINGS`), or reads nothing of a completion but its draws (`majority_vote`)."""

    name: str
    reducer: str | None = None
    reading: str | None = None
    elect: Election = "majority"

    @property
    def by_max(self) -> bool:
        return self.elect == "max"

    @property
    def asks_policy(self) -> bool:
        """Whether it needs to know how sure the policy was, which not every back end reports."""
        return self.reading not in (None, "length")

    @property
    def weighed(self) -> bool:
        """Whether a vote may weigh anything but 1."""
        return self.elect != "majority"


RULES: Mapping[str, Rule] = {
    rule.name: rule
    for rule in [
        Rule("majority_vote"),
        *(
            Rule(f"prm_{r}_{how}", r, elect="max" if how == "max" else "sum")
            for r in REDUCERS
            for how in ("max", "vote")
        ),
        Rule("confidence_vote", reading="confidence", elect="sum"),
        Rule("confidence_tail_vote", reading="tail_confidence", elect="sum"),
        Rule("confidence_bottom_vote", reading="bottom_confidence", elect="sum"),
        Rule("certainty_borda", reading="certainty", elect="borda"),
        Rule("first_finish_k", reading="length", elect="first"),
        Rule("last_finish_k", reading="length", elect="last"),
    ]
}


@dataclass(frozen=True, slots=True)
class AnswerGroup:
    """The completions that agree on an answer. `answer` is None for those without one.

    `votes` counts draws (or leaves, as asked), `weight` is what the rule ranks by, `nodes` are the leaves, best first;
    `best_score` is what the rule reads of the first of them (a response score, a confidence), None where it reads
    nothing or their length.
    """

    answer: str | None
    votes: int
    weight: float
    correct: bool | None
    nodes: tuple[int, ...]
    best_score: float | None = None
    mean_logprob: float = 0.0


def rule_named(name: str) -> Rule:
    """The rule of that name, or `InvalidInput` listing the known names."""
    if name not in RULES:
        raise InvalidInput("select", f"unknown rule {name!r}; choose one of {', '.join(RULES)}")
    return RULES[name]


def response_score(tree: Tree, leaf: Node, reducer: str, scorer: str) -> float | None:
    """Reduce the step scores on the way to `leaf` to one; None where a step was never scored (it is not guessed)."""
    steps = [node.scores.get(scorer) for node in tree.path(leaf) if node.text.strip()]
    known = [score for score in steps if score is not None]
    return REDUCERS[reducer](known) if known and len(known) == len(steps) else None


def value_of(tree: Tree, leaf: Node, rule: Rule, scorer: str | None) -> float | None:
    """What `rule` reads of a completion; None where it reads nothing, and where it was not recorded."""
    if rule.reading:
        return READINGS[rule.reading](tree.path(leaf))
    return response_score(tree, leaf, rule.reducer, scorer) if rule.reducer and scorer else None


def recorded(tree: Tree, rule: str, scorer: str | None) -> bool:
    """Whether what `rule` reads was recorded for any completion of the tree; True where it reads nothing."""
    named, leaves = rule_named(rule), list(tree.completions())
    if not (named.reducer or named.reading) or not leaves:
        return True
    return any(value_of(tree, leaf, named, scorer) is not None for leaf in leaves)


def weights(rule: Rule, values: Sequence[float | None], draws: Sequence[int]) -> list[float]:
    """What the draws of each completion weigh together under `rule`; 0 where the value it needs is not known."""
    match rule.elect:
        case "majority":
            return [float(count) for count in draws]
        case "max":
            return [value or 0.0 for value in values]
        case "sum":
            return [(value or 0.0) * count for value, count in zip(values, draws, strict=True)]
        case "borda":
            return borda(values, draws)
        case "first" | "last":
            return finishers(values, draws, first=rule.elect == "first")


@dataclass(frozen=True, slots=True)
class _Ballot:
    """A completion, what the rule reads of it as far as larger is better, its votes, and what they weigh together and
    each."""

    leaf: Node
    score: float | None
    votes: int
    weight: float
    each: float
    logprob: float
    text: str

    @property
    def standing(self) -> tuple[float, float, float, str]:
        """The best first. Where the rule has no score, a vote that counts comes before one that does not."""
        return (-(self.score or 0.0), -self.each, -self.logprob, self.text)


def answer_groups(
    tree: Tree,
    grades: Mapping[str, Grade],
    rule: str,
    scorer: str | None,
    *,
    eligible_without_answer: bool = False,
    votes: str = "draws",
    among: Mapping[int, int] | None = None,
) -> list[AnswerGroup]:
    """Group the finished leaves by answer and rank the groups under `rule`, best first.

    Args:
        grades: answer string -> its grade; strings of one mathematical value share `Grade.group`. A string that was not
            graded stands for itself.
        scorer: whose step scores to read; unused by rules that read none.
        eligible_without_answer: whether completions without an answer may win. They are listed either way, last when
            they may not, and then have no place among the ranks or the k of a rule.
        votes: "draws" gives a completion a vote for each draw that produced it, "distinct" gives it one.
        among: the completions that vote, and with how many draws, by their ids; None: all, with all their draws.

    A completion that lacks a value the rule needs has weight 0. Ties go to the larger best score, then the larger
    mean log-probability per token, then the text: never to the order of finishing.
    """
    named = rule_named(rule)
    members: dict[str | None, list[_Ballot]] = {}
    for ballot in _ballots(tree, named, scorer, eligible_without_answer, votes == "distinct", among):
        answer = ballot.leaf.answer
        group = answer if answer is None else grades.get(answer, Grade(answer)).group
        members.setdefault(group, []).append(ballot)
    groups = [_group(answer, ballots, named, grades) for answer, ballots in members.items()]

    def order(group: AnswerGroup) -> tuple[bool, float, float, float, str]:
        barred = group.answer is None and not eligible_without_answer
        best = group.best_score if group.best_score is not None else 0.0
        return (barred, -group.weight, -best, -group.mean_logprob, group.answer or "")

    return sorted(groups, key=order)


def _ballots(
    tree: Tree, rule: Rule, scorer: str | None, all_eligible: bool, distinct: bool, among: Mapping[int, int] | None
) -> list[_Ballot]:
    leaves = [leaf for leaf in tree.completions() if among is None or leaf.id in among]
    values = [value_of(tree, leaf, rule, scorer) for leaf in leaves]
    draws = [1 if distinct else leaf.copies if among is None else among[leaf.id] for leaf in leaves]
    ranked = rule.elect in ("borda", "first", "last") and not all_eligible
    voting = [None if ranked and leaf.answer is None else value for leaf, value in zip(leaves, values, strict=True)]
    scores = [None] * len(leaves) if rule.reading == "length" else values
    return [
        _Ballot(
            leaf, score, count, weight, weight if rule.by_max else weight / count, path_logprob(tree, leaf),
            "".join(node.text for node in tree.path(leaf)),
        )
        for leaf, score, count, weight in zip(leaves, scores, draws, weights(rule, voting, draws), strict=True)
    ]  # fmt: skip


def _group(answer: str | None, ballots: list[_Ballot], rule: Rule, grades: Mapping[str, Grade]) -> AnswerGroup:
    ballots = sorted(ballots, key=lambda ballot: ballot.standing)
    best = ballots[0]
    weighed = [ballot.weight for ballot in ballots]
    named = best.leaf.answer
    correct = grades[named].correct if named is not None and named in grades else None
    if named is None and any(grade.correct is not None for grade in grades.values()):
        correct = False
    return AnswerGroup(
        answer, sum(ballot.votes for ballot in ballots), max(weighed) if rule.by_max else sum(weighed), correct,
        tuple(ballot.leaf.id for ballot in ballots), best.score, best.logprob,
    )  # fmt: skip


def path_logprob(tree: Tree, leaf: Node) -> float:
    """The mean log-probability per token of a whole completion; 0 where it was not recorded."""
    path = tree.path(leaf)
    return sum(node.logprob or 0.0 for node in path) / max(1, sum(node.tokens for node in path))


def choose(groups: Sequence[AnswerGroup], *, eligible_without_answer: bool = False) -> AnswerGroup | None:
    """The winner of ranked groups, or None when no eligible completion finished."""
    if not groups or (groups[0].answer is None and not eligible_without_answer):
        return None
    return groups[0]
