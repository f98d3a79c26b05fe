"""Problems of the families pass; what the built-in models never saw is told, with the words that gave it away."""

from __future__ import annotations

from itertools import islice

import pytest

from engine.builtin.problems import examples, stream
from engine.builtin.sets import SETS, problem_set
from engine.builtin.world import outside, strange_words


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
    ],
)
def test_others_are_told(problem: str) -> None:
    said = outside(problem)
    assert said and "15 families" in said and "bigger model" in said and "\n" not in said


def test_the_words_that_gave_it_away_are_named() -> None:
    assert strange_words("Prove that sqrt 2 is irrational") == ["prove", "sqrt", "irrational"]
    assert outside("Compute 18 * 19.") is None
