"""Run benchmarks by name: `python -m benchmarks [NAME ...]`; the names are those of the modules here.

Without a name it runs all but those of `BY_NAME_ONLY`, which take minutes, 5 GB or files of others. `--model` names a
checkpoint's folder, `--gguf` a file of llama.cpp's and `--db` a store of runs, for those that take them; `--minutes`,
`--visitors` and `--times` say how long endurance goes on, with how many visitors, and how often kills kills.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable, Mapping

import torch
from rich.console import Console
from rich.table import Table

from benchmarks import (
    busy_neighbour,
    compute_optimal,
    decode,
    endurance,
    equal_tokens,
    importing,
    kills,
    local_half_billion,
    processed,
    real_weights,
    recording,
    rescoring,
    rules,
    search,
    sharing,
    step_searches,
    stopping,
    strangers,
    sweeping,
    sweeping_on_ray,
    useful_width,
)
from benchmarks.report import Figure

BENCHMARKS: Mapping[str, tuple[str, Callable[[], list[Figure]]]] = {
    "busy_neighbour": (busy_neighbour.TITLE, busy_neighbour.measure),
    "compute_optimal": (compute_optimal.TITLE, compute_optimal.measure),
    "decode": (decode.TITLE, decode.measure),
    "endurance": (endurance.TITLE, endurance.measure),
    "equal_tokens": (equal_tokens.TITLE, equal_tokens.measure),
    "importing": (importing.TITLE, importing.measure),
    "kills": (kills.TITLE, kills.measure),
    "processed": (processed.TITLE, processed.measure),
    "recording": (recording.TITLE, recording.measure),
    "rules": (rules.TITLE, rules.measure),
    "rescoring": (rescoring.TITLE, rescoring.measure),
    "search": (search.TITLE, search.measure),
    "sharing": (sharing.TITLE, sharing.measure),
    "step_searches": (step_searches.TITLE, step_searches.measure),
    "stopping": (stopping.TITLE, stopping.measure),
    "strangers": (strangers.TITLE, strangers.measure),
    "sweeping": (sweeping.TITLE, sweeping.measure),
    "sweeping_on_ray": (sweeping_on_ray.TITLE, sweeping_on_ray.measure),
    "useful_width": (useful_width.TITLE, useful_width.measure),
    "real_weights": (real_weights.TITLE, real_weights.measure),
    "local_half_billion": (local_half_billion.TITLE, local_half_billion.measure),
}
BY_NAME_ONLY = (
    "busy_neighbour", "compute_optimal", "endurance", "importing", "kills", "local_half_billion", "real_weights",
    "rescoring", "rules", "step_searches", "stopping", "strangers", "sweeping_on_ray", "useful_width",
)  # fmt: skip


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser("python -m benchmarks")
    parser.add_argument("names", nargs="*")
    parser.add_argument("--model", default=os.environ.get("TTS_UI_BENCH_MODEL", ""))
    parser.add_argument("--gguf", default=os.environ.get("TTS_UI_BENCH_GGUF", ""))
    parser.add_argument("--db", default=os.environ.get("TTS_UI_BENCH_DB", ""))
    parser.add_argument("--minutes", default="30", help="how long endurance goes on")
    parser.add_argument("--visitors", default="100", help="how many visitors endurance has")
    parser.add_argument("--times", default="200", help="how often kills kills")
    asked = parser.parse_args(arguments)
    os.environ |= {"TTS_UI_BENCH_MODEL": asked.model, "TTS_UI_BENCH_GGUF": asked.gguf, "TTS_UI_BENCH_DB": asked.db}
    os.environ |= {endurance.MINUTES: asked.minutes, endurance.VISITORS: asked.visitors, kills.TIMES: asked.times}
    names: list[str] = asked.names
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
