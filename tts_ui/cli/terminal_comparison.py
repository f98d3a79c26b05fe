"""A comparison as one table: what each strategy found and spent, the actual total, what was equal and what was not."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from engine.search.tree import Tree
from engine.store import ComparisonRecord, RunRecord
from tts_ui.cli.terminal import bought, console_for_text, one_line
from tts_ui.words.fairness import budget_sentence, shared_sentence, window_sentence
from tts_ui.words.results import COST_COLUMNS, NO_ANSWER, costs, run_outcome, votes

_COLUMNS = ("answer", "", "votes", *COST_COLUMNS.values())


def print_comparison(
    record: ComparisonRecord, runs: Sequence[tuple[RunRecord, Tree]], look_again: Sequence[str]
) -> None:
    console = console_for_text()
    table = Table(box=None, pad_edge=False)
    table.add_column("strategy", no_wrap=True)
    for name in _COLUMNS:
        text = name in ("answer", "")
        table.add_column(name, justify="left" if text else "right", no_wrap=True, max_width=24, overflow="ellipsis")
    for run, tree in runs:
        table.add_row(run.strategy, *_found(run, tree), *costs(run.usage, scored=run.scorer is not None))
    judged = any(run.scorer for run, _ in runs)
    table.add_row("actual total", "", "", "", *costs(record.shared, scored=judged), style="dim")
    console.print(table)
    for line in [*_fair(runs), *_large_models(runs)]:
        console.print(Text(line), soft_wrap=True)
    for line in look_again:
        console.print(Text(line, style="dim"), soft_wrap=True)


def _found(run: RunRecord, tree: Tree) -> tuple[Text, str, str]:
    """Answer, outcome (or what ended the run instead), votes."""
    state = "" if run.status == "done" else run.status
    answer = Text(one_line(run.error or run.answer or NO_ANSWER))
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
