"""Every strategy at the same token budget on 100 held-out problems: is a tree search worse than plain sampling?

Users of other tools report that MCTS does worse than best-of-N for the same spend. Each search may ask for 64
completions, and its budget cuts it off long before; the differences are paired over problems.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from benchmarks.report import Figure, percent
from engine.domains import Domains
from engine.domains.builtin.sets import problem_set
from engine.models.catalogue.catalogue import Catalogue
from engine.runs.question import Question
from engine.runs.statistics.accuracies import bootstrap, paired
from engine.runs.sweeps.cells import Cell
from engine.runs.sweeps.sweep import Sweep
from engine.search.params import RunParams
from engine.store import Store

BUDGET, N, WIDTH, PROBLEMS = 1000, 64, 4, 100
STRATEGIES = ("best_of_n", "mcts", "beam_search", "dvts")
TITLE = f"accuracy at {BUDGET} generated tokens each, {PROBLEMS} held-out problems"


def measure() -> list[Figure]:
    problems = problem_set("builtin-validation")[:PROBLEMS]
    questions = [Question(problem.text, problem.answer) for problem in problems]
    catalogue, domains = Catalogue(), Domains()
    right: dict[str, list[float]] = {}
    spent: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder, Store.open(str(Path(folder) / "runs.db")) as store:
        sweep = Sweep("equal tokens", store, domains)
        for strategy in STRATEGIES:
            cell = Cell("builtin-xs", RunParams(strategy, n=N, width=WIDTH, max_tokens_total=BUDGET))
            sweep.run({cell: catalogue.load("builtin-xs")}, questions)
            runs = sweep.done(cell)
            right[strategy] = [float(bool(runs[question.problem].correct)) for question in questions]
            spent[strategy] = sum(run.usage.generated_tokens for run in runs.values()) / len(runs)
    domains.close()
    catalogue.close()
    sampling = right["best_of_n"]
    found = [
        Figure(f"{name}, accuracy % ({spent[name]:,.0f} tokens per problem)", percent(bootstrap(right[name])))
        for name in STRATEGIES
    ]
    for name in STRATEGIES[1:]:
        gap = paired(right[name], sampling)
        goal = "not below 0 by more than the interval" if name == "mcts" else ""
        found.append(Figure(f"{name} - best_of_n, points", percent(gap), goal))
    return found
