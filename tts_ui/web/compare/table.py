"""The heads above the trees and the one table under them. Pure functions of the runs; every text is escaped."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from engine.search.events import Usage
from engine.search.tree import Tree
from engine.store import RunRecord
from tts_ui.web.parts.fragments import answer_line, outcome_mark
from tts_ui.words.counting import counted
from tts_ui.words.interface import say
from tts_ui.words.interface.markup import marked
from tts_ui.words.parameters import LETTERS
from tts_ui.words.results import cost_columns, costs, no_answer, run_outcome, votes
from tts_ui.words.texts import short

_FIRST_COLUMNS = ("strategy", "answer", "outcome", "votes")


def badge(place: int) -> str:
    """The letter of a run on its colour."""
    letter = LETTERS[place]
    return f'<b class="badge run-{letter.lower()}">{letter}</b>'


def head(place: int, label: str, record: RunRecord, tree: Tree) -> str:
    """Above a tree: which run it is, what it answers, and what it has cost so far."""
    spent = counted("tokens", record.usage.generated_tokens)
    return (
        f'<div class="run-head">{badge(place)} <b>{escape(label)}</b> <i>{spent}</i>'
        f"<div>{answer_line(record, tree)}</div></div>"
    )


def table(
    labels: Sequence[str],
    records: Sequence[RunRecord],
    trees: Sequence[Tree],
    shared: Usage | None,
    fair: Sequence[str],
) -> str:
    """One row per run, their sum, and (`shared`) what was actually computed; `fair` are the sentences above it."""
    rows = "".join(
        _row(f"{badge(place)} {escape(label)}", _cells(record, tree), f"run-{LETTERS[place].lower()}")
        for place, (label, record, tree) in enumerate(zip(labels, records, trees, strict=True))
    )
    total = costs(Usage.total(record.usage for record in records))
    rows += _row(marked("compare.sum"), ["", "", "", *total], "sum")
    if shared:
        rows += _row(marked("compare.computed"), ["", "", "", *costs(shared)], "sum real")
    heads = "".join(f"<th>{escape(name, quote=False)}</th>" for name in _columns())
    said = "".join(f"<p>{escape(sentence)}</p>" for sentence in fair if sentence)
    return f'<div class="fair">{said}</div><table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>'


def _columns() -> list[str]:
    return [*(say(f"compare.column_{name}") for name in _FIRST_COLUMNS), *cost_columns()]


def _row(first: str, cells: Sequence[str], kind: str) -> str:
    """A row whose cells name their column, which a phone shows in front of each."""
    rest = "".join(
        f'<td data-column="{escape(name)}">{cell}</td>' for name, cell in zip(_columns()[1:], cells, strict=True)
    )
    return f'<tr class="{kind}"><th scope="row">{first}</th>{rest}</tr>'


def _cells(record: RunRecord, tree: Tree) -> list[str]:
    running = record.status == "running"
    answer = marked("status.running") if running else escape(no_answer())
    answer = escape(short(record.answer)) if record.answer is not None else answer
    ended = "" if record.status in ("done", "running") else f" ({marked(f'compare.ended_{record.status}')})"
    outcome = outcome_mark(record, record.correct) if run_outcome(record) else ""
    cells = costs(record.usage, scored=record.scorer is not None)
    return [f"<b>{answer}</b>{ended}", outcome, votes(record, tree), *cells]
