"""A small sweep that was really run: built-in problems, greedy, best-of-N and beam search, by the smallest policy."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

from engine.domains.builtin.sets import problem_set
from engine.runs.host import Host
from engine.runs.question import Question
from engine.runs.sweeps.cells import Cell
from engine.runs.sweeps.sweep import Sweep
from engine.search.params import RunParams
from engine.store.ids import new_run_id
from engine.store.owner import this_process
from engine.store.sweep_records import SweepRecord, SweepStatus

POLICY = "builtin-xs"
CELLS = tuple(
    Cell(POLICY, params)
    for params in (
        RunParams("greedy"), RunParams("best_of_n", n=8), *(RunParams("beam_search", n=n, width=4) for n in (4, 8)),
    )
)  # fmt: skip


def swept(host: Host, name: str = "small", problems: int = 12, status: SweepStatus = "done") -> str:
    """Run it in the host's store; returns its id."""
    found = problem_set("builtin-1000")[:problems]
    sweep = Sweep(new_run_id(), host.store, host.domains)
    cells = {cell: host.catalogue.load(cell.models, cell.scorer) for cell in CELLS}
    questions = [Question(problem.text, problem.answer) for problem in found]
    with ThreadPoolExecutor(1) as apart:  # where there is a browser, this thread has a loop that runs
        apart.submit(sweep.run, cells, questions).result()
    planned = len(CELLS) * problems
    host.store.save_sweep(
        SweepRecord(
            id=sweep.name, name=name, created_at="2026-01-02T03:04:05+00:00", status=status, problem_set="builtin-1000",
            problems=problems, cells=len(CELLS), planned=planned, done=planned, configuration={}, questions=(),
            elapsed_s=0.0, error=None, product_version="", owner=this_process(), heartbeat=time.time(),
        )
    )  # fmt: skip
    return sweep.name
