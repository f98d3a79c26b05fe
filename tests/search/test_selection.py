"""Selection on hand-made trees: every rule against results worked out by hand and against the paper's formulas."""

from __future__ import annotations

import math
import random
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from statistics import fmean

import pytest

from engine.errors import InvalidInput
from engine.search.events import Decision, Grade, StepSampled, StepScored
from engine.search.selection import RULES, answer_groups, choose, response_score, rule_named
from engine.search.tree import Tree


@dataclass(frozen=True)
class Chain:
    """A finished chain: its step scores, what it answers and how many draws produced its last step."""

    scores: tuple[float, ...]
    answer: str | None
    copies: int = 1
    logprob: float = -1.0
    text: str = ""


def tree_of(chains: list[Chain], *, finished: bool = True) -> Tree:
    tree = Tree("p")
    for number, chain in enumerate(chains):
        parent = 0
        for depth, score in enumerate(chain.scores, start=1):
            last = depth == len(chain.scores)
            node = len(tree)
            tree.apply(
                StepSampled(
                    node, node, parent, depth, chain.text or f"{number}.{depth}", (number, depth), 1, chain.logprob,
                    "eos" if last else "step", chain.copies if last else 1, answer=chain.answer if last else None,
                    confidence=5.0, certainty=5.0,
                )
            )  # fmt: skip
            tree.apply(StepScored(0, node, "judge", score))
            parent = node
        if finished:
            tree.apply(Decision(0, parent, "finish", "eos"))
    return tree


#            min   last  avg    prod
# A 1 copy   0.2   0.9   0.55   0.18
# B 1 copy   0.5   0.6   0.55   0.30
# B 1 copy   0.3   0.3   0.45   0.18
# C 3 copies 0.1   0.4   0.25   0.04
CHAINS = [
    Chain((0.2, 0.9), "A"),
    Chain((0.5, 0.6), "B"),
    Chain((0.6, 0.3), "B"),
    Chain((0.1, 0.4), "C", copies=3),
]


@pytest.mark.parametrize(
    ("rule", "ranking"),
    [
        ("majority_vote", [("C", 3.0), ("B", 2.0), ("A", 1.0)]),
        ("prm_min_max", [("B", 0.5), ("A", 0.2), ("C", 0.1)]),
        ("prm_min_vote", [("B", 0.8), ("C", 0.3), ("A", 0.2)]),
        ("prm_last_max", [("A", 0.9), ("B", 0.6), ("C", 0.4)]),
        ("prm_last_vote", [("C", 1.2), ("A", 0.9), ("B", 0.9)]),
        ("prm_avg_max", [("A", 0.55), ("B", 0.55), ("C", 0.25)]),
        ("prm_avg_vote", [("B", 1.0), ("C", 0.75), ("A", 0.55)]),
        ("prm_prod_max", [("B", 0.3), ("A", 0.18), ("C", 0.04)]),
        ("prm_prod_vote", [("B", 0.48), ("A", 0.18), ("C", 0.12)]),
    ],
)
def test_each_rule_on_four_chains(rule: str, ranking: list[tuple[str, float]]) -> None:
    groups = answer_groups(tree_of(CHAINS), {}, rule, "judge")
    assert [group.answer for group in groups] == [answer for answer, _ in ranking]
    assert [group.weight for group in groups] == pytest.approx([weight for _, weight in ranking])
    assert {group.answer: group.votes for group in groups} == {"A": 1, "B": 2, "C": 3}
    assert choose(groups) is groups[0]


def test_the_rules_are_the_paper_s_and_ours() -> None:
    assert set(RULES) == {
        "majority_vote", "prm_min_max", "prm_min_vote", "prm_last_max", "prm_last_vote", "prm_avg_max", "prm_avg_vote",
        "prm_prod_max", "prm_prod_vote", "confidence_vote", "confidence_tail_vote", "confidence_bottom_vote",
        "certainty_borda", "first_finish_k", "last_finish_k",
    }  # fmt: skip
    with pytest.raises(InvalidInput, match="prm_last_vote") as refusal:
        rule_named("best")
    assert refusal.value.argument == "select"


def test_ties_fall_to_the_best_score_then_the_log_probability_then_the_text() -> None:
    by_best = [Chain((0.5,), "A"), Chain((0.5,), "A"), Chain((0.75,), "B"), Chain((0.25,), "B")]
    assert answer_groups(tree_of(by_best), {}, "prm_last_vote", "judge")[0].answer == "B"
    by_logprob = [Chain((0.5,), "A", logprob=-2.0), Chain((0.5,), "B", logprob=-0.5)]
    by_text = [Chain((0.5,), "B"), Chain((0.5,), "A")]
    for rule in RULES:
        assert answer_groups(tree_of(by_logprob), {}, rule, "judge")[0].answer == "B"
        assert answer_groups(tree_of(by_text), {}, rule, "judge")[0].answer == "A"


def test_merging_equal_draws_does_not_change_who_wins_a_tie() -> None:
    """The best completion of A came twice, and has the better log-probability of two with the same score."""
    likely, other = Chain((0.5,), "A", logprob=-0.1, text="x"), Chain((0.5,), "A", logprob=-3.0, text="y")
    rival = Chain((0.5,), "B", logprob=-1.0, text="z")
    for chains in ([likely, likely, other, rival], [replace(likely, copies=2), other, rival]):
        best = choose(answer_groups(tree_of(chains), {}, "prm_last_max", "judge"))
        assert best is not None and (best.answer, best.mean_logprob) == ("A", -0.1)


def test_the_order_of_finishing_never_matters() -> None:
    rng = random.Random(0)
    for _ in range(40):
        chains = [
            Chain(
                tuple(rng.choice((0.25, 0.5, 0.75)) for _ in range(rng.randint(1, 3))),
                rng.choice(("1", "2", "3", None)), rng.randint(1, 3), rng.choice((-1.0, -2.0)), text=f"chain {number}",
            )
            for number in range(rng.randint(1, 7))
        ]  # fmt: skip
        for rule in RULES:
            results = set()
            for _ in range(4):
                rng.shuffle(chains)
                tree = tree_of(chains)
                groups = answer_groups(tree, {}, rule, "judge")
                results.add(
                    tuple((g.answer, g.votes, round(g.weight, 9), tuple(tree[n].text for n in g.nodes)) for g in groups)
                )
            assert len(results) == 1


def test_every_rule_against_the_formulas_on_random_trees() -> None:
    rng = random.Random(1)
    reduce: dict[str, Callable[[Sequence[float]], float]] = {
        "min": min,
        "last": lambda s: s[-1],
        "avg": fmean,
        "prod": math.prod,
    }
    for _ in range(40):
        chains = [
            Chain(tuple(rng.random() for _ in range(rng.randint(1, 5))), rng.choice("abc"), rng.randint(1, 4))
            for _ in range(rng.randint(1, 12))
        ]
        tree = tree_of(chains)
        for name in (name for name, rule in RULES.items() if not rule.reading):  # those have a file of their own
            totals: dict[str, float] = defaultdict(float)
            for chain in chains:
                assert chain.answer is not None
                if name == "majority_vote":
                    totals[chain.answer] += chain.copies
                    continue
                _, reducer, how = name.split("_")
                value = reduce[reducer](chain.scores)
                if how == "max":
                    totals[chain.answer] = max(totals[chain.answer], value)
                else:
                    totals[chain.answer] += value * chain.copies
            groups = answer_groups(tree, {}, name, "judge")
            assert {group.answer: group.weight for group in groups} == pytest.approx(dict(totals))
            assert groups[0].weight == pytest.approx(max(totals.values()))


def test_a_completion_without_an_answer_is_listed_but_wins_only_if_it_may() -> None:
    tree = tree_of([Chain((0.9,), None), Chain((0.8,), None), Chain((0.3,), "7")])
    for rule in RULES:
        groups = answer_groups(tree, {}, rule, "judge")
        assert [group.answer for group in groups] == ["7", None]
        winner = choose(groups)
        assert winner is not None and winner.answer == "7"
        groups = answer_groups(tree, {}, rule, "judge", eligible_without_answer=True)
        assert [group.answer for group in groups] == [None, "7"]
        winner = choose(groups, eligible_without_answer=True)
        assert winner is not None and winner.answer is None
    only = answer_groups(tree_of([Chain((0.9,), None)]), {}, "prm_last_max", "judge")
    assert choose(only) is None
    assert choose([]) is None


def test_answers_of_one_value_are_one_group() -> None:
    chains = [Chain((0.5,), "1/2"), Chain((0.6,), "0.5"), Chain((0.7,), "3"), Chain((0.2,), None)]
    half = Grade("1/2", True, "number")
    groups = answer_groups(
        tree_of(chains), {"1/2": half, "0.5": half, "3": Grade("3", False, "number")}, "majority_vote", None
    )
    assert [(group.answer, group.votes, group.correct) for group in groups] == [
        ("1/2", 2, True), ("3", 1, False), (None, 1, False),
    ]  # fmt: skip


def test_only_finished_leaves_vote() -> None:
    assert answer_groups(tree_of(CHAINS, finished=False), {}, "majority_vote", None) == []


def test_a_step_without_a_score_is_not_guessed() -> None:
    tree = tree_of([Chain((0.9, 0.9), "A"), Chain((0.1, 0.1), "B")])
    del tree[1].scores["judge"]
    leaf = tree[2]
    assert response_score(tree, leaf, "last", "judge") is None
    assert response_score(tree, tree[4], "last", "judge") == 0.1
    groups = answer_groups(tree, {}, "prm_last_max", "judge")
    assert [(group.answer, group.weight, group.best_score) for group in groups] == [("B", 0.1, 0.1), ("A", 0.0, None)]
