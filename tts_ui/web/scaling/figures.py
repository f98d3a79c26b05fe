"""The two figures as Plotly reads them: accuracy against cost, and bars by difficulty.

Plain data, made without the plotly package, whose plotly.js draws it in the browser. Colours are names of
`looks.PALETTES`. Names reach Plotly's labels, which read a few tags, with entities.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

from engine.runs.sweeps.curves import Axis, Point
from engine.runs.sweeps.envelope import Best
from engine.runs.sweeps.published import METHODS, Published
from engine.search.interval import Interval
from tts_ui.web.scaling.looks import Look, of_place, of_strategy
from tts_ui.web.scaling.naming import bin_name, method, point_id
from tts_ui.web.scaling.view import Line, View
from tts_ui.words import numbers
from tts_ui.words.interface import say
from tts_ui.words.interface.markup import marked

#: Lines have the same Ns: each stands a little beside the next, so that intervals do not hide one another.
_BESIDE = 1.025
#: How far the envelope goes on beyond its last budget.
_BEYOND = 1.12
#: The share of the width that published numbers get, in a panel of their own.
_PANEL = 0.2


def curves(view: View, published: Sequence[Published] = ()) -> dict[str, Any]:
    """Lines with intervals, what to read them by, and published numbers in a panel beside them."""
    x = view.asked.x
    traces = [*_best(view), *_ceiling(view)]
    looks = line_looks(view)
    drawn = [("floor", line) for line in view.floor] + [("measured", line) for line in view.lines]
    for place, (kind, line) in enumerate(drawn):
        aside = _BESIDE ** (place - (len(drawn) - 1) / 2) if x == "n" else 1.0
        traces.append(_line(line, x, looks[line.name], kind, aside))
    traces += _published(published)
    spans = [point.costs[x] for _, point in view.points]
    layout = _layout(view, spans)
    if published:
        layout["xaxis"]["domain"] = [0, 1 - _PANEL]
        ticks = [say(f"scaling_figure.tick_{name}") for name in ("greedy", "vote", "search")]
        layout["xaxis2"] = {
            "domain": [1 - _PANEL + 0.03, 1], "range": [-0.6, 2.6], "showgrid": False, "zeroline": False,
            "tickvals": [0, 1, 2], "ticktext": ticks, "color": "@soft",
            "title": {"text": say("scaling_figure.published_axis")}, "fixedrange": True, "linecolor": "@grid",
            "mirror": True, "showline": True,
        }  # fmt: skip
    layout["shapes"], layout["annotations"] = _greedy(view, bool(published))
    return {"data": traces, "layout": layout}


def line_looks(view: View) -> dict[str, Look]:
    """A look for each line: a strategy's own where lines are strategies and each has one line."""
    looks: dict[str, Look] = {}
    firsts = [of_strategy(line.first) for line in view.lines]
    own = view.asked.by == "strategy" and len(set(firsts)) == len(firsts)
    for place, (line, first) in enumerate(zip(view.lines, firsts, strict=True)):
        looks[line.name] = first if own and first else of_place(place)
    return looks | {line.name: Look("@soft", "line-ew-open", "dash") for line in view.floor}


def bars(view: View) -> dict[str, Any]:
    """Accuracy within each bin at one N, a bar for each line."""
    looks = line_looks(view)
    names = list(dict.fromkeys(name for bin in view.bars for name, _ in bin.points))
    labels = [bin_name(bin.name) + (f" ({bin.problems})" if bin.problems else "") for bin in view.bars]
    traces = []
    for place, name in enumerate(names):
        found = [dict(bin.points).get(name) for bin in view.bars]
        look = looks.get(name, of_place(place))
        shares = [point.accuracy if point else None for point in found]
        traces.append({
            "type": "bar", "name": escape(name), "x": labels,
            "y": [_percent(share.mean) if share else None for share in shares],
            "error_y": _errors([share or Interval(0.0, 0.0, 0.0) for share in shares], "@ink"),
            "marker": {"color": look.colour, "pattern": {"shape": _PATTERNS.get(look.dash, ""), "fgopacity": 0.5}},
            "customdata": [[point_id(point) if point else "", name, len(point.problems) if point else 0]
                           for point in found],
            "hovertemplate": "%{customdata[1]}<br>%{x}: %{y:.1f} %<extra></extra>",
        })  # fmt: skip
    layout = _base() | {
        "meta": {"below": 34}, "barmode": "group", "bargap": 0.18, "bargroupgap": 0.06,
        "xaxis": {"color": "@ink", "fixedrange": True, "linecolor": "@soft"},
        "yaxis": _accuracy([0, 100]) | {"title": {"text": say("scaling_figure.accuracy_at", n=view.bars_n)}},
    }  # fmt: skip
    return {"data": traces, "layout": layout}


_PATTERNS = {"dash": "/", "dot": ".", "dashdot": "x"}


def _line(line: Line, x: Axis, look: Look, kind: str, aside: float) -> dict[str, Any]:
    quiet = kind == "floor"
    return {
        "type": "scatter", "mode": "lines+markers", "name": escape(line.name), "meta": kind,
        "x": [aside * point.costs[x] for point in line.points],
        "y": [_percent(point.accuracy.mean) for point in line.points],
        "error_y": _errors([point.accuracy for point in line.points], look.colour),
        "line": {"color": look.colour, "dash": look.dash, "width": 1.5 if quiet else 2},
        "marker": {"symbol": look.symbol, "size": 8 if quiet else 9, "color": look.colour,
                   "line": {"width": 2 if "open" in look.symbol else 0, "color": look.colour}},
        "customdata": [[point_id(point), line.name, _says(point)] for point in line.points],
        "hovertemplate": "<b>%{customdata[1]}</b><br>%{customdata[2]}<extra></extra>",
    }  # fmt: skip


def _says(point: Point) -> str:
    costs = point.costs
    told = marked(
        "scaling_figure.point", n=len(point.problems), completions=point.configuration.n,
        accuracy=percents(point.accuracy), problems=numbers.count(len(point.problems)),
    )  # fmt: skip
    spent = marked(
        "scaling_figure.point_costs", tokens=numbers.count(round(costs["tokens"])),
        policy=numbers.flops(costs["flops_policy"]), all=numbers.flops(costs["flops_all"]),
        time=numbers.seconds(costs["seconds"]),
    )  # fmt: skip
    return f"{told}<br>{spent}"


def _ceiling(view: View) -> list[dict[str, Any]]:
    return [
        {
            "type": "scatter", "mode": "lines", "meta": "ceiling",
            "name": marked("scaling_figure.ceiling", line=escape(line.name)),
            "x": [point.costs[view.asked.x] for point in line.points],
            "y": [_percent(point.accuracy.mean) for point in line.points],
            "line": {"color": "@soft", "dash": "dot", "width": 2},
            "hovertemplate": f"{marked('scaling_figure.ceiling_hover')}<br>%{{y:.1f}} %<extra></extra>",
        }
        for line in view.ceiling
    ]  # fmt: skip


def _best(view: View) -> list[dict[str, Any]]:
    """The envelope as steps with its band; each level holds to the next budget, and a little beyond the last."""
    if not view.best:
        return []
    last = max(point.costs[view.asked.x] for _, point in view.points)
    x = [best.budget for best in view.best] + [_BEYOND * max(last, view.best[-1].budget)]
    shares = [best.accuracy for best in view.best] + [view.best[-1].accuracy]
    edge = {"type": "scatter", "mode": "lines", "x": x, "line": {"width": 0, "shape": "hv"}, "hoverinfo": "skip",
            "showlegend": False, "legendgroup": "best", "meta": "best"}  # fmt: skip
    chosen = [named(best) for best in view.best]
    within = marked("scaling_figure.best_hover", share="%{y:.1f} %")
    name = "scaling_figure.best_halves" if view.asked.envelope == "halves" else "scaling_figure.best_same"
    return [
        edge | {"y": [_percent(share.low) for share in shares]},
        edge | {"y": [_percent(share.high) for share in shares], "fill": "tonexty", "fillcolor": "@band"},
        {
            "type": "scatter", "mode": "lines", "x": x, "y": [_percent(share.mean) for share in shares],
            "name": marked(name),
            "line": {"color": "@best", "width": 3, "shape": "hv"}, "opacity": 0.75, "legendgroup": "best",
            "meta": "best",
            "customdata": [*chosen, chosen[-1]],
            "hovertemplate": f"{within}<br>%{{customdata}}<extra></extra>",
        },
    ]  # fmt: skip


def named(best: Best) -> str:
    """The configurations that are best within a budget."""
    several = (say("scaling_figure.best_of", method=method(of), n=of.n) for of in best.chosen)
    return f" {say('scaling_figure.best_or')} ".join(several)


def _greedy(view: View, beside: bool) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """A thin line across for each larger policy's greedy answer."""
    end = 1 - _PANEL if beside else 1
    shapes, notes = [], []
    for point in view.greedy:
        height, policy = _percent(point.accuracy.mean), escape(point.configuration.policy)
        shapes.append({
            "type": "line", "xref": "paper", "x0": 0, "x1": end, "y0": height, "y1": height, "layer": "below",
            "line": {"color": "@soft", "width": 1, "dash": "longdash"},
        })  # fmt: skip
        notes.append({
            "xref": "paper", "x": 0.005, "xanchor": "left", "y": height, "yanchor": "bottom", "showarrow": False,
            "text": marked("scaling_figure.greedy", policy=policy, share=f"{height:.1f}"),
            "font": {"size": 11, "color": "@soft"}, "bgcolor": "@ground", "opacity": 0.9, "borderpad": 0,
        })  # fmt: skip
    return shapes, notes


def _published(published: Sequence[Published]) -> list[dict[str, Any]]:
    if not published:
        return []
    over = marked("scaling_figure.published_hover", what="%{customdata[0]}, %{customdata[1]}", share="%{y:.1f} %")
    source = marked("scaling_figure.published_table", table="%{customdata[2]}")
    return [{
        "type": "scatter", "mode": "markers", "name": marked("scaling_figure.published"), "meta": "published",
        "xaxis": "x2",
        "x": [METHODS.index(each.method) for each in published], "y": [each.accuracy for each in published],
        "marker": {"symbol": "star-diamond-open", "size": 11, "color": "@soft", "line": {"width": 1.5}},
        "customdata": [[each.model, each.method, each.table] for each in published],
        "hovertemplate": f"{over}<br>{source}<extra></extra>",
    }]  # fmt: skip


def _layout(view: View, spans: Sequence[float]) -> dict[str, Any]:
    axis: dict[str, Any] = {
        "title": {"text": say(f"scaling_figure.axis_{view.asked.x}")}, "color": "@ink", "gridcolor": "@grid",
        "linecolor": "@soft", "zeroline": False, "type": "log",
    }  # fmt: skip
    if view.asked.x == "n":
        ticks = sorted({point.configuration.n for _, point in view.points})
        axis |= {"tickvals": ticks, "ticktext": [f"{n:,}" for n in ticks]}
    else:
        axis |= {"exponentformat": "SI", "dtick": "D2" if _decades(spans) < 3 else 1}
    return _base() | {"xaxis": axis, "yaxis": _accuracy(None), "meta": {"below": 66}}


def _decades(spans: Sequence[float]) -> float:
    known = [span for span in spans if span > 0]
    return len(str(int(max(known) / min(known)))) if known else 0


def _accuracy(span: list[float] | None) -> dict[str, Any]:
    return {
        "title": {"text": say("scaling_figure.accuracy")}, "color": "@ink", "gridcolor": "@grid", "zeroline": False,
        **({"range": span} if span else {}),
    }  # fmt: skip


def _base() -> dict[str, Any]:
    return {
        "paper_bgcolor": "@ground", "plot_bgcolor": "@ground", "font": {"color": "@ink", "size": 13},
        "margin": {"l": 56, "r": 16, "t": 12, "b": 48}, "hovermode": "closest", "showlegend": True,
        "legend": {"orientation": "h", "x": 0, "xanchor": "left", "y": -0.2, "yanchor": "top"},
        "hoverlabel": {"bgcolor": "@ground", "bordercolor": "@soft", "font": {"color": "@ink"}, "align": "left"},
        "dragmode": False,
    }  # fmt: skip


def _errors(shares: Sequence[Interval], colour: str) -> dict[str, Any]:
    return {
        "type": "data", "symmetric": False, "thickness": 1.2, "width": 4, "color": colour,
        "array": [_percent(share.high - share.mean) for share in shares],
        "arrayminus": [_percent(share.mean - share.low) for share in shares],
    }  # fmt: skip


def _percent(share: float) -> float:
    return round(100 * share, 3)


def percents(share: Interval) -> str:
    """An accuracy with its interval: 65.7 [60.3, 71.0]."""
    return f"{100 * share.mean:.1f} [{100 * share.low:.1f}, {100 * share.high:.1f}]"
