"""`kill -9` at random moments of `solve`, of a sweep and of a server, and a PostgreSQL server that is restarted under
load: is anything lost that somebody was shown, and is every database whole afterwards?"""

from __future__ import annotations

import os
import random
import tempfile
from collections import Counter
from pathlib import Path

from benchmarks.kills import postgresql
from benchmarks.kills.killed import KINDS, Killing
from benchmarks.report import Figure

TITLE = "kills: kill -9 while runs are recorded, and PostgreSQL restarted under load"
#: How often, as `--times` says.
TIMES = "TTS_UI_BENCH_TIMES"
#: Restarts of PostgreSQL for so many kills.
_RESTARTS = 10


def measure() -> list[Figure]:
    times = int(os.environ.get(TIMES) or 200)
    with tempfile.TemporaryDirectory() as place:
        found, seen = killed(Path(place), times)
    figures = [
        Figure("kills, by what was killed", _counted(seen)),
        Figure("faults after a kill", _counted(found) or "0", "0"),
    ]
    return figures + postgresql.measure(max(2, times // _RESTARTS))


def killed(folder: Path, times: int, seed: int = 0) -> tuple[Counter[str], Counter[str]]:
    """The faults by kind, and what was seen: kills by what they hit, events and runs that had been shown before."""
    draw, faults, seen = random.Random(seed), Counter[str](), Counter[str]()
    killings = [Killing(kind, folder / f"{kind}.db", folder, draw) for kind in KINDS]
    for number in range(times):
        killings[number % len(killings)].once(faults, seen)
    return faults, seen


def _counted(found: Counter[str]) -> str:
    return ", ".join(f"{count:,} {what}" for what, count in found.most_common())
