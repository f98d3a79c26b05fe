"""Run benchmarks by name: `python -m benchmarks [NAME ...]`; the names are those of the modules here.

Without a name it runs all but `busy_neighbour` and `local_half_billion`, which take minutes and 5 GB of memory.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Mapping

import torch
from rich.console import Console
from rich.table import Table

from benchmarks import busy_neighbour, decode, equal_tokens, local_half_billion, processed, recording, search, sharing
from benchmarks.report import Figure

BENCHMARKS: Mapping[str, tuple[str, Callable[[], list[Figure]]]] = {
    "busy_neighbour": (busy_neighbour.TITLE, busy_neighbour.measure),
    "decode": (decode.TITLE, decode.measure),
    "equal_tokens": (equal_tokens.TITLE, equal_tokens.measure),
    "processed": (processed.TITLE, processed.measure),
    "recording": (recording.TITLE, recording.measure),
    "search": (search.TITLE, search.measure),
    "sharing": (sharing.TITLE, sharing.measure),
    "local_half_billion": (local_half_billion.TITLE, local_half_billion.measure),
}
BY_NAME_ONLY = ("busy_neighbour", "local_half_billion")


def main(names: list[str]) -> int:
    unknown = [name for name in names if name not in BENCHMARKS]
    if unknown:
        print(f"unknown benchmark {unknown[0]!r}; choose from {', '.join(BENCHMARKS)}", file=sys.stderr)
        return 2
    torch.set_num_threads(1)  # right for the built-in sizes, and the same for everything compared
    console = Console()
    console.print(f"torch {torch.__version__}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    for name in names or (each for each in BENCHMARKS if each not in BY_NAME_ONLY):
        title, measure = BENCHMARKS[name]
        start = time.monotonic()
        figures = measure()
        table = Table("figure", "measured", "goal", title=f"{name}: {title}", title_justify="left")
        for figure in figures:
            table.add_row(figure.name, figure.value, figure.goal)
        console.print(table)
        console.print(f"({time.monotonic() - start:.0f} s)\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
