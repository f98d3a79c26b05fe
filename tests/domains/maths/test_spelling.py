"""Spelling: what is layout does not count, and what differs stays different."""

from __future__ import annotations

import pytest

from engine.domains.maths.spelling import as_number, normalise


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("$42$", "42"), ("1,234", "1234"), (r"1{,}234", r"1{,}234"), (r"10\,000", "10000"), ("42.", "42"),
        (r"\dfrac{1}{2}", r"\frac{1}{2}"), (r"\left(1, 2\right)", "(1,2)"), (r"\text{Monday}", "Monday"),
        ("x + 1", "x+1"), ("1,234,567", "1234567"), (r"1,\!234", "1234"),
    ],
)  # fmt: skip
def test_spelling_does_not_matter(one: str, other: str) -> None:
    assert normalise(one) == normalise(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("1 1/2", "11/2"), ("1 2", "12"), ("12,34", "1234"), ("a b", "a c"), ("(1,200)", "(1200)"),
        ("100,200,300", "100200300"), (r"\leftarrow", r"\rightarrow"), (r"\leftarrow", "arrow"),
    ],
)  # fmt: skip
def test_what_differs_stays_different(one: str, other: str) -> None:
    assert normalise(one) != normalise(other)


def test_numbers_are_exact() -> None:
    assert as_number("0.5") == as_number("1/2") == as_number(r"\frac{1}{2}") == as_number(r"\dfrac{2}{4}")
    assert as_number("0.1") != as_number("0.10000000000000001")
    assert as_number(r"-\frac{1}{3}") == as_number("-1/3")
    assert as_number("033") == as_number("33")
    assert as_number("1/0") is None
    assert as_number("x") is None
    assert as_number("1e5") is None
    assert as_number("9" * 5000) is None
