"""From the rows of a sweep and an address to what is on the figure: lines, ceiling, floor, greedy lines, envelope."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from engine.runs.sweeps import envelope
from engine.runs.sweeps.curves import (
    MAJORITY,
    Among,
    Group,
    Groups,
    Point,
    ceiling,
    difficulties,
    points,
    shared_problems,
)
from engine.runs.sweeps.measured import Configuration
from engine.runs.sweeps.standings import Standing, standing
from engine.search.strategies.compute_optimal import DIFFICULTIES
from tts_ui.web.scaling.asked import Asked
from tts_ui.web.scaling.naming import is_floor, line_names, method

#: Rules that are shown where none is asked for; a strategy without them is shown under all it has.
_USUAL = ("prm_last_vote", "prm_last_max", MAJORITY)


@dataclass(frozen=True, slots=True)
class Line:
    """Points of one line, by N."""

    name: str
    points: tuple[Point, ...]

    @property
    def first(self) -> Configuration:
        return self.points[0].configuration


@dataclass(frozen=True, slots=True)
class Bin:
    """The problems of one difficulty: a point for each line, with its name."""

    name: str
    points: tuple[tuple[str, Point], ...]

    @property
    def problems(self) -> int | None:
        """How many there are; None where that depends on the policy."""
        counts = {len(point.problems) for _, point in self.points}
        return counts.pop() if len(counts) == 1 else None


@dataclass(frozen=True, slots=True)
class View:
    """`lines` are what was asked for; the rest is there to read them by. `greedy` are policies larger than the smallest
    shown. `uneven` is set where points are about different problems: the fewest and the most. `standing` is of the
    lines at the N of the bars."""

    asked: Asked
    lines: tuple[Line, ...] = ()
    floor: tuple[Line, ...] = ()
    ceiling: tuple[Line, ...] = ()
    greedy: tuple[Point, ...] = ()
    best: tuple[envelope.Best, ...] = ()
    bars: tuple[Bin, ...] = ()
    bars_n: int | None = None
    standing: Standing | None = None
    problems: int = 0
    uneven: tuple[int, int] | None = None

    @property
    def points(self) -> list[tuple[str, Point]]:
        """Every measured point with the name of its line."""
        return [(line.name, point) for line in (*self.lines, *self.floor) for point in line.points]

    @property
    def called(self) -> dict[Configuration, str]:
        """The line of each configuration; where lines are difficulties it has several."""
        return {point.configuration: name for name, point in self.points}


def view(groups: Groups, asked: Asked) -> View:
    bins = difficulties(groups)
    kept = _kept(groups, asked)
    greedy = asked.by == "strategy" or asked.strategy in (None, "greedy")
    shown = {of: rows for of, rows in kept.items() if not is_floor(of) and (of.strategy != "greedy" or greedy)}
    one = len({of.policy for of in shown}) == 1 and asked.by != "bin"
    marked = asked.marks == "all" or (asked.marks == "auto" and one)
    floor = {of: rows for of, rows in kept.items() if is_floor(of) and (marked or asked.strategy == MAJORITY)}
    names = None if asked.everything else shared_problems(shown | floor) or None
    parts = list(DIFFICULTIES) if asked.by == "bin" and not asked.bin else [asked.bin]
    amongs = [Among(names, part, bins) for part in parts]
    made = [each for among in amongs for each in points(shown, among)]
    lines = _lines(made, asked.by)
    floors = _lines([each for among in amongs for each in points(floor, among)], "strategy")
    within = {of: rows for of, rows in groups.items() if asked.policy in (None, of.policy)}
    drawn_right = [each for among in amongs for each in ceiling(within, among)] if marked else []
    ceilings = _lines(drawn_right, "policy")
    larger = _larger(groups, shown, asked, Among(names)) if asked.marks != "none" else ()
    counted = [len(each.problems) for each in made]
    candidates = [*made, *(point for line in floors for point in line.points)]
    best = {"halves": envelope.halved, "same": envelope.flattering}.get(asked.envelope)
    called = {} if asked.by == "bin" else {
        point.configuration: line.name for line in (*lines, *floors) for point in line.points
    }  # fmt: skip
    drawn, bars_n = _bars(shown | floor, asked, [Among(names, bin, bins) for bin in DIFFICULTIES], called)
    return View(
        asked, lines, floors, ceilings, larger,
        tuple(best(candidates, asked.x)) if best and asked.by != "bin" else (),
        drawn, bars_n, _standing((*lines, *floors), bars_n) if asked.by != "bin" else None, max(counted, default=0),
        (min(counted), max(counted)) if len(set(counted)) > 1 and asked.by != "bin" else None,
    )  # fmt: skip


def _kept(groups: Groups, asked: Asked) -> Groups:
    """The configurations that pass the filters; the floor passes that of strategies, and needs no judge."""
    rules: dict[str, set[str]] = {}
    for of in groups:
        rules.setdefault(of.strategy, set()).add(of.rule)
    kept: dict[Configuration, Group] = {}
    majority: dict[object, Configuration] = {}
    for of, rows in groups.items():
        unjudged = is_floor(of) or of.strategy == "greedy"
        if asked.policy not in (None, of.policy) or not (unjudged or asked.scorer in (None, of.scorer)):
            continue
        shown = asked.strategy in (None, of.strategy) and _rule_shown(of, rules[of.strategy], asked)
        if not unjudged and not shown:
            continue
        if is_floor(of):  # the same draws, whoever judged them: those of the most problems
            same = (of.policy, of.n, of.settings)
            other = majority.get(same)
            if other and len(groups[other].problems) >= len(rows.problems):
                continue
            if other:
                del kept[other]
            majority[same] = of
        kept[of] = rows
    return kept


def _rule_shown(of: Configuration, there: set[str], asked: Asked) -> bool:
    if asked.rule:
        return of.rule == asked.rule
    usual = there.intersection(_USUAL if of.strategy == "best_of_n" else _USUAL[:1])
    return of.rule in (usual or there)


def _lines(made: Sequence[Point], by: str) -> tuple[Line, ...]:
    lines: dict[str, list[Point]] = {}
    for name, point in zip(line_names(made, by), made, strict=True):
        lines.setdefault(name, []).append(point)
    return tuple(Line(name, tuple(sorted(found, key=_n))) for name, found in sorted(lines.items()))


def _n(point: Point) -> int:
    return point.configuration.n


def _larger(groups: Groups, shown: Groups, asked: Asked, among: Among) -> tuple[Point, ...]:
    """Greedy answers of the policies larger than the smallest shown one."""
    size = {of.policy: group.rows[0][0].policy_parameters for of, group in groups.items()}
    smallest = min((size[of.policy] for of in shown), default=0)
    greedy = {of: rows for of, rows in groups.items() if of.strategy == "greedy" and size[of.policy] > smallest}
    if asked.bin or asked.by == "bin":  # their bins are other problems
        return ()
    return tuple(sorted(points(greedy, among), key=lambda point: size[point.configuration.policy]))


def _bars(
    groups: Groups, asked: Asked, amongs: Sequence[Among], names: Mapping[Configuration, str]
) -> tuple[tuple[Bin, ...], int | None]:
    """Each bin with its points at one N: the one asked for, or that of most configurations."""
    counted = Counter(of.n for of in groups if of.strategy != "greedy")
    n = asked.n if asked.n in counted else max(counted, key=lambda each: (counted[each], each), default=None)
    at_n = {of: group for of, group in groups.items() if of.n == n or of.strategy == "greedy"}
    drawn = []
    for among in amongs:
        made = points(at_n, among)
        named = [(names.get(each.configuration) or method(each.configuration), each) for each in made]
        if made:
            drawn.append(Bin(among.bin or "", tuple(sorted(named, key=_name))))
    return tuple(drawn), n


def _standing(lines: Sequence[Line], n: int | None) -> Standing | None:
    at_n = [each for line in lines for each in line.points if _n(each) == n or each.configuration.strategy == "greedy"]
    return standing(at_n)


def _name(item: tuple[str, Point]) -> str:
    return item[0]
