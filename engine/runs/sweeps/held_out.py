"""Is the learned choice worth it? Learned on half of the problems, measured on the other half, at equal FLOPs.

The problems are split in two at random, each half is judged by what the other taught, and that ten times over; a
problem's outcome is the mean of the ten. What a choice would have come to is read from the runs of the chosen strategy;
where that is a search and difficulty matters, the probe's bill is added (its first steps are the search's own, so that
is the most it costs).

A fixed strategy is compared at the same mean FLOPs, prompts and judge counted: it is given the two of its own budgets
on either side, and a coin decides at each problem which of them it gets, so that the mean is equal. Where it has no
budget that small (or large), it gets its smallest (largest), and `equal` is False.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.runs.statistics.differences import Difference, difference, over_problems
from engine.runs.statistics.resampling import Floats
from engine.runs.sweeps.difficulty import Guess
from engine.runs.sweeps.learning import FEWEST, Cells, Record, cells, choices, record
from engine.runs.sweeps.measured import Measured
from engine.search.interval import Interval
from engine.search.strategies.compute_optimal import DIFFICULTIES, chosen

SPLITS = 10
#: What the fixed rule of arXiv 2502.06703 is called among the rivals.
PUBLISHED = "the study's table"

#: Accuracy and FLOPs of each problem.
_Outcome = tuple[Floats, Floats]


@dataclass(frozen=True, slots=True)
class Rival:
    """Another way to choose at the same FLOPs; `gap` is the learned choice's accuracy less its own."""

    name: str
    accuracy: Interval
    flops: float
    equal: bool
    gap: Difference


@dataclass(frozen=True, slots=True)
class HeldOut:
    """The learned choice on problems that it was not learned from.

    Attributes:
        n: its budget.
        flops: mean per problem, prompts, judge and probe counted.
        taken: how often each strategy was the choice, by difficulty, of all halves.
        bins: problems of each difficulty.
    """

    n: int
    problems: int
    accuracy: Interval
    flops: float
    taken: tuple[Mapping[str, int], ...]
    bins: tuple[int, ...]
    rivals: tuple[Rival, ...]


def held_out(
    rows: Sequence[Measured],
    guessed: Mapping[str, Guess],
    policy: str,
    scorer: str,
    n: int,
    *,
    rule: str,
    settings: Mapping[str, Any] | None = None,
    probe: int = 4,
    splits: int = SPLITS,
    seed: int = 0,
) -> HeldOut | None:
    """None where the rows say too little to learn from half of the problems."""
    rows = [row for row in rows if row.configuration.policy == policy]
    found = cells(rows, scorer, rule, settings or {})
    bins = {problem: guess.bin for problem, guess in guessed.items()}
    measured = record(found, bins, n)
    if measured is None or len(measured.problems) < 2 * FEWEST:
        return None
    bill = _probe_bill(found, measured, probe)
    taken = tuple(dict.fromkeys(measured.strategies, 0) for _ in DIFFICULTIES)
    right, flops = np.zeros(len(measured.problems)), np.zeros(len(measured.problems))
    rng = np.random.default_rng(seed)
    for _ in range(splits):
        halves = np.array_split(rng.permutation(len(right)), 2)
        for taught, tested in (halves, halves[::-1]):
            picks = [choice.strategy for choice in choices(measured.of(taught.tolist()))]
            for bin_, pick in enumerate(picks):
                taken[bin_][pick] += 1
            won, spent = _followed(measured, picks, bill)
            right[tested] += won[tested] / splits
            flops[tested] += spent[tested] / splits
    size = rows[0].policy_parameters
    ways = _fixed(found, measured.problems)
    ways[PUBLISHED] = _published(found, bins, measured.problems, size, probe)
    rivals = [_rival(name, way, right, float(flops.mean())) for name, way in ways.items() if way]
    counts = tuple(measured.bins.count(bin_) for bin_ in range(len(DIFFICULTIES)))
    return HeldOut(
        n, len(right), over_problems(right)[0], float(flops.mean()), taken, counts, tuple(rivals)
    )  # fmt: skip


def _followed(measured: Record, picks: Sequence[str], bill: Floats) -> _Outcome:
    """Every problem under the strategy for its difficulty; where difficulty matters, a search pays for the probe."""
    columns = [measured.strategies.index(picks[bin_]) for bin_ in measured.bins]
    rows = np.arange(len(columns))
    probed = np.array([len(set(picks)) > 1 and picks[bin_] != "best_of_n" for bin_ in measured.bins])
    return measured.right[rows, columns], measured.flops[rows, columns] + probed * bill


def _probe_bill(found: Cells, measured: Record, probe: int) -> Floats:
    """FLOPs of the probe at each problem: best-of-N at that size or, if it was not run, its share of a larger one."""
    budget = min((n for strategy, n in found if strategy == "best_of_n" and n >= probe), default=0)
    spent = found.get(("best_of_n", budget), {})
    return np.array([spent[each][1] * probe / budget if each in spent else 0.0 for each in measured.problems])


def _fixed(found: Cells, problems: Sequence[str]) -> dict[str, list[_Outcome]]:
    """Each strategy that was measured on all of the problems at some budget, at each of these."""
    ways: dict[str, list[_Outcome]] = {}
    for (strategy, _), outcomes in found.items():
        if all(problem in outcomes for problem in problems):
            both = np.array([outcomes[problem] for problem in problems])
            ways.setdefault(strategy, []).append((both[:, 0], both[:, 1]))
    return ways


def _published(found: Cells, bins: Mapping[str, int], problems: Sequence[str], size: int, probe: int) -> list[_Outcome]:
    """What the study's table comes to at each budget at which all strategies of it were measured."""
    picks = [chosen(size, bin_)[0] for bin_ in range(len(DIFFICULTIES))]
    ways = []
    for budget in sorted({n for _, n in found}):
        measured = record(found, {problem: bins[problem] for problem in problems}, budget)
        if measured and set(picks) <= set(measured.strategies) and len(measured.problems) == len(problems):
            ways.append(_followed(measured, picks, _probe_bill(found, measured, probe)))
    return ways


def _rival(name: str, way: Sequence[_Outcome], right: Floats, flops: float) -> Rival:
    """The other way at these mean FLOPs; `right` is what the learned choice came to."""
    by_cost = sorted(way, key=lambda outcome: float(outcome[1].mean()))
    costs = [float(spent.mean()) for _, spent in by_cost]
    above = next((place for place, cost in enumerate(costs) if cost >= flops), len(costs) - 1)
    below = max((place for place, cost in enumerate(costs) if cost <= flops), default=above)
    share = 0.0 if costs[above] <= costs[below] else (flops - costs[below]) / (costs[above] - costs[below])
    won = (1 - share) * by_cost[below][0] + share * by_cost[above][0]
    spent = (1 - share) * costs[below] + share * costs[above]
    gap = difference([[each] for each in right.tolist()], [[each] for each in won.tolist()])
    return Rival(name, over_problems(won)[0], spent, abs(spent - flops) <= 1e-6 * flops, gap)
