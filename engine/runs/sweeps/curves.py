"""Accuracy against what it cost, from the rows of sweeps: points with intervals, a ceiling, difficulty.

A problem counts once, however many seeds it was run with: the mean over its seeds is its value, and the bootstrap
resamples problems. All points over the same problems are resampled alike, so that a hundred of them cost one drawing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import nan
from typing import Literal

import numpy as np
import numpy.typing as npt

from engine.runs.statistics.accuracies import accuracies
from engine.runs.statistics.differences import Difference, difference
from engine.runs.sweeps.measured import Configuration, Measured
from engine.search.interval import Interval
from engine.search.strategies.compute_optimal import DIFFICULTIES, difficulty_of

#: What a point's accuracy can be drawn against, as means over its problems.
Axis = Literal["n", "tokens", "flops_policy", "flops_all", "seconds"]
AXES: tuple[Axis, ...] = ("n", "tokens", "flops_policy", "flops_all", "seconds")

MAJORITY = "majority_vote"


_Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Group:
    """A configuration's rows, and what is read of them as arrays: `problems` says where in them each problem is.

    `right` and `pass_any` (NaN: not known) are means over a problem's seeds, `costs` those of the axes but N:
    [axes, problems]. `seeds` is how many a problem has.
    """

    configuration: Configuration
    problems: Mapping[str, int]
    rows: Sequence[Sequence[Measured]]
    right: _Array
    pass_any: _Array
    costs: _Array
    seeds: npt.NDArray[np.int64]

    def of(self, problem: str) -> Sequence[Measured]:
        """The problem's rows, one a seed."""
        return self.rows[self.problems[problem]]


Groups = Mapping[Configuration, Group]


@dataclass(frozen=True, slots=True, eq=False)
class Point:
    """A configuration over its problems. `right` is each problem's mean over seeds, in the order of `problems`; `bin`
    is set where only the problems of one difficulty were asked for."""

    configuration: Configuration
    problems: tuple[str, ...]
    right: _Array
    accuracy: Interval
    costs: Mapping[Axis, float]
    seeds: int
    bin: str | None = None


@dataclass(frozen=True, slots=True)
class Among:
    """The problems that count: those named (None: all), of one bin of their policy's difficulty (None: of every)."""

    names: Collection[str] | None = None
    bin: str | None = None
    bins: Mapping[str, Mapping[str, str]] | None = None

    def within(self, group: Group) -> list[str]:
        names = [name for name in group.problems if self.names is None or name in self.names]
        if self.bin is None:
            return names
        bins = (self.bins or {}).get(group.configuration.policy, {})
        return [name for name in names if bins.get(name) == self.bin]


def grouped(rows: Iterable[Measured]) -> Groups:
    found: defaultdict[Configuration, defaultdict[str, list[Measured]]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        found[row.configuration][row.problem].append(row)
    return {configuration: _group(configuration, problems) for configuration, problems in found.items()}


def _group(configuration: Configuration, problems: Mapping[str, list[Measured]]) -> Group:
    names = sorted(problems)
    rows = [problems[name] for name in names]
    values = [
        (row.right, nan if row.pass_any is None else row.pass_any,
         row.generated_tokens, row.flops_policy, row.flops_all, row.wall_s)
        for seeds in rows for row in seeds
    ]  # fmt: skip
    counts = np.array([len(seeds) for seeds in rows])
    sums = np.add.reduceat(np.array(values, dtype=np.float64), np.cumsum(counts) - counts, axis=0)
    means = (sums / counts[:, None]).T
    places = {name: place for place, name in enumerate(names)}
    seeds = np.array([len({row.seed for row in each}) for each in rows])
    return Group(configuration, places, rows, means[0], means[1], means[2:], seeds)


def shared_problems(groups: Groups) -> frozenset[str]:
    """The problems that every configuration has been run on."""
    sets = [frozenset(group.problems) for group in groups.values()]
    return frozenset.intersection(*sets) if sets else frozenset()


def points(groups: Groups, among: Among | None = None) -> list[Point]:
    """A point for each configuration that has problems among those that count."""
    among = among or Among()
    made = [_point(group, among.within(group), group.right, among.bin) for group in groups.values()]
    return with_intervals([point for point in made if point.problems])


def ceiling(groups: Groups, among: Among | None = None) -> list[Point]:
    """Pass@N: the share of problems with a right one among N independent draws, at the costs of drawing them; one
    point a policy and N, whichever judge read the draws."""
    among = among or Among()
    found: dict[tuple[str, int], Point] = {}
    for configuration, group in sorted(groups.items(), key=lambda item: item[0].rule != MAJORITY):
        known = [name for name in among.within(group) if group.pass_any[group.problems[name]] >= 0]
        of = (configuration.policy, configuration.n)
        if known and (of not in found or len(known) > len(found[of].problems)):
            found[of] = _point(group, known, group.pass_any, among.bin)
    return with_intervals(list(found.values()))


def _point(group: Group, names: Sequence[str], values: _Array, bin: str | None) -> Point:
    places = [group.problems[name] for name in names]
    means = group.costs[:, places].mean(axis=1) if places else [nan] * (len(AXES) - 1)
    costs = dict(zip(AXES, [float(group.configuration.n), *map(float, means)], strict=True))
    seeds = int(group.seeds[places].max(initial=0))
    return Point(group.configuration, tuple(names), values[places], Interval(nan, nan, nan), costs, seeds, bin)


def with_intervals(made: Sequence[Point]) -> list[Point]:
    """The points with their intervals over problems."""
    alike: defaultdict[int, list[int]] = defaultdict(list)
    for place, point in enumerate(made):
        alike[len(point.right)].append(place)
    done = list(made)
    for places in alike.values():
        found = accuracies(np.stack([made[place].right for place in places], axis=1))
        for place, interval in zip(places, found, strict=True):
            done[place] = replace(made[place], accuracy=interval)
    return done


def difficulties(groups: Groups) -> dict[str, dict[str, str]]:
    """Policy -> problem -> the bin of the policy's own Pass@1, from its largest number of independent draws (pooled
    over seeds); a policy without independent draws has none."""
    most: dict[tuple[str, str], tuple[int, int]] = {}
    for configuration, group in groups.items():
        for name, place in group.problems.items():
            known = [(row.drawn, row.drawn_right) for row in group.rows[place] if row.drawn]
            drawn = sum(each or 0 for each, _ in known)
            of = configuration.policy, name
            if drawn > most.get(of, (0, 0))[0]:
                most[of] = drawn, sum(right or 0 for _, right in known)
    bins: defaultdict[str, dict[str, str]] = defaultdict(dict)
    for (policy, name), (drawn, right) in most.items():
        bins[policy][name] = DIFFICULTIES[difficulty_of(right / drawn)]
    return dict(bins)


def compared(first: Point, second: Point, groups: Groups) -> Difference | None:
    """The first point's accuracy less the second's, over the problems they have in common, seeds and all; None where
    they have none."""
    names = sorted(set(first.problems) & set(second.problems))
    if not names:
        return None
    ours, theirs = (
        [[row.right for row in groups[point.configuration].of(name)] for name in names] for point in (first, second)
    )
    return difference(ours, theirs)
