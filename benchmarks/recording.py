"""What recording adds to a search: the store's recorder on a real file against a sink that forgets.

Beam search N=16 on the built-in examples, 100 runs with each sink, alternating. CPU time is that of the whole
process, recorder thread included; the time to flush the store is counted, so nothing is left to do later.
"""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.report import Figure
from engine.domains import Domains
from engine.domains.builtin.problems import examples
from engine.models.catalogue.catalogue import Catalogue
from engine.runs.question import Question
from engine.runs.run import Run
from engine.search.events import Event, Usage
from engine.search.params import RunParams
from engine.search.search import Sink
from engine.store import Store
from engine.store.ids import new_run_id

TITLE = "CPU time that recording adds to beam search, N = 16"
RUNS = 100


def measure() -> list[Figure]:
    catalogue, domains = Catalogue(), Domains()
    models = catalogue.load()
    questions = [Question(problem.text, problem.answer) for problem in examples()]

    def search(run_id: str, seed: int, sink: Sink) -> None:
        params = RunParams(strategy="beam_search", n=16, width=4, seed=seed)
        run = Run(
            run_id, questions[seed % len(questions)], params, models.policy, models.scorer, domains["maths"], sink
        )
        asyncio.run(run.execute())

    def forget(events: Sequence[Event], usage: Usage) -> None:
        pass

    with tempfile.TemporaryDirectory() as folder, Store.open(str(Path(folder) / "runs.db")) as store:

        def recorded(seed: int) -> float:
            start = time.process_time()
            run_id = new_run_id()
            search(run_id, seed, lambda events, usage: store.record(events, usage, run_id))
            store.flush(run_id)
            return time.process_time() - start

        def forgotten(seed: int) -> float:
            start = time.process_time()
            search(new_run_id(), seed, forget)
            return time.process_time() - start

        for seed in range(4):  # warm up both
            recorded(seed), forgotten(seed)
        with_store, without = [], []
        for seed in range(RUNS):
            pair = [recorded, forgotten] if seed % 2 else [forgotten, recorded]
            times = {side.__name__: side(seed) for side in pair}
            with_store.append(times["recorded"])
            without.append(times["forgotten"])
        size = Path(store.url.removeprefix("sqlite:///")).stat().st_size
    domains.close()
    catalogue.close()
    added = statistics.median(a / b - 1 for a, b in zip(with_store, without, strict=True))
    total = sum(with_store) / sum(without) - 1
    return [
        Figure("CPU time per search, nothing recorded", f"{1000 * statistics.median(without):.0f} ms"),
        Figure("CPU time per search, recorded", f"{1000 * statistics.median(with_store):.0f} ms"),
        Figure(f"added by recording, median of {RUNS} pairs", f"{added:+.1%}", "< 3 %"),
        Figure("added by recording, in total", f"{total:+.1%}"),
        Figure("database per run", f"{size / (RUNS + 4) / 1024:.0f} KiB"),
    ]
