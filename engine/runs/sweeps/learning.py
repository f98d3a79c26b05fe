"""Which strategy serves a policy under a judge at a budget, by difficulty: learned from the sweeps on record.

Problems are sorted into the study's bins by what a run can know of them: the guess from a few samples (agreement times
mean judge score), never by the right answer. In each bin, for every pair of strategies,

    difference = w (difference in the bin) + (1 - w) (difference over all problems),   w = n_bin / (n_bin + 30),

so a bin with few problems says what all of them say (shrinkage; 30 is the weight of "all problems"). Differences are
paired: the strategies are compared on the same problems, and resampled together over problems. Those whose difference
from the best has a 95 % interval that reaches 0 are tied with it. A strategy that is best or tied in every bin is taken
for all of them, for then no probe need be paid for; otherwise each bin has its own. Of several the one with the fewest
FLOPs, prompts and judge counted, is chosen. With fewer than `FEWEST` problems nothing is learned.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

import numpy as np

from engine.runs.statistics.resampling import Floats, percentiles, resampled
from engine.runs.sweeps.difficulty import Guess, guesses
from engine.runs.sweeps.measured import Configuration, Measured, measured
from engine.search.interval import Interval, wilson
from engine.search.learned import Learned, LearnedChoice
from engine.search.params import PARAMETERS, RunParams
from engine.search.strategies import STRATEGIES
from engine.search.strategies.compute_optimal import CHOICES, DIFFICULTIES
from engine.store import Store

#: Problems below which nothing is learned, and that "all problems" count for beside those of a bin.
FEWEST, PRIOR = 30, 30
#: Parameters that are not settings of a configuration: it has fields of its own for them.
_NO_SETTING = ("n", "seed", "select")

#: (strategy, N) -> problem -> accuracy and FLOPs.
Cells = Mapping[tuple[str, int], Mapping[str, tuple[float, float]]]


@dataclass(frozen=True, slots=True)
class Record:
    """Strategies measured on the same problems at one budget.

    Attributes:
        strategies: the columns.
        problems: the rows; `bins` are their guessed difficulties.
        right: [problems, strategies] accuracies, means over seeds.
        flops: [problems, strategies] of all that was computed, prompts and judge too.
    """

    strategies: tuple[str, ...]
    problems: tuple[str, ...]
    bins: tuple[int, ...]
    right: Floats
    flops: Floats

    def of(self, places: Sequence[int]) -> Record:
        """The same of these rows only."""
        return Record(
            self.strategies,
            tuple(self.problems[place] for place in places),
            tuple(self.bins[place] for place in places),
            self.right[list(places)],
            self.flops[list(places)],
        )


def cells(rows: Iterable[Measured], scorer: str, rule: str, settings: Mapping[str, Any]) -> Cells:
    """(strategy, N) -> problem -> accuracy and FLOPs, means over seeds.

    Only rows under the judge and the rule with these settings (see `fits`). Of several rows for one seed the one read
    from the most draws counts.
    """
    best: dict[tuple[str, int, str, int], Measured] = {}
    for row in rows:
        asked = row.configuration
        if (asked.scorer, asked.rule) == (scorer, rule) and fits(asked, settings):
            place = (asked.strategy, asked.n, row.problem, row.seed)
            if place not in best or (row.drawn or 0) > (best[place].drawn or 0):
                best[place] = row
    grouped: dict[tuple[str, int], dict[str, list[Measured]]] = {}
    for (strategy, n, problem, _), row in best.items():
        grouped.setdefault((strategy, n), {}).setdefault(problem, []).append(row)
    return {
        cell: {
            problem: (fmean(r.right for r in seeds), fmean(r.flops_all for r in seeds)) for problem, seeds in of.items()
        }
        for cell, of in grouped.items()
    }


def fits(configuration: Configuration, settings: Mapping[str, Any]) -> bool:
    """Whether its runs had these settings, as far as its strategy takes them; what is not named has its default."""
    method, own = STRATEGIES.get(configuration.strategy), dict(configuration.settings)
    return method is not None and all(
        own.get(name, str(parameter.default)) == str(settings.get(name, parameter.default))
        for name, parameter in PARAMETERS.items()
        if method.takes(name) and name not in _NO_SETTING
    )


def record(
    found: Cells,
    bins: Mapping[str, int],
    n: int,
    strategies: Collection[str] = CHOICES,
) -> Record | None:
    """The strategies that were measured at this budget, on the problems that all of them have; None for fewer than
    two."""
    measured = [strategy for strategy in strategies if (strategy, n) in found]
    if len(measured) < 2:
        return None
    shared = set(bins).intersection(*(found[strategy, n] for strategy in measured))
    problems = tuple(sorted(shared))
    values = np.array(
        [[found[strategy, n][problem] for strategy in measured] for problem in problems], dtype=np.float64
    ).reshape(len(problems), len(measured), 2)
    return Record(tuple(measured), problems, tuple(bins[each] for each in problems), values[..., 0], values[..., 1])


def learned_for(store: Store, params: RunParams, policy: str, scorer: str | None) -> Learned | None:
    """What the store's sweeps teach a run of `compute_optimal` with these models; None where it does not ask, or they
    say too little. One query."""
    if params.strategy != "compute_optimal" or params.knowledge != "learned" or scorer is None:
        return None
    rows = measured(store, rules=(params.rule,), policy=policy)
    alone = measured(store, rules=(params.rule,), policy=policy, own=True)
    settings = {name: getattr(params, name) for name in PARAMETERS if name != "max_tokens_total"}
    guessed = guesses(alone, policy, scorer, params.probe)
    return learn(rows, guessed, policy, scorer, params.n, rule=params.rule, settings=settings)


def learn(
    rows: Sequence[Measured],
    guessed: Mapping[str, Guess],
    policy: str,
    scorer: str,
    n: int,
    *,
    rule: str,
    settings: Mapping[str, Any],
) -> Learned | None:
    """The choices for this policy, judge and budget; None where the rows say too little.

    The nearest budget on record counts, if it is at most twice as large or half as large.
    """
    found = cells([row for row in rows if row.configuration.policy == policy], scorer, rule, settings)
    near = {budget for _, budget in found if n / 2 <= budget <= 2 * n}
    for budget in sorted(near, key=lambda budget: (max(budget / n, n / budget), budget)):
        known = record(found, {problem: guess.bin for problem, guess in guessed.items()}, budget)
        if known and len(known.problems) >= FEWEST:
            return Learned(policy, scorer, budget, len(known.problems), choices(known))
    return None


def choices(known: Record) -> tuple[LearnedChoice, ...]:
    """The choice for each difficulty; the same for all, if one strategy is best or tied with the best in every bin."""
    bins = [np.array([each == bin_ for each in known.bins], dtype=np.float64) for bin_ in range(len(DIFFICULTIES))]
    level = [_tied(known, inside) for inside in bins]
    everywhere = set.intersection(*level)
    chosen = [
        _cheapest(known.flops, everywhere) if everywhere else _cheapest(_in(known.flops, inside), tied)
        for inside, tied in zip(bins, level, strict=True)
    ]
    return tuple(
        LearnedChoice(
            bin_, known.strategies[column], _share(_in(known.right, bins[bin_])[:, column]), int(bins[bin_].sum()),
            tuple(known.strategies[each] for each in sorted(level[bin_] - {column})),
        )
        for bin_, column in enumerate(chosen)
    )  # fmt: skip


def _share(right: Floats) -> Interval:
    """Wilson's interval; where an outcome is a mean of several it is rather too wide."""
    return wilson(float(right.sum()), len(right))


def _tied(known: Record, inside: Floats) -> set[int]:
    """The columns that cannot be told from the best one in a bin, which has a 1 in `inside` for its problems."""
    gains = shrunk(known.right, inside, np.ones((1, len(inside))))[0]
    again = shrunk(known.right, inside, resampled(len(inside)))
    best = int(gains.argmax())
    behind = [
        percentiles(gains[best] - gain, again[:, best] - other) for gain, other in zip(gains, again.T, strict=True)
    ]
    return {column for column, gap in enumerate(behind) if column == best or gap.low <= 0}


def _in(table: Floats, inside: Floats) -> Floats:
    """The rows of a bin; of an empty one, all."""
    return table[inside > 0] if inside.any() else table


def _cheapest(flops: Floats, columns: Collection[int]) -> int:
    return min(columns, key=lambda column: (flops[:, column].mean(), column))


def shrunk(right: Floats, inside: Floats, weights: Floats) -> Floats:
    """[resamples, strategies]: how much better each is than their mean in the bin, drawn towards all problems."""
    centred = right - right.mean(1, keepdims=True)
    overall = (weights @ centred) / weights.sum(1, keepdims=True)
    of_bin = (weights * inside).sum(1, keepdims=True)
    summed: Floats = ((weights * inside) @ centred + PRIOR * overall) / (of_bin + PRIOR)
    return summed
