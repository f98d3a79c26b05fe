"""The lines a tree reads: always one valid JSON object a line, whatever text they carry."""

from __future__ import annotations

import json

import pytest

from tts_ui.web.components import (
    copies_line,
    decide_line,
    end_line,
    grade_line,
    node_line,
    run_line,
    score_line,
    truth_line,
)  # fmt: skip
from tts_ui.web.components.tree_lines import ACTIONS, LABEL_LENGTH

TEXTS = ["", "a\nb\r", 'quote " and \\ slash', "</script>", "\u2028 \u2029", "\ud800", "\U0001f600" * 200, "x" * 9999]


@pytest.mark.parametrize("text", TEXTS)
def test_every_text_stays_one_line(text: str) -> None:
    for line in (run_line("r", text), node_line(1, 0, text)):
        assert line.endswith("\n") and len(line.splitlines()) == 1
        assert "<" not in line
        line.encode("utf-8")
        json.loads(line)


def test_long_text_is_cut() -> None:
    label = json.loads(node_line(1, 0, "word " * 100))[4]
    assert len(label) <= LABEL_LENGTH and label.endswith("…")


def test_texts_that_look_alike_when_cut_are_told_apart() -> None:
    long = "word " * 100
    lines = [json.loads(node_line(1, 0, text)) for text in (long, long + "\n\n", long + "end", "short")]
    keys = [line[7] if len(line) > 7 else None for line in lines]
    assert keys[0] == keys[1] and keys[0] != keys[2] and keys[3] is None


def test_a_node_says_only_what_differs() -> None:
    assert json.loads(node_line(3, 0, "text", seq=12)) == ["n", 12, 3, 0, "text"]
    assert json.loads(node_line(3, 0, "text", tokens=17, logprob=-1.234)) == ["n", 0, 3, 0, "text", 17, -1.23]
    full = json.loads(node_line(3, 0, "text", finish="eos", copies=2, origin="human", answer="42"))
    assert full == ["n", 0, 3, 0, "text", *[None] * 5, {"f": "eos", "c": 2, "o": "human", "a": "42"}]
    sure = json.loads(node_line(3, 0, "text", tokens=17, confidence=14.126, certainty=float("nan")))
    assert sure == ["n", 0, 3, 0, "text", 17, None, None, 14.1]
    assert json.loads(copies_line(3, 5, seq=13)) == ["c", 13, 3, 5]


def test_no_score_is_invented() -> None:
    assert json.loads(score_line(1, 0.93))[3] == 0.93
    assert [json.loads(score_line(1, value))[3] for value in (None, float("nan"), float("inf"))] == [None] * 3


def test_the_other_lines() -> None:
    assert json.loads(score_line(3, 0.5, seq=4, judge="another")) == ["v", 4, 3, 0.5, "another"]
    assert json.loads(truth_line(3, True, seq=4)) == ["x", 4, 3, True]
    assert json.loads(decide_line(3, "prune", seq=4)) == ["d", 4, 3, ACTIONS.index("prune")]
    visited = decide_line(3, "backup", seq=4, reason="mean", numbers={"visits": 7, "mean": 0.123456, "from": 9})
    assert json.loads(visited) == ["d", 4, 3, ACTIONS.index("backup"), {"n": 7, "m": 0.1235}]
    left = decide_line(3, "prune", reason="width_reached", numbers={"n": 16, "finished": 16})
    assert json.loads(left) == ["d", 0, 3, ACTIONS.index("prune"), {"r": "width_reached", "n": 16}]
    kept = decide_line(3, "keep", reason="subtree_rank", numbers={"subtree": 2, "rank": 1})
    assert json.loads(kept) == ["d", 0, 3, ACTIONS.index("keep"), {"u": 2}]
    assert json.loads(grade_line(3, None)) == {"t": "grade", "id": 3, "ok": None}
    assert json.loads(end_line("stopped")) == {"t": "end", "status": "stopped"}


def test_a_new_step_costs_at_most_200_bytes_on_the_wire() -> None:
    """Of a long sentence, late in a search of 100,000 nodes, with its score and a decision: as Gradio streams it."""
    sentence = "Then we add the 123 pencils that she found at home to those in the boxes, which gives 4,567 pencils."
    step = node_line(
        99_999, 99_990, sentence, seq=299_997, tokens=24, logprob=-12.345, confidence=14.126, certainty=21.344
    )
    new = step + score_line(99_999, 0.1234567, seq=299_998) + decide_line(99_999, "prune", seq=299_999)
    assert len(json.dumps(new, ensure_ascii=False).encode()) - 2 <= 200
