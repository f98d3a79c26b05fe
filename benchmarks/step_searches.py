"""VG-Search for g = 1 to 4 and particle filtering, beside beam search and best-of-N on the same problems and seed.

Accuracy is under the rule `prm_last_vote` (and `prm_last_max`, which is how particle filtering is published), read from
the same runs. FLOPs count prompts and the PRM, too. Differences are paired over problems.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

from benchmarks.reelected import right_by_rule
from benchmarks.report import Figure, percent
from engine.domains import Domains
from engine.domains.builtin.sets import problem_set
from engine.models.catalogue.catalogue import Catalogue
from engine.runs.question import Question
from engine.runs.statistics.accuracies import bootstrap, paired
from engine.runs.sweeps.cells import Cell
from engine.runs.sweeps.sweep import Sweep
from engine.search.params import RunParams
from engine.store import RunRecord, Store

SET, PROBLEMS = "builtin-validation", 150
N, M, JUDGE = 16, 4, "builtin-prm"
POLICIES = ("builtin-xs", "builtin-s")
RULES = ("prm_last_vote", "prm_last_max")
TITLE = f"VG-Search (g = 1 to 4) and particle filtering, N = {N}, {JUDGE}, {PROBLEMS} problems of {SET}, seed 0"

SEARCHES: Mapping[str, RunParams] = {
    "best_of_n": RunParams("best_of_n", n=N),
    "beam_search": RunParams("beam_search", n=N, width=M),
    **{f"vg_search, g = {g}": RunParams("vg_search", n=N, width=M, granularity=g) for g in (1, 2, 3, 4)},
    **{  # about the FLOPs of beam search
        f"vg_search, g = {g}, N = {n}": RunParams("vg_search", n=n, width=M, granularity=g)
        for g, n in ((2, 20), (3, 24), (4, 24))
    },
    "particle_filtering": RunParams("particle_filtering", n=N),
}


def measure() -> list[Figure]:
    """`--db` names a store to keep the runs in, or to go on with; else they are thrown away."""
    with tempfile.TemporaryDirectory() as folder:
        db = os.environ.get("TTS_UI_BENCH_DB") or str(Path(folder) / "runs.db")
        with Store.open(db) as store, Domains() as domains:
            return [figure for policy in POLICIES for figure in _of_policy(policy, store, domains)]


def _of_policy(policy: str, store: Store, domains: Domains) -> list[Figure]:
    questions = [Question(problem.text, problem.answer) for problem in problem_set(SET)[:PROBLEMS]]
    cells = {name: Cell(policy, params, JUDGE) for name, params in SEARCHES.items()}
    catalogue, sweep = Catalogue(), Sweep("step searches", store, domains)
    sweep.run({cell: catalogue.load(policy, JUDGE) for cell in cells.values()}, questions)
    catalogue.close()
    runs = {}
    for name, cell in cells.items():
        done = sweep.done(cell)
        runs[name] = [done[question.problem] for question in questions]
    right = {name: right_by_rule(store, found, RULES) for name, found in runs.items()}
    return [Figure(f"{policy}, {name}", _said(right, name, runs[name])) for name in SEARCHES]


def _said(right: Mapping[str, Mapping[str, list[float]]], name: str, records: list[RunRecord]) -> str:
    flops = sum(record.usage.flops_all for record in records) / len(records)
    tokens = sum(record.usage.generated_tokens for record in records) / len(records)
    told = [
        f"{rule} {percent(bootstrap(right[name][rule]))}, minus beam"
        f" {percent(paired(right[name][rule], right['beam_search'][rule]))}"
        for rule in RULES
    ]
    return f"{'; '.join(told)}; {tokens:.0f} tokens, {flops / 1e9:.2f} GFLOP a problem"
