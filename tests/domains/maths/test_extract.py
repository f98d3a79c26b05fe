"""What a completion answers: the content of its last complete box, however hostile the text."""

from __future__ import annotations

import pytest

from engine.domains.maths.extract import extract_answer


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        (r"The final answer is: $\boxed{42}$.", "42"),
        (r"\boxed{\frac{1}{2}} and so on", r"\frac{1}{2}"),
        (r"\boxed{\left\{\frac{a}{b}\right\}}", r"\left\{\frac{a}{b}\right\}"),
        (r"\boxed{\left\{1, 2\right.}", r"\left\{1, 2\right."),
        (r"first \boxed{1}, no: \boxed{2}", "2"),
        (r"\boxed{1} but \boxed{2 is never closed", "1"),
        (r"\boxed {7}", "7"),
        (r"\fbox{8}", "8"),
        (r"\boxed{\boxed{5}}", "5"),
        (r"\boxed{ 6 }", "6"),
        (r"} {\boxed{9}", "9"),
        ("the answer is 12", None),
        (r"\boxed{}", None),
        (r"\boxed{1} then \boxed{  }", None),
        (r"\boxed 5", None),
        ("", None),
    ],
)
def test_the_answer_is_what_the_last_complete_box_holds(text: str, answer: str | None) -> None:
    assert extract_answer(text) == answer


@pytest.mark.parametrize("text", [r"\boxed{" * 40_000, "{" * 200_000 + "}" * 200_000, r"\boxed{}" * 40_000])
def test_hostile_text_has_no_answer(text: str) -> None:
    """A way of reading that took the square of its length would not come to an end here."""
    assert extract_answer(text) is None
