"""`tts-ui grade`: equal, different or undecided, and by which rule."""

from __future__ import annotations

import json

import pytest
from support.command_line import Cli


@pytest.mark.parametrize(
    ("answer", "reference", "said"),
    [
        ("1/2", "0.5", "equal (number)"),
        ("-5", "-5.0", "equal (number)"),
        ("1+x", "x + 1", "equal (value)"),
        ("(1,200)", "1200", "different (value)"),
        ("9^{9^{9^9}}", "9^{9^{9^8}}", "undecided (undecided)"),
    ],
)
def test_the_verdict_and_its_rule(tts_ui: Cli, answer: str, reference: str, said: str) -> None:
    outcome = tts_ui("grade", answer, reference)
    assert (outcome.code, outcome.out.strip(), outcome.err) == (0, said, "")


def test_one_document(tts_ui: Cli) -> None:
    assert json.loads(tts_ui("grade", "50%", "0.5", "--json").out) == {
        "format": "tts-ui.grade", "version": 1, "answer": "50%", "reference": "0.5", "verdict": "equal",
        "graded_by": "value",
    }  # fmt: skip


def test_an_empty_answer_is_refused(tts_ui: Cli) -> None:
    outcome = tts_ui("grade", " ", "5")
    assert (outcome.code, outcome.err) == (2, "tts-ui: ANSWER: it is empty; give an answer\n")
