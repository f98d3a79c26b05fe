"""The report's figures: Plotly, drawn to SVG by the plotly.js of the installed package in headless Chromium."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path

import plotly.graph_objects as go
from playwright.sync_api import sync_playwright

from benchmarks.builtin_report.measure import RULES, Outcomes, Reader
from benchmarks.builtin_report.plan import BUDGETS, JUDGE, POLICIES, SEARCHES, WEAK_JUDGE, greedy, sampled, searched
from benchmarks.builtin_report.tables import best_search
from engine.runs.statistics.accuracies import bootstrap
from engine.search.interval import Interval
from engine.search.strategies import STRATEGIES
from tts_ui.web.components.search_tree import plotly_js

#: Okabe and Ito's colours, which colour-blind readers tell apart.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
SIZE = {"width": 860, "height": 480}


def by_budget(reader: Reader, policy: str) -> go.Figure:
    """Accuracy against N for one policy: votes, maxima and searches, and the maximum under the weak PRM."""
    asked = reader.test
    figure = _figure(f"{policy}: accuracy against N", "N completions", {"type": "log", "tickvals": list(BUDGETS)})
    drawn = {n: reader.outcomes(sampled(policy, n), asked) for n in BUDGETS}
    lines = {name: {n: run.rules[name] for n, run in drawn.items() if run} for name in RULES}
    for strategy in SEARCHES:
        runs = {n: reader.outcomes(searched(policy, strategy, n), asked) for n in BUDGETS}
        lines[STRATEGIES[strategy].title] = {n: run.right for n, run in runs.items() if run}
    weak = {n: reader.outcomes(sampled(policy, n, WEAK_JUDGE), asked) for n in BUDGETS}
    lines["best-of-N, max, weak PRM"] = {n: run.rules["best-of-N, max"] for n, run in weak.items() if run}
    for number, (name, points) in enumerate(lines.items()):
        if points:
            shares = [bootstrap(right) for right in points.values()]
            figure.add_trace(_line(name, list(points), shares, COLOURS[number % len(COLOURS)]))
    one = reader.outcomes(greedy(policy), asked)
    if one:
        share = 100 * bootstrap(one.right).mean
        figure.add_hline(
            y=share,
            line_dash="dot",
            line_color="#666",
            annotation_text=f"greedy {share:.1f}",
            annotation_position="bottom left",
        )
    return figure


def by_flops(reader: Reader, field: str, title: str) -> go.Figure:
    """Accuracy against FLOPs per problem: each policy's greedy answer, and its best search at every N."""
    asked = reader.test
    figure = _figure(
        "Small with search against large and greedy", title, {"type": "log", "exponentformat": "power", "dtick": "D2"}
    )
    for number, policy in enumerate(POLICIES):
        best = best_search(reader, policy)
        points: list[tuple[str, Outcomes | None]] = [("greedy", reader.outcomes(greedy(policy), asked))]
        points += [(f"N = {n}", reader.outcomes(searched(policy, best, n), asked)) for n in BUDGETS] if best else []
        known = [(label, run) for label, run in points if run]
        if not known:
            continue
        name = f"{policy}, {STRATEGIES[best].title}" if best else policy
        flops = [run.mean(field if label != "greedy" else "flops_paper") for label, run in known]
        line = _line(name, flops, [bootstrap(run.right) for _, run in known], COLOURS[number])
        line.update(
            mode="lines+markers+text", text=[label for label, _ in known], textposition="bottom right", cliponaxis=False
        )
        figure.add_trace(line)
    return figure


def figures(reader: Reader) -> Mapping[str, go.Figure]:
    """File name -> figure, if there is something to draw."""
    drawn = {f"by-budget-{policy}": by_budget(reader, policy) for policy in POLICIES} | {
        "equivalence-policy-flops": by_flops(reader, "flops_paper", "FLOPs per problem, policy only (the paper's way)"),
        "equivalence-all-flops": by_flops(reader, "flops_all", f"FLOPs per problem, all: prompts and {JUDGE} too"),
    }
    return {name: figure for name, figure in drawn.items() if figure.data}


def write(found: Mapping[str, go.Figure], folder: Path) -> None:
    """Each figure as `NAME.svg`, and as `NAME.plotly.json` for further editing."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu", "--disable-quic"]
        )
        page = browser.new_page()
        page.add_script_tag(path=str(plotly_js()))
        for name, figure in found.items():
            drawn = figure.to_json()
            options = json.dumps({"format": "svg", "imageDataOnly": True, **SIZE})
            svg = page.evaluate(f"Plotly.toImage({drawn}, {options})")
            (folder / f"{name}.svg").write_text(str(svg) + "\n", encoding="utf-8")
            (folder / f"{name}.plotly.json").write_text(str(drawn) + "\n", encoding="utf-8")
        browser.close()


def _figure(title: str, x: str, axis: dict[str, object]) -> go.Figure:
    layout = go.Layout(
        title=title,
        xaxis={"title": x, **axis},
        yaxis={"title": "accuracy on builtin-1000, %", "rangemode": "normal"},
        template="plotly_white",
        legend={"orientation": "h", "y": -0.22},
        margin={"t": 56, "r": 64},
    )
    return go.Figure(layout=layout)


def _line(name: str, x: list[float] | list[int], shares: list[Interval], colour: str) -> go.Scatter:
    return go.Scatter(
        x=x,
        y=[100 * share.mean for share in shares],
        error_y={
            "type": "data",
            "array": [100 * (share.high - share.mean) for share in shares],
            "arrayminus": [100 * (share.mean - share.low) for share in shares],
            "thickness": 1,
            "width": 3,
        },
        mode="lines+markers",
        name=name,
        line={"color": colour},
    )
