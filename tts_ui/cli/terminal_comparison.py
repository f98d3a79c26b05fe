"""A comparison as one table: what each strategy found and spent, the actual total, what was equal and what was not."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from engine.search.tree import Tree
from engine.store import ComparisonRecord, RunRecord
from tts_ui.cli.terminal import bought, console_for_text, fitting, one_line
from tts_ui.words.fairness import budget_sentence, shared_sentence, window_sentence
from tts_ui.words.results import cost_columns, costs, no_answer, run_outcome, votes

_FIRST_COLUMNS = ("strategy", "answer", "", "votes")
#: What gives way on a narrow terminal, the first one first; strategies, answers and outcomes stay.
_GIVING_WAY = ("calls", "FLOPs (paper)", "time", "PRM tokens", "FLOPs (all)", "votes", "tokens")


def print_comparison(
    record: ComparisonRecord, runs: Sequence[tuple[RunRecord, Tree]], look_again: Sequence[str]
) -> None:
    console = console_for_text()
    names = (*_FIRST_COLUMNS, *cost_columns(abbreviated=True))
    judged = any(run.scorer for run, _ in runs)
    cells = [(run.strategy, *_found(run, tree), *costs(run.usage, scored=run.scorer is not None)) for run, tree in runs]
    cells.append(("actual total", "", "", "", *costs(record.shared, scored=judged)))
    rows = [dict(zip(names, row, strict=True)) for row in cells]
    table = Table(box=None, pad_edge=False)
    for name in fitting(rows, _GIVING_WAY, console.width):
        text = name in ("strategy", "answer", "")
        table.add_column(name, justify="left" if text else "right", no_wrap=True, max_width=24, overflow="ellipsis")
    for row in rows:
        shown = [Text(row[str(column.header)]) for column in table.columns]
        table.add_row(*shown, style="dim" if row is rows[-1] else None)
    console.print(table)
    for line in [*_fair(runs), *_large_models(runs)]:
        console.print(Text(line), soft_wrap=True)
    for line in look_again:
        console.print(Text(line, style="dim"), soft_wrap=True)


def _found(run: RunRecord, tree: Tree) -> tuple[str, str, str]:
    """Answer, outcome (or what ended the run instead), votes."""
    state = "" if run.status == "done" else run.status
    answer = one_line(run.answer or run.error or no_answer())
    return answer, " ".join(filter(None, [run_outcome(run), state])), votes(run, tree)


def _fair(runs: Sequence[tuple[RunRecord, Tree]]) -> list[str]:
    """What was equal and what was not; whether the samples are shared."""
    records, trees, names = [run for run, _ in runs], [tree for _, tree in runs], [run.strategy for run, _ in runs]
    if not records:
        return []
    said = [budget_sentence(records, names), shared_sentence(records, trees, names)]
    said.append(window_sentence(records, trees, names))
    return [sentence for sentence in said if sentence]


def _large_models(runs: Sequence[tuple[RunRecord, Tree]]) -> list[str]:
    return [f"the FLOPs of {run.strategy} give {same}" for run, _ in runs if (same := bought(run.usage))]
