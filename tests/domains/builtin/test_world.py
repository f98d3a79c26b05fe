"""Problems of the families pass; what the built-in models never saw is told, with the words that gave it away."""

from __future__ import annotations

from itertools import islice

import pytest

from engine.domains.builtin.problems import examples, stream
from engine.domains.builtin.sets import SETS, problem_set
from engine.domains.builtin.world import known_sentences, outside, strange_words


def test_every_held_out_problem_and_example_is_at_home() -> None:
    problems = [*examples(), *(problem for name in SETS for problem in problem_set(name))]
    assert [problem.text for problem in problems if outside(problem.text)] == []
    assert [problem.text for problem in islice(stream("elsewhere", "test"), 2000) if outside(problem.text)] == []


@pytest.mark.parametrize(
    "problem",
    [
        "Prove that sqrt 2 is irrational",
        "What is the capital of France?",
        "Let $f(x)=x^3$. Find the derivative of $f$ at 2.",
        "How many vowels are in the word banana?",
        "2的平方根是多少",
        "Solve x^3 - 6x^2 + 11x - 6 = 0.",
        "x^2 + 1 = 0",
        "Compute 2^100.",
        "Compute 123456 * 987654.",
        "What is 1.5 * 3?",
        "3 + 4i",
        "1/0",
        "",
    ],
)
def test_others_are_told(problem: str) -> None:
    said = outside(problem)
    assert said and "15 families" in said and "bigger model" in said and "\n" not in said


@pytest.mark.parametrize(
    "problem",
    ["Compute 18 * 19.", "  what is  18*19 ?", "Compute $18 * 19$", "Evaluate 2 + 3 * 4.", "solve 3x + 5 = 17 for x"],
)
def test_own_numbers_and_loose_typing_are_at_home(problem: str) -> None:
    assert outside(problem) is None


def test_the_words_that_gave_it_away_are_named() -> None:
    assert strange_words("Prove that sqrt 2 is irrational") == ["prove", "sqrt", "irrational"]
    assert "(never seen: prove, sqrt, irrational)" in str(outside("Prove that sqrt 2 is irrational"))


def test_fewer_problems_than_are_read_have_every_sentence() -> None:
    assert known_sentences(1000).keys() == known_sentences().keys() == known_sentences(4000).keys()
