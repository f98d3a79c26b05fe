"""A public server and a hundred visitors who do what people do, for half an hour: what goes wrong, who waits how long,
and what grows."""

from __future__ import annotations

import asyncio
import os
import statistics
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from benchmarks.endurance.crowd import Told, crowd
from benchmarks.endurance.watched import Sample, serving, watching
from benchmarks.report import Figure

TITLE = "endurance: a public server, visitors with browsers' requests, errors, waits and what grows"
#: Minutes and visitors, as `--minutes` and `--visitors` say.
MINUTES, VISITORS = "TTS_UI_BENCH_MINUTES", "TTS_UI_BENCH_VISITORS"


def measure() -> list[Figure]:
    minutes, visitors = float(os.environ.get(MINUTES) or 30), int(os.environ.get(VISITORS) or 100)
    with tempfile.TemporaryDirectory() as place:
        told, samples, log = endured(Path(place), 60 * minutes, visitors)
    return figures(told, samples, log, f"{visitors} visitors, {minutes:g} minutes")


def endured(folder: Path, seconds: float, visitors: int, *, pace: float = 1.0) -> tuple[Told, list[Sample], str]:
    """What the visitors were told, what the server took, and what it logged. At `pace` 2 they think twice as fast."""
    told = Told()
    with serving(folder) as server, watching(server, lambda: _progress(told)) as samples:
        asyncio.run(crowd(server.url, told, seconds, visitors, pace))
        samples.append(server.sample())
    return told, samples, server.log.read_text(encoding="utf-8", errors="replace")


def _progress(told: Told) -> None:
    """A line a minute: half an hour is long."""
    said = f"errors: {_counted(told.errors)}; {_counted(told.did)}; to the end: {_waits(told.whole)}"
    print(f"{time.strftime('%H:%M')} {said}", file=sys.stderr, flush=True)


def figures(told: Told, samples: list[Sample], log: str, name: str) -> list[Figure]:
    begun, middle, end = samples[min(len(samples) // 10, len(samples) - 1)], samples[len(samples) // 2], samples[-1]
    of_three = ("after a tenth of the time, in the middle, at the end", (begun, middle, end))
    return [
        Figure(f"{name}: errors", _counted(told.errors), "0"),
        Figure("lines of the server's log that are errors", str(len(errors_in(log))), "0"),
        Figure("what they did", _counted(told.did)),
        Figure("refused: the line is full", str(told.refused)),
        Figure(
            "seconds from Run to its first sign (the place in line, the tree): p50, p95, most", _waits(told.answered)
        ),
        Figure("seconds from Run to the first step on the page: p50, p95, most", _waits(told.first)),
        Figure("seconds from Run to the end: p50, p95, most", _waits(told.whole)),
        Figure("seconds to load a page: p50, p95, most", _waits(told.pages)),
        Figure(f"memory, MB, {of_three[0]}", ", ".join(f"{each.memory / 1e6:.0f}" for each in of_three[1]), "flat"),
        Figure("open handles, likewise", ", ".join(str(each.handles) for each in of_three[1]), "flat"),
        Figure("threads, likewise", ", ".join(str(each.threads) for each in of_three[1]), "flat"),
        Figure("SQLite, MB, likewise", ", ".join(f"{each.database / 1e6:.1f}" for each in of_three[1])),
        Figure("load of the machine, likewise", ", ".join(f"{each.load:.1f}" for each in of_three[1])),
    ]


def errors_in(log: str) -> list[str]:
    """Lines that say that something went wrong inside."""
    marks = ("Traceback", "ERROR", "Exception", "Error:")
    return [line for line in log.splitlines() if any(mark in line for mark in marks)]


def _counted(found: Counter[str]) -> str:
    return ", ".join(f"{count:,} {what}" for what, count in found.most_common()) or "0"


def _waits(seconds: list[float]) -> str:
    if len(seconds) < 2:
        return ", ".join(f"{each:.1f}" for each in seconds) or "none"
    shares = statistics.quantiles(seconds, n=100, method="inclusive")
    return f"{shares[49]:.1f}, {shares[94]:.1f}, {max(seconds):.1f} (of {len(seconds):,})"
