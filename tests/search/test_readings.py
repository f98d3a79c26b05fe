"""What a finished run says under the rules that ask no PRM: worked out by hand, and against the papers' formulas."""

from __future__ import annotations

import math
import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from engine.search.events import Decision, StepSampled
from engine.search.readings import bottom_confidence, confidence, length, tail_confidence
from engine.search.selection import RULES, answer_groups, choose, recorded
from engine.search.tree import Tree

SURE = [rule.name for rule in RULES.values() if rule.asks_policy]


@dataclass(frozen=True)
class Said:
    """A step: its tokens, and the two numbers of each."""

    tokens: int
    confidence: float | None
    certainty: float | None = 1.0
    text: str = "step"


@dataclass(frozen=True)
class Chain:
    steps: tuple[Said, ...]
    answer: str | None
    copies: int = 1


def tree_of(chains: Sequence[Chain]) -> Tree:
    tree = Tree("p")
    for number, chain in enumerate(chains):
        parent = 0
        for depth, step in enumerate(chain.steps, start=1):
            last, node = depth == len(chain.steps), len(tree)
            tree.apply(
                StepSampled(
                    node, node, parent, depth, step.text and f"{step.text} {number}.{depth}", (number, depth),
                    step.tokens, -1.0, "eos" if last else "step", chain.copies if last else 1,
                    answer=chain.answer if last else None, confidence=step.confidence, certainty=step.certainty,
                )
            )  # fmt: skip
            parent = node
        tree.apply(Decision(0, parent, "finish", "eos"))
    return tree


def ranking(chains: Sequence[Chain], rule: str, **options: bool | str) -> list[tuple[str | None, Any]]:
    groups = answer_groups(tree_of(chains), {}, rule, None, **options)  # type: ignore[arg-type]
    return [(group.answer, pytest.approx(group.weight)) for group in groups]


#           tokens  confidence of each step   mean                  lowest  certainty
# A twice   30      12 x 10, 6 x 20           (120 + 120) / 30 = 8  6       3
# B         40      9 x 40                    9                     9       5
# C         10      15 x 4, 5 x 6             (60 + 30) / 10 = 9    5       4
# B         20      4 x 20                    4                     4       1
CHAINS = [
    Chain((Said(10, 12.0, 3.0), Said(20, 6.0, 3.0)), "A", copies=2),
    Chain((Said(40, 9.0, 5.0),), "B"),
    Chain((Said(4, 15.0, 4.0), Said(6, 5.0, 4.0)), "C"),
    Chain((Said(20, 4.0, 1.0),), "B"),
]


def test_each_rule_on_four_chains() -> None:
    assert ranking(CHAINS, "confidence_vote") == [("A", 16.0), ("B", 13.0), ("C", 9.0)]
    assert ranking(CHAINS, "confidence_tail_vote") == [("A", 16.0), ("B", 13.0), ("C", 9.0)]
    assert ranking(CHAINS, "confidence_bottom_vote") == [("B", 13.0), ("A", 12.0), ("C", 5.0)]
    # Five draws: B 5.0 is first and weighs sqrt(5), C second, both of A third and fourth, the other B last.
    borda = [("A", 3**0.5 + 2**0.5), ("B", 5**0.5 + 1), ("C", 2.0)]
    assert ranking(CHAINS, "certainty_borda") == sorted(borda, key=lambda each: -each[1])
    # A quarter of five draws is one: the shortest is C, the longest B.
    assert ranking(CHAINS, "first_finish_k")[0] == ("C", 1.0)
    assert ranking(CHAINS, "last_finish_k")[0] == ("B", 1.0)
    assert {weight.expected for _, weight in ranking(CHAINS, "first_finish_k")[1:]} == {0.0}


def test_each_text_votes_once_where_that_is_asked_for() -> None:
    assert ranking(CHAINS, "confidence_vote", votes="distinct") == [("B", 13.0), ("C", 9.0), ("A", 8.0)]
    once = {"B": 4**0.5 + 1, "C": 3**0.5, "A": 2**0.5}
    assert ranking(CHAINS, "certainty_borda", votes="distinct") == list(once.items())


def test_merged_draws_weigh_what_they_would_apart() -> None:
    apart = [chain for chain in CHAINS for _ in range(chain.copies)]
    apart = [Chain(chain.steps, chain.answer) for chain in apart]
    for rule in RULES.values():
        if rule.reducer is None:
            assert ranking(CHAINS, rule.name) == ranking(apart, rule.name)


def test_a_tail_is_whole_steps_and_the_bottom_a_tenth_of_them() -> None:
    def path(*steps: Said) -> list[object]:
        tree = tree_of([Chain(steps, "A")])
        return list(tree.path(tree.nodes[-1]))

    long = path(Said(500, 1.0), Said(1000, 2.0), Said(2000, 8.0), Said(48, 4.0))
    assert tail_confidence(long) == pytest.approx((2000 * 8 + 48 * 4) / 2048)  # type: ignore[arg-type]
    longer = path(Said(500, 1.0), Said(1000, 2.0), Said(2000, 8.0), Said(47, 4.0))
    assert tail_confidence(longer) == pytest.approx((1000 * 2 + 2000 * 8 + 47 * 4) / 3047)  # type: ignore[arg-type]
    short = path(Said(5, 1.0), Said(3, 2.0))
    assert tail_confidence(short) == confidence(short) == pytest.approx(11 / 8)  # type: ignore[arg-type]
    ten = path(*(Said(3, value) for value in (5.0, 9.0, 4.0, 8.0, 7.0, 6.0, 3.0, 9.0, 9.0, 9.0)))
    assert bottom_confidence(ten) == 3.0  # type: ignore[arg-type]
    eleven = path(*(Said(3, value) for value in (5.0, 9.0, 4.0, 8.0, 7.0, 6.0, 3.0, 9.0, 9.0, 9.0, 9.0)))
    assert bottom_confidence(eleven) == 3.5  # type: ignore[arg-type]
    bare_eos = path(Said(3, 5.0), Said(1, 0.1, text=""))
    assert bottom_confidence(bare_eos) == 5.0 and confidence(bare_eos) == pytest.approx(15.1 / 4)  # type: ignore[arg-type]


def test_draws_of_one_length_share_the_places_that_are_left() -> None:
    chains = [Chain((Said(tokens, 1.0),), answer) for tokens, answer in
              [(5, "A"), (7, "B"), (7, "C"), (7, "C"), (9, "D"), (9, "D"), (9, "D"), (9, "D")]]  # fmt: skip
    assert ranking(chains, "first_finish_k")[:3] == [("A", 1.0), ("C", 2 / 3), ("B", 1 / 3)]
    assert ranking(chains, "last_finish_k")[0] == ("D", 2.0)


def test_what_has_no_answer_takes_no_place_unless_it_may_win() -> None:
    chains = [Chain((Said(2, 9.0, 9.0),), None), Chain((Said(5, 1.0, 2.0),), "A"), Chain((Said(6, 1.0, 1.0),), "B")]
    assert ranking(chains, "first_finish_k") == [("A", 1.0), ("B", 0.0), (None, 0.0)]
    assert ranking(chains, "certainty_borda") == [("A", 2**0.5), ("B", 1.0), (None, 0.0)]
    assert ranking(chains, "first_finish_k", eligible_without_answer=True)[0] == (None, 1.0)
    assert ranking(chains, "certainty_borda", eligible_without_answer=True)[0] == (None, 3**0.5)


def test_numbers_that_were_not_recorded_are_not_guessed() -> None:
    none = tree_of([Chain((Said(3, None, None),), "A"), Chain((Said(4, None, None),), "B")])
    assert not any(recorded(none, rule, None) for rule in SURE)
    assert recorded(none, "first_finish_k", None) and recorded(none, "majority_vote", None)
    uncounted = tree_of([Chain((Said(0, None, None),), "A")])
    assert not recorded(uncounted, "first_finish_k", None)
    some = [Chain((Said(3, None, None), Said(3, 8.0)), "A"), Chain((Said(4, 2.0),), "B")]
    assert recorded(tree_of(some), "confidence_vote", None)
    for rule in SURE:
        winner = choose(answer_groups(tree_of(some), {}, rule, None))
        assert winner is not None and winner.answer == "B"
    assert all(recorded(Tree("p"), rule, None) for rule in RULES)


def test_a_step_that_a_fork_took_over_without_numbers_is_left_out() -> None:
    tree = tree_of([Chain((Said(7, None, None), Said(3, 8.0, 5.0)), "A")])
    assert confidence(tree.path(tree[2])) is None
    tree.apply(Decision(0, 1, "keep", "planted"))
    path = tree.path(tree[2])
    assert (confidence(path), bottom_confidence(path), length(path)) == (8.0, 8.0, 10.0)


def by_the_papers(rule: str, draws: Sequence[Chain]) -> dict[str | None, float]:
    """Every draw apart, each with its tokens one by one; no two of them tie."""

    def tokens(chain: Chain) -> list[float]:
        return [step.confidence or 0.0 for step in chain.steps for _ in range(step.tokens)]

    def certainty(chain: Chain) -> float:
        return sum((step.certainty or 0.0) * step.tokens for step in chain.steps) / sum(s.tokens for s in chain.steps)

    votes: defaultdict[str | None, float] = defaultdict(float)
    ordered = sorted(draws, key=lambda chain: len(tokens(chain)), reverse=rule == "last_finish_k")
    ranked = sorted(draws, key=certainty, reverse=True)
    for chain in draws:
        weight = 0.0
        if rule in ("confidence_vote", "confidence_tail_vote"):  # none has 2,048 tokens
            weight = sum(tokens(chain)) / len(tokens(chain))
        elif rule == "confidence_bottom_vote":
            windows = sorted(step.confidence or 0.0 for step in chain.steps)
            lowest = windows[: math.ceil(len(windows) / 10)]
            weight = sum(lowest) / len(lowest)
        elif rule == "certainty_borda":
            weight = (len(draws) - (ranked.index(chain) + 1) + 1) ** 0.5
        else:
            weight = float(chain in ordered[: max(1, round(len(draws) / 4))])
        votes[chain.answer] += weight
    return dict(votes)


def test_every_rule_against_the_papers_on_random_draws() -> None:
    rng = random.Random(2)
    for _ in range(60):
        lengths = rng.sample(range(20, 400), rng.randint(1, 12))
        chains = []
        for whole in lengths:
            cuts = sorted(rng.sample(range(1, whole), rng.randint(0, 14)))
            steps = (Said(end - start, rng.uniform(1, 20), rng.uniform(1, 20)) for start, end in
                     zip([0, *cuts], [*cuts, whole], strict=True))  # fmt: skip
            chains.append(Chain(tuple(steps), rng.choice("abc")))
        for rule in (*SURE, "first_finish_k", "last_finish_k"):
            found = {group.answer: group.weight for group in answer_groups(tree_of(chains), {}, rule, None)}
            assert found == pytest.approx(by_the_papers(rule, chains))
