"""From the runs on record to the table that the README quotes."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping, Sequence
from itertools import combinations
from statistics import fmean
from typing import Any

import torch

from benchmarks.builtin_report.tables import difference, table
from benchmarks.real_model.plan import GROUPS, LONGEST, WIDTH, N
from benchmarks.report import percent
from engine.runs.question import Question
from engine.runs.statistics.accuracies import bootstrap, paired
from engine.runs.sweeps.cells import Cell
from engine.runs.sweeps.sweep import Sweep
from engine.search.strategies import STRATEGIES
from engine.store import RunRecord
from tts_ui.words.numbers import count


def text(sweep: Sweep, asked: Sequence[Question], spent: Mapping[str, Any], about: str, source: str) -> str:
    """The results as one Markdown document. `spent`: a group's seconds and the tokens generated in them;
    `source`: the file of the problems."""
    cells = {_title(cell): (group, cell) for group, cells in GROUPS.items() for cell in cells}
    runs = {title: _in_order(sweep, cell, asked) for title, (_, cell) in cells.items()}
    head = ["method", "N", "right, %", "tokens per problem", "judge's tokens per problem", "seconds per token"]
    body = [
        [
            title,
            str(_draws(cell)),
            percent(bootstrap(_right(runs[title]))),
            count(round(fmean(run.usage.generated_tokens for run in runs[title]))),
            count(round(fmean(run.usage.scored_tokens for run in runs[title]))),
            f"{spent[group]['seconds'] / spent[group]['tokens']:.4f}" if spent.get(group, {}).get("tokens") else "n/a",
        ]
        for title, (group, cell) in cells.items()
    ]
    gaps = [
        [f"{better} - {worse}", difference(paired(_right(runs[better]), _right(runs[worse])))]
        for worse, better in combinations(runs, 2)
    ]
    unanswered = ", ".join(f"{title} {sum(run.answer is None for run in of)}" for title, of in runs.items())
    undecided = sum(run.answer is not None and run.correct is None for of in runs.values() for run in of)
    return f"""# Search with a real model

Written by `make real` from recorded runs; nothing here is typed by hand. {about}

The first {len(asked)} problems of `{source}`; temperature 0.8, seed 0, M = {WIDTH}; completions of
at most {count(LONGEST)} tokens. Accuracies with 95 % confidence intervals (bootstrap over problems, paired for
differences; * marks those that exclude 0).

{table(head, body)}

| difference in points | |
|---|---|
{chr(10).join(f"| {what} | {gap} |" for what, gap in gaps)}

Majority vote and best-of-N read the same samples; their time is the same and includes the judge's. All problems of a
method are searched side by side, so a token takes less time than in a search on its own. {torch.get_num_threads()}
threads on {os.cpu_count()} cores ({_processor()}), torch {torch.__version__}.
Runs without an answer: {unanswered}; answers that could not be compared in time: {undecided}.
"""


def _title(cell: Cell) -> str:
    return STRATEGIES[cell.params.strategy].title


def _draws(cell: Cell) -> int:
    return N if "n" in cell.params.method.options else 1


def _in_order(sweep: Sweep, cell: Cell, asked: Sequence[Question]) -> list[RunRecord]:
    runs = sweep.done(cell)
    return [runs[question.problem] for question in asked]


def _right(runs: Sequence[RunRecord]) -> list[float]:
    return [float(bool(run.correct)) for run in runs]


def _processor() -> str:
    """As Linux names it; elsewhere what Python knows."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as lines:
            return next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.machine()
