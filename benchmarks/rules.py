"""Every selection rule on the same finished runs: best-of-N on 300 held-out problems, each run read under all rules.

Reading costs no model anything, so the differences are paired over problems by construction.
"""

from __future__ import annotations

import tempfile
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
from engine.search.selection import RULES
from engine.store import RunRecord, Store

SET, PROBLEMS, N = "builtin-1000", 300, 16
POLICIES = ("builtin-xs", "builtin-s")
TITLE = f"accuracy of each selection rule on the same {PROBLEMS} runs of best-of-{N}, seed 0"


def measure() -> list[Figure]:
    questions = [Question(problem.text, problem.answer) for problem in problem_set(SET)[:PROBLEMS]]
    catalogue, domains = Catalogue(), Domains()
    figures: list[Figure] = []
    with tempfile.TemporaryDirectory() as folder, Store.open(str(Path(folder) / "runs.db")) as store:
        sweep = Sweep("rules", store, domains)
        for policy in POLICIES:
            cell = Cell(policy, RunParams("best_of_n", n=N))
            sweep.run({cell: catalogue.load(policy)}, questions)
            runs = sweep.done(cell)
            figures += _of_policy(policy, store, [runs[question.problem] for question in questions])
    domains.close()
    catalogue.close()
    return figures


def _of_policy(policy: str, store: Store, records: list[RunRecord]) -> list[Figure]:
    right = right_by_rule(store, records, RULES)
    plain = right["majority_vote"]
    return [
        Figure(f"{policy}, {rule}", f"{percent(bootstrap(found))}, minus majority {percent(paired(found, plain))}")
        for rule, found in right.items()
    ]
