"""From step scores to the chosen answer, under the paper's names (arXiv 2502.06703, section 2.3 and Table 2).

Two choices make a rule: how the step scores of a completion become one response score (`min`, `last`, `avg`, `prod`)
and how the completions elect an answer: `max` (the answer of the best completion), `vote` (the answer with the largest
sum of response scores) or `majority` (the most draws). A finished tree can be read again under every rule at no cost.
Completions vote once for each draw that produced them, so merging identical steps changes no election; or once each
(`votes="distinct"`). A bare EOS gives a PRM nothing to judge and is not a step of a response.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from engine.errors import InvalidInput
from engine.search.events import Grade
from engine.search.tree import Node, Tree

#: What has a vote: every draw, or every distinct completion.
VOTES = ("draws", "distinct")

REDUCERS: Mapping[str, Callable[[Sequence[float]], float]] = {
    "min": min,
    "last": lambda steps: steps[-1],
    "avg": lambda steps: sum(steps) / len(steps),
    "prod": math.prod,
}


@dataclass(frozen=True, slots=True)
class Rule:
    """A selection rule. `reducer` is None for the one rule that reads no scores, `majority_vote`."""

    name: str
    reducer: str | None
    by_max: bool = False


RULES: Mapping[str, Rule] = {
    rule.name: rule
    for rule in [
        Rule("majority_vote", None),
        *(Rule(f"prm_{r}_{how}", r, how == "max") for r in REDUCERS for how in ("max", "vote")),
    ]
}


@dataclass(frozen=True, slots=True)
class AnswerGroup:
    """The completions that agree on an answer. `answer` is None for those without one.

    `votes` counts draws (or leaves, as asked), `weight` is what the rule ranks by, `nodes` are the leaves, best first;
    `best_score` is the response score of the first of them, None where the rule reads no scores.
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


def answer_groups(
    tree: Tree,
    grades: Mapping[str, Grade],
    rule: str,
    scorer: str | None,
    *,
    eligible_without_answer: bool = False,
    votes: str = "draws",
) -> list[AnswerGroup]:
    """Group the finished leaves by answer and rank the groups under `rule`, best first.

    Args:
        grades: answer string -> its grade; strings of one mathematical value share `Grade.group`. A string that was not
            graded stands for itself.
        scorer: whose step scores to read; unused by `majority_vote`.
        eligible_without_answer: whether completions without an answer may win. They are listed either way, last when
            they may not.
        votes: "draws" gives a completion a vote for each draw that produced it, "distinct" gives it one.

    A completion that lacks a score the rule needs has weight 0. Ties go to the larger best score, then the larger
    mean log-probability per token, then the text: never to the order of finishing.
    """
    reducer = rule_named(rule).reducer
    members: dict[str | None, list[tuple[float | None, float, Node]]] = {}
    for leaf in tree.completions():
        answer = leaf.answer if leaf.answer is None else grades.get(leaf.answer, Grade(leaf.answer)).group
        score = response_score(tree, leaf, reducer, scorer) if reducer and scorer else None
        members.setdefault(answer, []).append((score, _mean_logprob(tree, leaf), leaf))
    distinct = votes == "distinct"
    groups = [_group(answer, leaves, rule_named(rule), grades, tree, distinct) for answer, leaves in members.items()]

    def order(group: AnswerGroup) -> tuple[bool, float, float, float, str]:
        barred = group.answer is None and not eligible_without_answer
        best = group.best_score if group.best_score is not None else 0.0
        return (barred, -group.weight, -best, -group.mean_logprob, group.answer or "")

    return sorted(groups, key=order)


def _group(
    answer: str | None,
    leaves: list[tuple[float | None, float, Node]],
    rule: Rule,
    grades: Mapping[str, Grade],
    tree: Tree,
    distinct: bool,
) -> AnswerGroup:
    leaves = sorted(leaves, key=lambda leaf: (-(leaf[0] or 0.0), -leaf[1], "".join(n.text for n in tree.path(leaf[2]))))
    best_score, best_logprob, best = leaves[0]
    votes = sum(1 if distinct else leaf.copies for _, _, leaf in leaves)
    if rule.reducer is None:
        weight = float(votes)
    elif rule.by_max:
        weight = best_score or 0.0
    else:
        weight = sum((score or 0.0) * (1 if distinct else leaf.copies) for score, _, leaf in leaves)
    correct = grades[best.answer].correct if best.answer is not None and best.answer in grades else None
    if best.answer is None and any(grade.correct is not None for grade in grades.values()):
        correct = False
    return AnswerGroup(
        answer, votes, weight, correct, tuple(leaf.id for _, _, leaf in leaves), best_score, best_logprob
    )


def _mean_logprob(tree: Tree, leaf: Node) -> float:
    path = tree.path(leaf)
    return sum(node.logprob or 0.0 for node in path) / max(1, sum(node.tokens for node in path))


def choose(groups: Sequence[AnswerGroup], *, eligible_without_answer: bool = False) -> AnswerGroup | None:
    """The winner of ranked groups, or None when no eligible completion finished."""
    if not groups or (groups[0].answer is None and not eligible_without_answer):
        return None
    return groups[0]
