"""The table of steps: what stands in it, and what a spreadsheet may take for a formula."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

import pytest
from support.sample_runs import SCORER, record_all, started, whole_run

from engine.search.events import Event, Grade, RunFinished, StepSampled, StepScored, Usage
from engine.store import Store
from engine.store.exporters import render
from engine.store.exporters.steps_csv import COLUMNS


def table(store: Store, run_id: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(render("csv", *store.read(run_id)).decode(), newline="")))


def recorded(store: Store, steps: Sequence[StepSampled | StepScored], grades: dict[str, Grade]) -> list[dict[str, str]]:
    log: list[Event] = [started("r1"), *steps, RunFinished("done", grades=grades)]
    store.record(log, Usage(), "r1")
    store.flush()
    return table(store, "r1")


def test_a_row_a_step_and_a_column_a_judge(store: Store) -> None:
    record_all(store, "r1", whole_run("r1"))
    store.flush()
    rows, tree = table(store, "r1"), store.tree("r1")
    assert list(rows[0]) == [*COLUMNS, f"score {SCORER.name}"]
    assert [int(row["id"]) for row in rows] == [node.id for node in tree.nodes[1:]]
    for row, node in zip(rows, tree.nodes[1:], strict=True):
        assert (row["parent"], row["depth"], row["text"]) == (str(node.parent), str(node.depth), node.text)
        assert (row["status"], row["copies"], row["finish"]) == (node.status, str(node.copies), node.finish)
        assert row["logprob"] == ("" if node.logprob is None else str(node.logprob))
        assert float(row[f"score {SCORER.name}"]) == node.scores[SCORER.name]
    assert (rows[-1]["answer"], rows[-1]["correct"], rows[-1]["chosen"]) == ("7", "true", "true")
    assert (rows[0]["answer"], rows[0]["correct"], rows[0]["chosen"]) == ("", "", "false")


FORMULAS = [
    '=HYPERLINK("http://127.0.0.1:9","x")', "+1+1", "-1+1", "@SUM(A1)", "  =1+1", "\n=1", "\t=1", "\uff1d1+1",
    "-x", "=",
]  # fmt: skip


@pytest.mark.parametrize("text", FORMULAS)
def test_no_text_is_a_formula(store: Store, text: str) -> None:
    steps: list[StepSampled | StepScored] = [
        StepSampled(1, 1, 0, 1, text, None, 3, None, "eos", answer=text),
        StepScored(2, 1, text, 0.5),
    ]
    [row] = recorded(store, steps, {})
    assert row["text"] == f"'{text}"
    assert row["answer"] == f"'{text}"
    assert not any(name.lstrip()[:1] in "=+-@" for name in row)


@pytest.mark.parametrize("number", ["-5", "+3.25", "-1e-3", "0.5", "12"])
def test_a_number_stays_a_number(store: Store, number: str) -> None:
    step = StepSampled(1, 1, 0, 1, f"It is {number}", None, 3, None, "eos", answer=number)
    [row] = recorded(store, [step], {number: Grade(number, False)})
    assert (row["answer"], row["correct"]) == (number, "false")


def test_quotes_lines_and_control_characters(store: Store) -> None:
    text = 'a "quoted", word\nand a line\r and \x1b[31mred\u202e, caf\u00e9 \u4e09'
    [row] = recorded(store, [StepSampled(1, 1, 0, 1, text, None, 3, None, "step")], {})
    shown = text.replace("\r", "\\u000d").replace("\x1b", "\\u001b").replace("\u202e", "\\u202e")
    assert row["text"] == shown
