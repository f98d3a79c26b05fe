"""What stands under the figure: every point as a row, a point's problems, and two points compared."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from engine.runs.sweeps.curves import Axis, Groups, Point, compared
from engine.runs.sweeps.measured import Measured
from tts_ui.web.scaling.figures import percents
from tts_ui.web.scaling.naming import bin_name, judge, method, point_id, settings
from tts_ui.web.scaling.view import View
from tts_ui.words import numbers
from tts_ui.words.differences import difference_lines
from tts_ui.words.interface import say
from tts_ui.words.texts import short

#: Rows of a point's problems on the page; a file has all of them.
_MOST, _PROBLEM = 1000, 160
_RATIOS: tuple[Axis, ...] = ("tokens", "flops_policy", "flops_all")


def rows(view: View) -> list[dict[str, Any]]:
    """The points of the figure, line by line."""
    return [_row(name, point) for name, point in view.points]


def _row(line: str, point: Point) -> dict[str, Any]:
    of, costs = point.configuration, point.costs
    return {
        "id": point_id(point),
        "line": line,
        "n": of.n,
        "accuracy": percents(point.accuracy),
        "problems": len(point.problems),
        "seeds": point.seeds,
        "tokens": numbers.count(round(costs["tokens"])),
        "flops_policy": numbers.flops(costs["flops_policy"]),
        "flops_all": numbers.flops(costs["flops_all"]),
        "seconds": numbers.seconds(costs["seconds"]),
    }


def point_named(view: View, name: str) -> tuple[str, Point] | None:
    """The point of the figure, or of its bars, that an address names, with its line."""
    barred = [(line, point) for bin in view.bars for line, point in bin.points]
    return next(((line, point) for line, point in [*view.points, *barred] if point_id(point) == name), None)


def problems(line: str, point: Point, groups: Groups) -> dict[str, Any]:
    """A point's problems, wrong ones first, with a link to the tree of every seed."""
    group = groups[point.configuration]
    listed = sorted(zip(point.problems, map(float, point.right), strict=True), key=lambda item: item[1])
    of = point.configuration
    return {
        "id": point_id(point),
        "title": say("scaling_says.at_bin", line=line, n=of.n, bin=bin_name(point.bin))
        if point.bin
        else say("scaling_says.at", line=line, n=of.n),
        "facts": "; ".join(filter(None, [method(of), of.policy, judge(of), settings(of)])),
        "accuracy": percents(point.accuracy),
        "total": len(listed),
        "right": sum(right == 1 for _, right in listed),
        "rows": [_problem(name, float(right), group.of(name)) for name, right in listed[:_MOST]],
    }


def _problem(name: str, right: float, seeds: Sequence[Measured]) -> dict[str, Any]:
    return {
        "problem": short(name, _PROBLEM),
        "outcome": _outcome(right),
        "runs": [
            {"address": f"./?run={row.run_id}", "seed": row.seed, "right": row.right}
            for row in sorted(seeds, key=lambda row: row.seed)
        ],
    }


def _outcome(right: float) -> str:
    if right in (0, 1):
        return say("scaling_says.right" if right else "scaling_says.wrong")
    return say("scaling_says.right_share", share=f"{100 * right:.0f}")


def comparison(view: View, names: Sequence[str], groups: Groups) -> dict[str, Any] | None:
    """Two points over the problems they share, in words; None unless both are on the figure."""
    found = [point_named(view, name) for name in names]
    known = [each for each in found if each]
    if len(known) != 2:
        return None
    (first_line, first), (second_line, second) = known
    titles = [say("scaling_says.at", line=line, n=point.configuration.n) for line, point in known]
    said = compared(first, second, groups)
    if said is None:
        return {"titles": titles, "lines": [say("scaling_says.no_common")]}
    ratios = [
        say("scaling_says.ratio", what=say(f"scaling_says.ratio_{axis}"), times=f"{times:.2g}")
        for axis in _RATIOS if second.costs[axis] for times in [first.costs[axis] / second.costs[axis]]
    ]  # fmt: skip
    return {
        "titles": titles,
        "lines": [*difference_lines(said), say("scaling_says.costs", ratios=", ".join(ratios))],
    }
