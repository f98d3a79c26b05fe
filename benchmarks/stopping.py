"""What a vote costs that stops once it is sure, and what that does to accuracy: recorded runs of best-of-64 read again.

Each run holds 64 independent draws, so it says how many of them `--stop beta:T` would have taken and what it would have
answered, at no model cost and paired by construction. Where the order of the draws is not on record, a run stands for
the mean over many orders. `--db` names a store with the runs of the built-in report.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace

from benchmarks.builtin_report.plan import POLICIES, sampled
from benchmarks.builtin_report.runs import sweep_name
from benchmarks.report import Figure
from engine.domains import Domains
from engine.runs.statistics.accuracies import paired
from engine.runs.stopping import Stopped, stopped
from engine.search.interval import Interval
from engine.search.selection import choose
from engine.store import Store

TITLE = "votes that stop early, read from recorded runs of best-of-64 (--db names the built-in report's store)"
N, ORDERS = 64, 10
THRESHOLDS = (0.9, 0.95, 0.99)
RULES = ("majority_vote", "prm_last_vote")


def measure() -> list[Figure]:
    db = os.environ.get("TTS_UI_BENCH_DB", "")
    if not db:
        return [Figure("not measured", "give --db FILE: a store with the runs of `make report`", "")]
    figures: list[Figure] = []
    with Store.reading(db) as store, Domains() as domains:
        for policy in POLICIES[:2]:
            figures += _of_policy(policy, store, domains)
    return figures


def _of_policy(policy: str, store: Store, domains: Domains) -> list[Figure]:
    cell = sampled(policy, N)
    records = {run.problem: run for run in store.sweep(cell.sweep_id(sweep_name())) if run.status == "done"}
    whole: dict[str, list[float]] = {rule: [] for rule in RULES}
    read: dict[tuple[str, float], list[Stopped]] = {(rule, t): [] for rule in RULES for t in THRESHOLDS}
    for record in records.values():
        tree = store.tree(record.id)
        for rule in RULES:
            asked = replace(record, params={**record.params, "select": rule})
            winner = choose(asked.answers(tree))
            whole[rule].append(float(bool(winner and winner.correct)))
            for threshold in THRESHOLDS:
                read[rule, threshold].append(stopped(asked, tree, domains[record.domain], threshold, ORDERS))
    return [_figure(policy, rule, threshold, runs, whole[rule]) for (rule, threshold), runs in read.items()]


def _figure(policy: str, rule: str, threshold: float, runs: Sequence[Stopped], whole: Sequence[float]) -> Figure:
    right = [sum(each.share for each in run.answers if each.correct) for run in runs]
    saved = 1 - sum(run.tokens for run in runs) / sum(run.all_tokens for run in runs)
    drawn = sum(run.drawn for run in runs) / len(runs)
    return Figure(
        f"{policy}, {rule}, beta:{threshold:g}, {len(runs)} problems",
        f"{100 * saved:.1f} % of the tokens saved, {drawn:.1f} of {N} draws; accuracy {_mean(right)} against"
        f" {_mean(whole)} %, difference {_points(paired(right, whole))} points",
        "40 % saved, within 0.5 points" if threshold == 0.95 else "",
    )


def _mean(values: Sequence[float]) -> str:
    return f"{100 * sum(values) / len(values):.1f}"


def _points(interval: Interval) -> str:
    return f"{100 * interval.mean:+.2f} [{100 * interval.low:+.2f}, {100 * interval.high:+.2f}]"
