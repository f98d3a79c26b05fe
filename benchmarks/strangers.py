"""What strangers can do to a host: a crowd, a hog and a flood of large runs; and what an idle server takes.

Each part is a process of its own, so that its memory, file handles and threads are its own. Crowd and hog meet the
limits of a public server and ask through the door that the pages use (`Host.line_up`). The flood asks, with the limits
of one's own machine, for what once took 23.8 GB; it is stopped after `FLOOD_S`, when its rows have long been full.
"""

from __future__ import annotations

import json
import resource
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import psutil

from benchmarks.plain_search import PROBLEM
from benchmarks.report import Figure
from engine.errors import Busy, TtsError
from engine.models.catalogue.catalogue import Catalogue
from engine.runs.host import Host
from engine.runs.limits import PUBLIC, Limits
from engine.runs.question import Question
from engine.search.params import RunParams
from engine.store import Store

TITLE = "strangers: waits, memory, handles and threads under public limits, and an idle server"
VISITORS, RUNS, ROUNDS = 100, 3, 10
#: Small enough that all of it takes minutes.
USUAL = {"strategy": "best_of_n", "n": 4}
NORMAL_RUNS, FLOOD_S, IDLE_S = 20, 60.0, 10.0
PORT = "17877"
#: The whole crowd may wait at once here: 300 requests a round, where a public server takes 100.
CROWD = PUBLIC | {"waiting": VISITORS * RUNS}


def measure() -> list[Figure]:
    crowd, hog, flood, idle = (_child(part) for part in ("crowd", "hog", "flood", "idle"))
    waits, alone, beside = crowd["waits"], hog["alone"], hog["beside"]
    return [
        Figure(f"{VISITORS} visitors, {RUNS} runs each, {ROUNDS} rounds: errors", str(crowd["errors"]), "0"),
        Figure("their waits until the end, s: p50, p95", f"{_share(waits, 50):.1f}, {_share(waits, 95):.1f}"),
        Figure("memory, MB, after the first round and the last", _pair(crowd["memory"], 1e6), "flat"),
        Figure("file handles, after the first round and the last", _pair(crowd["handles"]), "flat"),
        Figure("threads, after the first round and the last", _pair(crowd["threads"]), "flat"),
        Figure("a normal visitor alone, s: p50, p95", f"{_share(alone, 50):.2f}, {_share(alone, 95):.2f}"),
        Figure("the same beside a hog, s: p50, p95", f"{_share(beside, 50):.2f}, {_share(beside, 95):.2f}", "seconds"),
        Figure("peak memory of the flood, GB", f"{flood['peak'] / 1e9:.1f}", "< 8 above the models"),
        Figure("memory before it, GB", f"{flood['before'] / 1e9:.1f}"),
        Figure("closing in the middle of it, s", f"{flood['closing']:.1f}", "< 10"),
        Figure("idle server, share of a core", f"{idle['share']:.1%}", "< 1 %"),
    ]


def _pair(values: list[int], unit: float = 1) -> str:
    return f"{values[0] / unit:.0f}, {values[-1] / unit:.0f}"


def _share(values: list[float], percent: int) -> float:
    return statistics.quantiles(values, n=100, method="inclusive")[percent - 1]


def _child(part: str) -> dict[str, Any]:
    source = f"from benchmarks import strangers; strangers.print_part({part!r})"
    done = subprocess.run([sys.executable, "-c", source], stdout=subprocess.PIPE, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def print_part(name: str) -> None:
    parts: dict[str, Callable[[], dict[str, Any]]] = {"crowd": crowd, "hog": hog, "flood": flood, "idle": idle}
    print(json.dumps(parts[name]()))


@contextmanager
def _host(limits: Limits) -> Iterator[Host]:
    with (
        tempfile.TemporaryDirectory() as place,
        Store.open(str(Path(place) / "runs.db")) as store,
        closing(Host(store, Catalogue(), limits=limits)) as host,
    ):
        host.catalogue.load()
        yield host


def crowd() -> dict[str, Any]:
    """Every visitor asks for its runs of a round at once, and for those of the next when they are over."""
    process = psutil.Process()
    found: dict[str, Any] = {"waits": [], "errors": 0, "memory": [], "handles": [], "threads": []}
    with _host(Limits(**CROWD)) as host:
        for round_ in range(ROUNDS):
            asked = [
                (time.monotonic(), host.line_up(Question(PROBLEM), _usual(round_ * RUNS + run), visitor=str(visitor)))
                for visitor in range(VISITORS)
                for run in range(RUNS)
            ]
            for since, ticket in asked:
                try:
                    ticket.result().future.result()
                    found["waits"].append(time.monotonic() - since)
                except TtsError:
                    found["errors"] += 1
            found["memory"].append(process.memory_info().rss)
            found["handles"].append(process.num_fds())
            found["threads"].append(process.num_threads())
    return found


def hog() -> dict[str, Any]:
    """One who always has as many of the largest runs in the line as may wait, and one who asks now and then."""
    with _host(Limits(**PUBLIC)) as host:
        alone = [_timed(host, seed) for seed in range(NORMAL_RUNS)]
        over = threading.Event()

        def fill() -> None:
            seed = 0
            while not over.wait(0.05):
                try:
                    host.line_up(
                        Question(PROBLEM), RunParams("best_of_n", n=256, temperature=1.5, seed=seed), visitor="hog"
                    )
                    seed += 1
                except Busy:
                    pass

        filling = threading.Thread(target=fill)
        filling.start()
        while len(host.running) < host.limits.runs_per_visitor:
            time.sleep(0.05)
        beside = [_timed(host, seed) for seed in range(NORMAL_RUNS)]
        over.set()
        filling.join()
        return {"alone": alone, "beside": beside}


def flood() -> dict[str, Any]:
    """N = 2048 and three of N = 1024 on the largest built-in policy, at a temperature at which no draw ends early."""
    with _host(Limits()) as host:
        host.catalogue.load("builtin-l")
        before = psutil.Process().memory_info().rss
        for seed, n in enumerate((2048, 1024, 1024, 1024)):
            host.line_up(Question(PROBLEM), RunParams("best_of_n", n=n, temperature=4.0, seed=seed), "builtin-l")
        until = time.monotonic() + FLOOD_S
        while time.monotonic() < until:
            time.sleep(0.1)
        began = time.monotonic()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return {"before": before, "peak": peak, "closing": time.monotonic() - began}


def idle() -> dict[str, Any]:
    """A server of which nobody asks anything."""
    with tempfile.TemporaryDirectory() as place:
        command = [sys.executable, "-m", "tts_ui", "serve", "--public", "--port", PORT, "--db", f"{place}/runs.db"]
        served = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        try:
            assert served.stdout is not None
            served.stdout.readline()
            watched = psutil.Process(served.pid)
            time.sleep(IDLE_S)  # the default models are loaded meanwhile
            before = watched.cpu_times()
            time.sleep(IDLE_S)
            after = watched.cpu_times()
        finally:
            served.terminate()
            served.wait()
    return {"share": (after.user + after.system - before.user - before.system) / IDLE_S}


def _usual(seed: int) -> RunParams:
    return RunParams(**USUAL, seed=seed)  # type: ignore[arg-type]


def _timed(host: Host, seed: int) -> float:
    began = time.monotonic()
    host.line_up(Question(PROBLEM), _usual(seed), visitor="normal").result().future.result()
    return time.monotonic() - began
