"""What a sweep measured in a few numbers for each configuration: its accuracy with an interval, and what it cost."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from statistics import fmean

import numpy as np

from engine.runs.statistics.accuracies import accuracies
from engine.runs.sweeps.measured import Configuration, Measured
from engine.search.interval import Interval


@dataclass(frozen=True, slots=True)
class Summary:
    """`accuracy` is the mean over problems (each the mean over its seeds) with a 95 % interval; costs are
    means per run."""

    configuration: Configuration
    problems: int
    seeds: int
    accuracy: Interval
    pass_any: float | None
    generated_tokens: float
    scored_tokens: float
    flops_policy: float
    flops_all: float


def summaries(rows: Iterable[Measured]) -> list[Summary]:
    """One for each configuration, by policy, strategy, rule and N."""
    by: dict[Configuration, list[Measured]] = defaultdict(list)
    for row in rows:
        by[row.configuration].append(row)
    return [_summary(each, by[each]) for each in sorted(by, key=_order)]


def _order(each: Configuration) -> tuple[object, ...]:
    return (each.policy, each.strategy, each.rule, each.scorer or "", each.settings, each.n)


def _summary(configuration: Configuration, rows: list[Measured]) -> Summary:
    right: dict[str, list[float]] = defaultdict(list)
    for row in rows:
        right[row.problem].append(row.right)
    [accuracy] = accuracies(np.array([[fmean(each)] for each in right.values()]))
    passed = [row.pass_any for row in rows if row.pass_any is not None]
    return Summary(
        configuration, len(right), len({row.seed for row in rows}), accuracy,
        fmean(passed) if passed else None,
        *(fmean(getattr(row, cost) for row in rows)
          for cost in ("generated_tokens", "scored_tokens", "flops_policy", "flops_all")),
    )  # fmt: skip
