"""A sweep on Ray with two workers on this machine, and with one, against the same sweep in one process.

Best-of-N and beam search, N = 16, on problems that the built-in model can read, recorded in SQLite. What is compared is
the pace between the first and the last run that comes in, so that starting (a worker imports torch and loads its
models) is told apart. Every process has one thread, and no worker gives way to others, as Ray's do otherwise.
"""

from __future__ import annotations

import asyncio
import os
import pickle
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass

import torch

from benchmarks.report import Figure
from engine.domains import Domains
from engine.models.catalogue.catalogue import Catalogue
from engine.runs.problem_sets import problem_set
from engine.runs.sweeps.cells import Cell
from engine.runs.sweeps.on_ray import Cluster, connected, search_on_ray
from engine.runs.sweeps.sweep import Sweep
from engine.search.params import RunParams
from engine.store import Store

TITLE = "a sweep on Ray, two workers on this machine, against one process; N = 16, two strategies"
N, PROBLEMS = 16, 60
CELLS = tuple(Cell("builtin-xs", RunParams(strategy, n=N)) for strategy in ("best_of_n", "beam_search"))


@dataclass(frozen=True, slots=True)
class Timed:
    """Seconds until the first run came in, and runs a second from then on."""

    start_s: float
    pace: float


def measure() -> list[Figure]:
    os.environ.setdefault("RAY_worker_niceness", "0")
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    questions = [each.question for each in problem_set("builtin-1000", limit=PROBLEMS).problems]
    catalogue, cells = Catalogue(), list(CELLS)
    loaded = {cell: catalogue.load(cell.models) for cell in cells}
    with tempfile.TemporaryDirectory() as folder, Domains() as domains, Store.open(f"{folder}/runs.db") as store:

        def timed(name: str, search: Callable[[Sweep, Callable[[], None]], object]) -> Timed:
            came: list[float] = []
            began = time.perf_counter()
            search(Sweep(name, store, domains), lambda: came.append(time.perf_counter()))
            return Timed(came[0] - began, (len(came) - 1) / (came[-1] - came[0]))

        here = timed("here", lambda sweep, came: asyncio.run(sweep.search(loaded, questions, came)))
        with connected("local"):
            one, two = (
                timed(
                    f"{actors} workers",
                    lambda sweep, came, actors=actors: asyncio.run(  # type: ignore[misc]
                        search_on_ray(sweep, cells, questions, Cluster("local", actors), progress=came)
                    ),
                )
                for actors in (1, 2)
            )
        store.flush()
        sizes = [len(pickle.dumps(store.events(run.id))) for run in store.runs(limit=2 * PROBLEMS)]
    catalogue.close()
    torch.set_num_threads(threads)
    return [
        Figure("one process", f"{here.pace:.1f} runs/s"),
        Figure("Ray, one worker", f"{one.pace:.1f} runs/s ({one.pace / here.pace:.2f} x)"),
        Figure("Ray, two workers", f"{two.pace:.1f} runs/s ({two.pace / here.pace:.2f} x)"),
        Figure("overhead of Ray a run (one worker against one process)", f"{1e3 / one.pace - 1e3 / here.pace:.1f} ms"),
        Figure("what a run sends to the driver", f"{sum(sizes) / len(sizes) / 1e3:.0f} kB"),
        Figure("until the first run is back: here, one worker, two",
               f"{here.start_s:.1f} s, {one.start_s:.1f} s, {two.start_s:.1f} s"),
    ]  # fmt: skip
