"""A problem's text is read back into its family and numbers: exact answers and checked steps for any numbers."""

from __future__ import annotations

from itertools import islice

import pytest

from engine.domains.builtin.checked_steps import CheckedSteps
from engine.domains.builtin.families import BY_NAME
from engine.domains.builtin.known_answers import reference_answer
from engine.domains.builtin.problems import FAMILIES, stream
from engine.domains.builtin.reading import NoWholeAnswer, read_problem
from engine.domains.builtin.world import outside


@pytest.mark.parametrize("family", FAMILIES)
def test_every_wording_of_every_family_is_read_as_what_it_is(family: str) -> None:
    for problem in islice(stream("reading", "policy", families=[family]), 60):
        for text in BY_NAME[family].ask(problem.numbers, problem.words):
            read = read_problem(text)
            assert read is not None
            assert (read.family, read.answer) == (family, problem.answer)
            checker = CheckedSteps.of(text)
            assert checker is not None
            progress: object | None = checker.begin()
            for step in problem.steps:
                assert progress is not None
                progress = checker.follow(progress, step)
            assert progress is not None


@pytest.mark.parametrize(("text", "answer"), [
    ("What is 1234567 times 89?", "109876463"),
    ("  What is 17\n * 3? ", "51"),
    ("Evaluate 2 * (30 - 4) * 3.", "156"),
    ("Compute 1/2 - 1/3 in lowest terms.", "1/6"),
    ("Solve 3x + 2 = 11 for x.", "3"),
    ("What is the larger root of x^2 - 3x - 4 = 0?", "4"),
    ("Ann is 3 times as old as Leo. Their ages add up to 44. How old is Ann now?", "33"),
    ("Compute 7^222 mod 13.", str(pow(7, 222, 13))),
    ("How many pens does Ann buy?", None),
    ("What is (((1 + 2?", None),
    ("What is __import__('os')?", None),
    ("Compute 1/0 + 1/2 in lowest terms.", None),
    ("What is " + "9" * 40 + " times 3?", None),
])  # fmt: skip
def test_other_numbers_have_their_exact_answer_and_other_texts_none(text: str, answer: str | None) -> None:
    assert reference_answer(text) == answer


@pytest.mark.parametrize("text", [
    "Solve 3x + 2 = 9 for x.",
    "What is the larger root of x^2 - 3x + 1 = 0?",
    "Ann is 3 times as old as Leo. Their ages add up to 45. How old is Ann now?",
    "A car travels 3 hours at 40 km/h, then 2 hours at 33 km/h. What is its average speed in km/h?",
    "A coat costs 33 dollars. Its price rises by 10%. What is the new price?",
    "Ben and Eva share 10 dollars in the ratio 5:4. How much does Ben get?",
    "Solve 2x + 4y = 5 and 5x + 3y = 7. What is x * y?",
])  # fmt: skip
def test_numbers_without_a_whole_answer_are_said_to_have_none(text: str) -> None:
    with pytest.raises(NoWholeAnswer):
        read_problem(text)
    assert reference_answer(text) is None
    assert CheckedSteps.of(text) is None
    assert "no whole answer" in (outside(text) or "")
