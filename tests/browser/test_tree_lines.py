"""The lines a tree reads: always one valid JSON object a line, whatever text they carry."""

from __future__ import annotations

import json

import pytest

from tts_ui.web.components import decide_line, end_line, grade_line, node_line, run_line, score_line
from tts_ui.web.components.tree_lines import LABEL_LENGTH

TEXTS = ["", "a\nb\r", 'quote " and \\ slash', "</script>", "\u2028 \u2029", "\ud800", "\U0001f600" * 200, "x" * 9999]


@pytest.mark.parametrize("text", TEXTS)
def test_every_text_stays_one_line(text: str) -> None:
    for line in (run_line("r", text), node_line(1, 0, text)):
        assert line.endswith("\n") and len(line.splitlines()) == 1
        assert "<" not in line
        line.encode("utf-8")
        json.loads(line)


def test_long_text_is_cut() -> None:
    label = json.loads(node_line(1, 0, "word " * 100))["x"]
    assert len(label) <= LABEL_LENGTH and label.endswith("…")


def test_texts_that_look_alike_when_cut_are_told_apart() -> None:
    long = "word " * 100
    keys = [json.loads(node_line(1, 0, text)).get("k") for text in (long, long + "\n\n", long + "end", "short")]
    assert keys[0] == keys[1] and keys[0] != keys[2] and keys[3] is None


def test_a_node_says_only_what_differs() -> None:
    assert json.loads(node_line(3, 0, "text", depth=1, seq=12)) == {
        "t": "node", "s": 12, "id": 3, "p": 0, "d": 1, "x": "text", "f": "step",
    }  # fmt: skip
    full = json.loads(node_line(3, 0, "text", finish="eos", copies=2, origin="human", tokens=17))
    assert (full["f"], full["c"], full["o"], full["n"]) == ("eos", 2, "human", 17)


def test_no_score_is_invented() -> None:
    assert json.loads(score_line(1, 0.93))["v"] == 0.93
    assert [json.loads(score_line(1, value))["v"] for value in (None, float("nan"), float("inf"))] == [None] * 3


def test_the_other_lines() -> None:
    assert json.loads(decide_line(3, "prune", seq=4)) == {"t": "decide", "s": 4, "id": 3, "a": "prune"}
    assert json.loads(grade_line(3, None)) == {"t": "grade", "id": 3, "ok": None}
    assert json.loads(end_line("stopped")) == {"t": "end", "status": "stopped"}
