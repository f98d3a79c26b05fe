"""Agreement of judges: against published and hand-computed examples, and an independent computation."""

from __future__ import annotations

import random
from itertools import permutations

import numpy as np
import pytest

from engine.runs.lab.agreement import agreement, compared, judges_of, krippendorff, places, spearman
from engine.search.tree import Node, Tree

#: Krippendorff, "Computing Krippendorff's Alpha-Reliability" (2011), section C: four observers, twelve units, missing
#: data; alpha is 0.849 for interval data.
OBSERVERS = ["123321412...", "1233224125.3", ".3332342251.", "12332441251."]


def published() -> list[list[float]]:
    return [[float(row[unit]) for row in OBSERVERS if row[unit] != "."] for unit in range(12)]


def from_the_definition(units: list[list[float]]) -> float:
    """Alpha from the definition: every ordered pair of values, one by one."""
    pairable = [unit for unit in units if len(unit) > 1]
    values = [value for unit in pairable for value in unit]
    n = len(values)
    observed = sum((a - b) ** 2 / (len(unit) - 1) for unit in pairable for a, b in permutations(unit, 2)) / n
    expected = sum((a - b) ** 2 for a, b in permutations(values, 2)) / (n * (n - 1))
    return 1 - observed / expected


def test_alpha_of_the_published_example() -> None:
    alpha = krippendorff(published())
    assert alpha is not None and round(alpha, 3) == 0.849
    assert alpha == pytest.approx(from_the_definition(published()))


def test_alpha_by_hand() -> None:
    # two judges, two steps: (0, 0) and (1, 0). D_o = 2/4; of 12 ordered pairs 6 are 1 apart: D_e = 6/12. So alpha is 0.
    assert krippendorff([[0, 0], [1, 0]]) == pytest.approx(0.0)
    assert krippendorff([[0, 0], [1, 1]]) == pytest.approx(1.0)
    assert krippendorff([[0, 1], [1, 0]]) == pytest.approx(-0.5)  # D_o = 4/4, D_e = 8/12
    assert krippendorff([[0.5, 0.5], [0.5, 0.5]]) is None
    assert krippendorff([[0.1], []]) is None


def test_alpha_is_that_of_the_definition_whatever_is_missing() -> None:
    draw = random.Random(1)
    for _ in range(30):
        units = [[draw.random() for _ in range(draw.randrange(5))] for _ in range(draw.randrange(3, 20))]
        if sum(len(unit) > 1 for unit in units) > 1:
            assert krippendorff(units) == pytest.approx(from_the_definition(units))


def test_spearman_by_hand_and_by_numpy() -> None:
    # places 1 2 3 4 5 against 2 1 4 3 5: d^2 sums to 4, rho = 1 - 6 * 4 / (5 * 24)
    assert spearman([(1, 20), (2, 10), (3, 40), (4, 30), (5, 50)]) == pytest.approx(0.8)
    assert places([0.3, 0.1, 0.3, 0.9]) == [2.5, 1, 2.5, 4]
    assert spearman([(0.1, 0.5), (0.2, 0.5)]) is None and spearman([(0.1, 0.2)]) is None
    draw = random.Random(2)
    pairs = [(draw.randrange(6) / 5, draw.randrange(6) / 5) for _ in range(60)]  # many ties
    ranks = [[np.mean([sum(v < w for v in side) + 1, sum(v <= w for v in side)]) for w in side]
             for side in np.array(pairs).T.tolist()]  # fmt: skip
    assert spearman(pairs) == pytest.approx(float(np.corrcoef(ranks)[0, 1]))


def tree(*scores: dict[str, float]) -> Tree:
    """A chain of steps with these scores."""
    made = Tree("What is 1 + 1?")
    made.nodes += [
        Node(place, place - 1, place, f"step {place}\n\n", scores=each) for place, each in enumerate(scores, 1)
    ]
    return made


def test_judges_of_trees_are_compared_pair_by_pair() -> None:
    trees = {
        "one": tree({"a": 0.9, "b": 0.1}, {"a": 0.8, "b": 0.7, "c": 0.8}, {"a": 0.2}),
        "two": tree({"a": 0.5, "c": 0.5}, {}, {"a": 0.4, "b": 0.4}),
    }
    assert judges_of(trees.values()) == ["a", "b", "c"]
    found = agreement(trees)
    assert (found.judges, found.n) == (("a", "b", "c"), 4)
    ab, ac, bc = found.pairs
    assert [(pair.a, pair.b, pair.n, pair.runs) for pair in found.pairs] == [
        ("a", "b", 3, 2), ("a", "c", 2, 2), ("b", "c", 1, 1),
    ]  # fmt: skip
    assert [ab.apart, ab.higher] == pytest.approx([0.9 / 3, 0.9 / 3])
    assert [(step.run_id, step.node.id) for step in ab.steps] == [("one", 1), ("two", 3)]
    assert [ac.rho, ac.alpha] == pytest.approx([1, 1])
    assert bc.rho is None and bc.alpha == pytest.approx(0)
    assert agreement(trees, ["a"]).pairs == ()


def test_places_are_among_the_steps_that_both_have_scored() -> None:
    steps = compared(tree({"a": 0.9, "b": 0.1}, {"a": 0.8, "b": 0.7}, {"a": 0.7, "b": 0.9}, {"a": 0.1}), "a", "b")
    assert [(step.a_rank, step.b_rank) for step in steps] == [(1, 0), (0.5, 0.5), (0, 1)]
    assert [step.ranks_apart for step in steps] == [1, 0, -1]
