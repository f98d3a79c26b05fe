"""What a decode pass costs on a quiet machine and beside a process that keeps one core busy, by how threads wait.

Each way of waiting is a process of its own, because OpenMP reads its settings once; each holds the same model behind
the local back end's public door. Blocks of a few passes alternate between the ways and between quiet and busy, and
medians of the blocks count. Other processes are neighbours, too: blocks during which they took more than a little of
the CPU do not count, and how many do is said.

`TTS_UI_BENCH_MODEL` names the folder of a real checkpoint; without it a random one in the shape of Qwen2.5-0.5B is
used.
"""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

import psutil

from benchmarks.plain_search import PROBLEM
from benchmarks.random_models import HALF_BILLION, save_checkpoint
from benchmarks.report import Figure
from engine.models.policies.local import LocalPolicy
from engine.search.cost import PolicyCost
from engine.search.policy import Draw, Sampling, TokenBudget

TITLE = "milliseconds per decode pass of a 0.5B model, quiet and beside one busy core, by how threads wait"
ROWS = (1, 8, 32)
PASSES, ROUNDS = 6, 9
#: Cores that others may use during a block that counts.
LITTLE = 0.15
OURS = "as the product sets it"
#: What differs in the environment; libgomp spins 300,000 times if nobody says otherwise.
WAYS: Mapping[str, Mapping[str, str]] = {
    OURS: {},
    "spinning briefly": {"GOMP_SPINCOUNT": "4000"},
    "spinning (libgomp's own)": {"GOMP_SPINCOUNT": "300000"},
    "one thread": {"OMP_NUM_THREADS": "1"},
}
_CALL = "import sys; from benchmarks.busy_neighbour import serve; serve(sys.argv[1])"
_SETTINGS = ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT", "KMP_BLOCKTIME", "KMP_LIBRARY", "OMP_NUM_THREADS")


def measure(ways: Mapping[str, Mapping[str, str]] = WAYS, rounds: int = ROUNDS) -> list[Figure]:
    with tempfile.TemporaryDirectory() as place:
        folder = os.environ.get("TTS_UI_BENCH_MODEL") or str(save_checkpoint(Path(place) / "policy", HALF_BILLION))
        started = {name: Decoding([_CALL, folder], settings) for name, settings in ways.items()}
        try:
            times, others = blocks(started, rounds)
        finally:
            for each in started.values():
                each.close()
    calm = sum(each <= LITTLE for each in others)
    figures = [
        Figure("other processes, cores in use, median (largest)", f"{middle(others):.2f} ({max(others):.2f})"),
        Figure("blocks that count", f"{calm} of {len(others)}"),
    ]
    for rows in ROWS:
        for name in ways:
            quiet, busy = times[name, rows, False], times[name, rows, True]
            cell = f"{spread(quiet)} -> {spread(busy)} ms, x {middle(busy) / middle(quiet):.2f}"
            figures.append(Figure(f"{rows} rows, {name}: quiet -> busy", cell, "<= 1.5" if name == OURS else ""))
        best = min((middle(times[name, rows, False]) for name in ways if times[name, rows, False]), default=1.0)
        ratio = middle(times[OURS, rows, False]) / best
        figures.append(Figure(f"{rows} rows, quiet: {OURS} / the best", f"{ratio:.2f}", "<= 1.1"))
    return figures


_Times = dict[tuple[str, int, bool], list[float]]


def blocks(started: Mapping[str, Decoding], rounds: int) -> tuple[_Times, list[float]]:
    """Milliseconds per pass of the blocks that count, and for all blocks the cores that other processes used."""
    times: _Times = {(name, rows, busy): [] for name in started for rows in ROWS for busy in (False, True)}
    others: list[float] = []
    for number in range(-1, rounds):  # one round to warm up
        for rows in ROWS:
            for name in sorted(started, reverse=bool(number % 2)):
                for busy in (False, True) if number % 2 else (True, False):
                    took, foreign = started[name].block(rows, busy=busy)
                    if number >= 0:
                        others.append(foreign)
                        times[name, rows, busy] += [took] * (foreign <= LITTLE)
    return times, others


class Decoding:
    """A process that holds the model and decodes when it is told to."""

    def __init__(self, program: list[str], settings: Mapping[str, str]) -> None:
        inherited = {name: value for name, value in os.environ.items() if name not in _SETTINGS}
        command = [sys.executable, "-c", *program]
        self._process = subprocess.Popen(
            command, env={**inherited, **settings}, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self._watched = psutil.Process(self._process.pid)
        self._told: IO[str] = _open(self._process.stdin)
        self._says: IO[str] = _open(self._process.stdout)

    def block(self, rows: int, *, busy: bool) -> tuple[float, float]:
        """Milliseconds per pass, and the cores that others used."""
        neighbour = subprocess.Popen([sys.executable, "-S", "-c", "while True: pass"]) if busy else None
        start, before, own = time.perf_counter(), _used(), self._own()
        try:
            self._told.write(f"{rows}\n")
            self._told.flush()
            took = float(json.loads(self._says.readline()))
            seconds = time.perf_counter() - start
            foreign = (_used() - before - (self._own() - own)) / seconds - (_share(neighbour, seconds))
        finally:
            if neighbour:
                neighbour.kill()
                neighbour.wait()
        return took, max(0.0, foreign)

    def _own(self) -> float:
        spent = self._watched.cpu_times()
        return spent.user + spent.system

    def close(self) -> None:
        self._told.close()
        self._process.wait()


def serve(folder: str) -> None:
    """The process of one way: a number of rows comes in, milliseconds per pass go out."""
    policy = LocalPolicy("policy", Path(folder), delimiter="\0")  # never written: a draw ends at its limit
    try:
        asyncio.run(_answer(policy))
    finally:
        policy.close()


async def _answer(policy: LocalPolicy) -> None:
    session = policy.session(PROBLEM)
    for line in sys.stdin:
        draws = [Draw((), seed) for seed in range(int(line))]
        await session.extend(draws[:1], Sampling(max_step_tokens=1), TokenBudget(), PolicyCost())  # the prompt
        start = time.perf_counter()
        steps = await session.extend(draws, Sampling(max_step_tokens=PASSES), TokenBudget(), PolicyCost())
        passes = max(step.tokens for step in steps)
        print(json.dumps((time.perf_counter() - start) * 1000 / passes), flush=True)


def _used() -> float:
    """CPU seconds that all processes of this machine have used."""
    spent = psutil.cpu_times()
    return float(spent.user + spent.system + getattr(spent, "nice", 0.0))


def _share(neighbour: subprocess.Popen[Any] | None, seconds: float) -> float:
    return 0.0 if neighbour is None else psutil.Process(neighbour.pid).cpu_times().user / seconds


def middle(values: list[float]) -> float:
    return statistics.median(values) if values else float("nan")


def spread(values: list[float]) -> str:
    """Median, smallest and largest."""
    return f"{middle(values):.0f} ({min(values):.0f}-{max(values):.0f}, {len(values)} blocks)" if values else "no block"


def _open(pipe: IO[str] | None) -> IO[str]:
    assert pipe is not None
    return pipe
