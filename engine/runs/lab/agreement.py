"""How far judges agree about the same steps, and where they do not. Pure functions of scores; missing ones are allowed.

Two figures, which answer different questions. **Spearman's rho** asks whether two judges put the steps in one order: it
is the correlation of the ranks, ties sharing the mean of their places. **Krippendorff's alpha** for interval data asks
whether they give the same numbers (Krippendorff, *Computing Krippendorff's Alpha-Reliability*, 2011); d = (a - b)^2

    alpha = 1 - D_o / D_e
    D_o = 1/n sum over steps u of  sum over ordered pairs in u of d / (m_u - 1)
    D_e = 1/(n (n - 1)) sum over ordered pairs of all n pairable values of d

where m_u judges scored the step u; a step with fewer than two scores is not pairable and left out. 1 is agreement, 0
what chance brings, below 0 is worse. A judge may order steps as another does (rho 1) on another scale (alpha low).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from engine.search.tree import Node, Tree


def spearman(pairs: Sequence[tuple[float, float]]) -> float | None:
    """Rank correlation of pairs of scores; None for fewer than two pairs, or where one judge gives all the same."""
    if len(pairs) < 2:
        return None
    one, other = (places([pair[side] for pair in pairs]) for side in (0, 1))
    mean = (len(pairs) + 1) / 2
    spread = math.sqrt(sum((rank - mean) ** 2 for rank in one) * sum((rank - mean) ** 2 for rank in other))
    if not spread:
        return None
    return sum((a - mean) * (b - mean) for a, b in zip(one, other, strict=True)) / spread


def places(values: Sequence[float]) -> list[float]:
    """The rank of each value, 1 for the smallest; equal ones share the mean of their places."""
    order = sorted(range(len(values)), key=values.__getitem__)
    found = [0.0] * len(values)
    first = 0
    while first < len(order):
        last = first
        while last + 1 < len(order) and values[order[last + 1]] == values[order[first]]:
            last += 1
        for place in order[first : last + 1]:
            found[place] = (first + last) / 2 + 1
        first = last + 1
    return found


def krippendorff(units: Iterable[Sequence[float]]) -> float | None:
    """Alpha for interval data: one sequence of the scores that it has for each step. None where nothing is pairable or
    all scores are the same, so that there is nothing to agree about."""
    n, total, squares, observed = 0, 0.0, 0.0, 0.0
    for unit in units:
        m = len(unit)
        if m < 2:
            continue
        of_unit, of_squares = math.fsum(unit), math.fsum(value * value for value in unit)
        observed += 2 * (m * of_squares - of_unit * of_unit) / (m - 1)  # sum of (a - b)^2 over ordered pairs
        n, total, squares = n + m, total + of_unit, squares + of_squares
    expected = 2 * (n * squares - total * total)
    if n < 2 or expected <= 1e-12 * max(1.0, n * squares):
        return None
    return 1 - (n - 1) * observed / expected


@dataclass(frozen=True, slots=True)
class Step:
    """A step and what two judges say of it. `a_rank` and `b_rank` are its place among the steps compared, from 0 (the
    lowest score) to 1 (the highest), by each of them."""

    run_id: str
    node: Node
    a: float
    b: float
    a_rank: float = 0.5
    b_rank: float = 0.5

    @property
    def apart(self) -> float:
        return self.a - self.b

    @property
    def ranks_apart(self) -> float:
        return self.a_rank - self.b_rank


def judges_of(trees: Iterable[Tree]) -> list[str]:
    """The judges of recorded trees, the one with the most scores first."""
    counts: dict[str, int] = {}
    for tree in trees:
        for node in tree.nodes:
            for judge in node.scores:
                counts[judge] = counts.get(judge, 0) + 1
    return sorted(counts, key=lambda judge: (-counts[judge], judge))


def compared(tree: Tree, a: str, b: str, run_id: str = "") -> list[Step]:
    """The steps of a tree that both judges have scored, with their places, in the order of their ids."""
    both = [node for node in tree.nodes[1:] if a in node.scores and b in node.scores]
    last = len(both) - 1
    ranks = [[(rank - 1) / last if last else 0.5 for rank in places([node.scores[judge] for node in both])]
             for judge in (a, b)]  # fmt: skip
    return [
        Step(run_id, node, node.scores[a], node.scores[b], *at)
        for node, *at in zip(both, *ranks, strict=True)
    ]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Pair:
    """How two judges agree about `n` steps of `runs` runs; `apart` is the mean of |a - b|, `higher` that of a - b.
    `steps` are those on which they differ most, one of each run."""

    a: str
    b: str
    n: int
    runs: int
    rho: float | None
    alpha: float | None
    apart: float
    higher: float
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Agreement:
    """The judges of a selection of trees; `alpha` is that of all of them together, over the `n` steps that at least two
    have scored."""

    judges: tuple[str, ...]
    n: int
    alpha: float | None
    pairs: tuple[Pair, ...]


def agreement(trees: Mapping[str, Tree], judges: Sequence[str] | None = None, most: int = 20) -> Agreement:
    """The agreement of `judges` (None: of all) about the steps of trees, which are named by their runs; each pair with
    the `most` runs that hold its largest differences."""
    names = tuple(judges_of(trees.values()) if judges is None else judges)
    units = [
        scores
        for tree in trees.values()
        for node in tree.nodes[1:]
        if len(scores := [node.scores[judge] for judge in names if judge in node.scores]) > 1
    ]
    pairs = [pair for a, b in combinations(names, 2) if (pair := _pair(trees, a, b, most))]
    return Agreement(names, len(units), krippendorff(units), tuple(pairs))


def _pair(trees: Mapping[str, Tree], a: str, b: str, most: int) -> Pair | None:
    by_run = {run_id: compared(tree, a, b, run_id) for run_id, tree in trees.items()}
    steps = [step for found in by_run.values() for step in found]
    if not steps:
        return None
    scores = [(step.a, step.b) for step in steps]
    of_each = (max(found, key=lambda step: (abs(step.apart), -step.node.id)) for found in by_run.values() if found)
    largest = sorted(of_each, key=lambda step: (-abs(step.apart), step.run_id))
    return Pair(
        a, b, len(steps), sum(map(bool, by_run.values())), spearman(scores), krippendorff(scores),
        math.fsum(abs(step.apart) for step in steps) / len(steps), math.fsum(step.apart for step in steps) / len(steps),
        tuple(largest[:most]),
    )  # fmt: skip
