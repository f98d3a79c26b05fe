"""Which strategies of a sweep are ahead and which are tied, at one N, on the problems that all of them have.

What a tie is worth is said beside it: the smallest difference from the best method that so many problems would show.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from engine.runs.statistics.power import detectable
from engine.runs.statistics.resampling import FEWEST
from engine.runs.statistics.ties import ranked
from engine.runs.sweeps.curves import Among, Groups, Point, points, shared_problems
from engine.runs.sweeps.measured import Configuration

#: The rule that a strategy is judged by where it was read under several.
_USUAL = "prm_last_vote"
_GREEDY = "greedy"


@dataclass(frozen=True, slots=True)
class Standing:
    """Methods against one another.

    Attributes:
        groups: of tied methods, best first (see `engine.runs.statistics.ties`).
        problems: that all of them have.
        n: the budget; greedy, which has none, stands beside it.
        detectable: the difference from the best that so many problems show in 8 of 10 repetitions whichever of the
            methods tied with it (where none is: of all others) it is, although all pairs are tested; None where they
            differ on no problem.
    """

    groups: tuple[tuple[Configuration, ...], ...]
    problems: int
    n: int
    detectable: float | None

    @property
    def enough(self) -> bool:
        """Whether there are problems enough for a verdict: with fewer, everything is called tied."""
        return self.problems >= FEWEST

    @property
    def policy(self) -> str:
        return self.methods[0].policy

    @property
    def scorer(self) -> str | None:
        """The judge of those that ask one."""
        return next((each.scorer for each in self.methods if each.scorer), None)

    @property
    def methods(self) -> tuple[Configuration, ...]:
        return tuple(each for group in self.groups for each in group)


def standing(among: Sequence[Point]) -> Standing | None:
    """How these points, of different configurations, stand; None unless two of them have problems in common."""
    common = sorted(set.intersection(*(set(point.problems) for point in among))) if len(among) > 1 else []
    if not common:
        return None
    columns = [dict(zip(point.problems, map(float, point.right), strict=True)) for point in among]
    table = np.array([[column[name] for column in columns] for name in common], dtype=np.float64)
    found = ranked(table, [point.costs["flops_all"] for point in among])
    best, *tied = found.groups[0]
    against = list(tied or found.order[1:])
    spreads = (table[:, [best]] - table[:, against]).std(axis=0, ddof=1) if len(common) > 1 else [0.0]
    shown = [detectable(float(spread), len(common), len(found.p)) for spread in spreads]
    groups = tuple(tuple(among[place].configuration for place in group) for group in found.groups)
    n = max(point.configuration.n for point in among)
    return Standing(groups, len(common), n, max((each for each in shown if each is not None), default=None))


def standings(groups: Groups) -> list[Standing]:
    """One for each policy and judge: every strategy under its usual rule at their largest common N, and greedy.

    Where no N is common to all, the one of most strategies counts. Strategies that ask no judge stand beside every
    judge's.
    """
    judges: defaultdict[str, set[str]] = defaultdict(set)
    for of in groups:
        judges[of.policy].update([of.scorer] if of.scorer else [])
    asked = [(policy, judge) for policy, found in sorted(judges.items()) for judge in (*sorted(found),) or (None,)]
    made = [
        _of({of: group for of, group in groups.items() if of.policy == policy and of.scorer in (None, judge)})
        for policy, judge in asked
    ]
    return [each for each in made if each]


def _of(groups: Groups) -> Standing | None:
    rules: defaultdict[str, set[str]] = defaultdict(set)
    for of in groups:
        rules[of.strategy].add(of.rule)
    usual = {of: group for of, group in groups.items() if of.rule == _USUAL or _USUAL not in rules[of.strategy]}
    counted = Counter(n for n, _ in {(of.n, of.strategy) for of in usual if of.strategy != _GREEDY})
    n = max(counted, key=lambda each: (counted[each], each), default=1)
    at_n = {of: group for of, group in usual.items() if of.n == n or of.strategy == _GREEDY}
    return standing(points(at_n, Among(shared_problems(at_n))))
