"""Does (gap / noise)^2 predict how many draws a judge can choose among (arXiv 2603.15377)? Five judges, two policies.

64 draws of each of 300 held-out problems at temperature 0.8, scored by the five built-in judges. For each judge the
predicted widths stand beside the best K of best-of-K on the same draws; Kendall's tau-b compares the orders of the
five, with the best K, and with what 64 draws gain over one, which has no ties. How K is predicted: `useful_width`.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Sequence

from benchmarks.report import Figure
from engine.domains import Domains
from engine.domains.builtin.sets import problem_set
from engine.models.catalogue.catalogue import Catalogue
from engine.runs.lab.evidence import read
from engine.runs.lab.rescoring import rescore
from engine.runs.lab.useful_width import Width, useful_width
from engine.runs.question import Question
from engine.runs.statistics.resampling import kendall
from engine.runs.sweeps.cells import Cell
from engine.runs.sweeps.sweep import Sweep
from engine.search.params import RunParams
from engine.store import RunRecord, Store

TITLE = "the useful width of five judges, predicted and measured, over 300 problems of 64 draws"
SET, PROBLEMS, N = "builtin-1000", 300, 64
POLICIES = ("builtin-xs", "builtin-s")
JUDGES = ("builtin-prm", "builtin-prm-weak", "builtin-prm-short", "builtin-prm-rollouts", "builtin-likelihood")


def measure() -> list[Figure]:
    figures: list[Figure] = []
    catalogue = Catalogue()
    problems = [Question(each.text, each.answer) for each in problem_set(SET)[:PROBLEMS]]
    with (
        tempfile.TemporaryDirectory() as place,
        Store.open(f"{place}/runs.db") as store,
        Domains() as domains,
    ):
        for policy in POLICIES:
            cell, sweep = Cell(policy, RunParams("best_of_n", n=N)), Sweep("width", store, domains)
            sweep.run({cell: catalogue.load(policy)}, problems)
            runs = store.sweep(cell.sweep_id("width"))
            for judge in JUDGES[1:]:
                asyncio.run(rescore(store, [run.id for run in runs], catalogue.judge(judge)))
            figures += table(store, domains, runs)
    catalogue.close()
    return figures


def table(store: Store, domains: Domains, runs: Sequence[RunRecord]) -> list[Figure]:
    """The figures of one policy's recorded runs."""
    trees, policy = read(store, domains, runs), runs[0].policy.name
    widths = [width for judge in JUDGES if (width := useful_width(trees.evidence(judge), policy))]
    figures = [Figure(f"{policy}, {width.judge}", _said(width)) for width in widths]
    predicted = [width.whole.width.mean for width in widths]
    modelled = [float(width.modelled) for width in widths]
    best = [float(width.measured.best) for width in widths]
    gains = [width.measured.accuracy[-1].mean - width.measured.accuracy[0].mean for width in widths]
    return [
        *figures,
        Figure(f"{policy}: tau-b, predicted K and the best K", _tau(predicted, best)),
        Figure(f"{policy}: tau-b, predicted K and the gain of {N} draws", _tau(predicted, gains)),
        Figure(f"{policy}: tau-b, own noises' K and the best K", _tau(modelled, best)),
        Figure(f"{policy}: the predicted K, up to {N}, is in the best K's interval", _of(widths)),
    ]


def _tau(one: Sequence[float], other: Sequence[float]) -> str:
    tau = kendall(one, other)
    return "n/a" if tau is None else f"{tau:.2f}"


def _of(widths: Sequence[Width]) -> str:
    return f"{sum(width.agrees for width in widths)} of {len(widths)} judges"


def _said(width: Width) -> str:
    whole, best = width.whole, width.measured.best_interval()
    first, top, last = (
        width.measured.accuracy[place].mean for place in (0, width.measured.ks.index(width.measured.best), -1)
    )
    ranged = f"{best.mean:.0f} [{best.low:.0f}, {best.high:.0f}]"
    return (
        f"gap/noise {whole.gap.mean / whole.noise.mean:.2f}; K {whole.width.mean:.4g} [{whole.width.low:.3g}, "
        f"{whole.width.high:.3g}]; own noises {width.modelled}; best {ranged}; "
        f"accuracy of 1, best, {width.measured.ks[-1]}: {first:.3f}, {top:.3f}, {last:.3f}"
    )
