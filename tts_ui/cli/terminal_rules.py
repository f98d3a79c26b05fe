"""The same finished run under every selection rule, as a table for a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from tts_ui.cli.terminal import console_for_text, one_line
from tts_ui.words import numbers
from tts_ui.words.results import no_answer, outcome
from tts_ui.words.rules import UnderRule, rule_words, under_rules

if TYPE_CHECKING:
    from engine.search.tree import Tree
    from engine.store import RunRecord


def print_rules(record: RunRecord, tree: Tree, judge: str | None) -> None:
    """What each rule would have answered, by `judge` where it reads scores, and what it reads."""
    console = console_for_text()
    if not any(tree.completions()):
        console.print(Text("No completion has finished, so no rule can choose."))
        return
    table = Table(box=None, pad_edge=False, expand=True)
    for name in ("rule", "would answer", "outcome", "weight"):
        table.add_column(name, no_wrap=True, overflow="ellipsis")
    table.add_column("what it reads", no_wrap=True, overflow="ellipsis", ratio=1)
    for read in under_rules(record, tree, judge):
        own = " (this run's)" if read.rule == record.params.get("select") else ""
        table.add_row(*map(Text, (read.rule + own, *_cells(record, read), rule_words(read.rule))))
    console.print(table)


def _cells(record: RunRecord, read: UnderRule) -> tuple[str, str, str]:
    winner = read.winner
    if winner is None:
        return read.lacks, "", ""
    graded = outcome(record, winner.correct) if winner.answer is not None else ""
    return one_line(winner.answer or no_answer()), graded, numbers.weight(winner.weight)
