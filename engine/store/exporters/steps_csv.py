"""A run as a table, for spreadsheets and pandas: one row a step, one column a judge. The problem, step 0, has no row.

A spreadsheet takes a cell that begins with = + - or @ for a formula, and what a model wrote must never be one: such a
text gets an apostrophe in front, unless it is a plain number. Control characters are spelled as in JSON.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence

from engine.characters import escaped
from engine.search.events import Event
from engine.search.tree import Node, Tree
from engine.store.records import RunRecord

COLUMNS = (
    "id", "parent", "depth", "text", "tokens", "logprob", "confidence", "certainty", "finish", "copies", "origin",
    "status", "answer", "correct", "chosen", "seq",
)  # fmt: skip

#: Wide forms of the four, too: some programs take them for the same.
_FORMULA = re.compile(r"\s*[=+\-@\uff1d\uff0b\uff0d\uff20]")
_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?([eE][+-]?\d+)?")


def render(record: RunRecord, events: Sequence[Event]) -> bytes:
    tree = Tree.from_events(events)
    judges = list(dict.fromkeys(judge for node in tree.nodes for judge in node.scores))
    written = io.StringIO()
    table = csv.writer(written, lineterminator="\n")
    table.writerow([*COLUMNS, *(_cell(f"score {judge}") for judge in judges)])
    for node in tree.nodes[1:]:
        table.writerow([*_row(record, tree, node), *(node.scores.get(judge, "") for judge in judges)])
    return written.getvalue().encode()


def _row(record: RunRecord, tree: Tree, node: Node) -> list[object]:
    grade = record.grades.get(node.answer) if node.answer is not None else None
    return [
        node.id, node.parent, node.depth, _cell(node.text), node.tokens, _number(node.logprob),
        _number(node.confidence), _number(node.certainty), node.finish, node.copies, node.origin, node.status,
        _cell(node.answer or ""), _truth(grade.correct) if grade else "", _truth(node.id == tree.chosen), node.seq,
    ]  # fmt: skip


def _number(value: float | None) -> float | str:
    return "" if value is None else value


def _truth(value: bool | None) -> str:
    return "" if value is None else "true" if value else "false"


def _cell(text: str) -> str:
    shown = escaped(text)
    return f"'{shown}" if _FORMULA.match(shown) and not _NUMBER.fullmatch(shown) else shown
