"""The step checker: corrupted solutions fail at the corrupted step; other valid orders, methods and wordings pass."""

from __future__ import annotations

import re
from random import Random

import pytest

from engine.domains.builtin.problems import DIFFICULTIES, FAMILIES, Problem, generate, solve
from engine.domains.builtin.step_checker import boxed_answer, claims, first_wrong_step, is_correct, same_answer


def made(family: str, numbers: tuple[int, ...], words: tuple[str, ...] = ()) -> Problem:
    from engine.domains.builtin.families import BY_NAME

    kind = BY_NAME[family]
    return Problem(
        kind.ask(numbers, words)[0], kind.answer(numbers), family, 1, numbers, words, solve(family, numbers, words)
    )


def with_wrong_result(step: str) -> str:
    """The number after the first "=" raised by one."""
    return re.sub(r"= (-?)(\d+)", lambda m: f"= {m[1]}{int(m[2]) + 1}", step, count=1)


@pytest.mark.parametrize("family", list(FAMILIES))
def test_a_corrupted_step_is_found_where_it_is(family: str) -> None:
    for difficulty in DIFFICULTIES:
        for seed in range(4):
            problem = generate(f"corrupt {seed}", family, difficulty)
            for index, step in enumerate(problem.steps):
                wrong = with_wrong_result(step)
                if wrong != step:
                    steps = [*problem.steps[:index], wrong, *problem.steps[index + 1 :]]
                    assert first_wrong_step(problem, steps) == index, (problem.text, wrong)


@pytest.mark.parametrize("family", list(FAMILIES))
def test_a_wrong_boxed_answer_is_a_wrong_last_step(family: str) -> None:
    problem = generate("boxed", family, 4)
    steps = [*problem.steps[:-1], re.sub(r"boxed\{.*\}", "boxed{99999}", problem.steps[-1])]
    assert first_wrong_step(problem, steps) == len(steps) - 1
    assert not is_correct(problem, steps)


@pytest.mark.parametrize("family", list(FAMILIES))
def test_every_natural_order_is_valid(family: str) -> None:
    for seed in range(12):
        problem = generate(f"order {seed}", family, 1 + seed % 6)
        assert first_wrong_step(problem, solve(family, problem.numbers, problem.words, Random(seed))) is None


ANN = ("Ann", "pens", "maps", "bags")
CART = (100, 12, 3, 4, 2, 7, 1, 10)
OTHER_WAYS = [
    # another order
    ("mul", (37, 24), (), "24 * 37 = 24 * 30 + 24 * 7 | 24 * 7 = 168 | 24 * 30 = 720 | 720 + 168 = 888"),
    ("mul", (37, 24), (), "37 * 24 = 37 * 20 + 37 * 4 | 37 * 4 = 148 and 37 * 20 = 740 | 148 + 740 = 888"),
    ("expr", (-1, -1, 5, 6, 7), (), "6 + 7 = 13, which leaves 5 + 13 | 5 + 13 = 18"),
    ("expr", (-2, -2, 20, 5, 3), (), "5 + 3 = 8, which leaves 20 - 8 | 20 - 8 = 12"),
    ("expr", (-2, -2, 20, 5, 3), (), "20 - 3 = 17 | 17 - 5 = 12"),
    ("expr", (-2, 20, -1, 5, 3), (), "20 - 5 = 15, which leaves 15 - 3 | 15 - 3 = 12"),
    ("expr", (-3, -3, 2, 7, 5), (), "2 * 5 = 10 | 10 * 7 = 70"),
    ("shop", (50, 0, 3, 4, 2, 7), ANN, "2 * 7 = 14 | 50 - 14 = 36 | 3 * 4 = 12 | 36 - 12 = 24"),
    ("shop", CART, ANN, "3 * 4 = 12, 88 = 100 - 12 | 2 * 7 = 14, 88 - 14 = 74, 74 + 12 = 86 | "
                        "1 * 10 = 10, 86 - 10 = 76"),
    ("shop", CART, ANN, "3 * 4 = 12, 2 * 7 = 14, 1 * 10 = 10 | 14 - 12 = 2, 2 + 12 = 14, 14 + 10 = 24, 100 - 24 = 76"),
    ("shop", (0, 0, 3, 4, 2, 7), ANN, "3 * 4 + 2 * 7 = 26"),
    ("share", (120, 1, 3, 1, 2), ("Ann", "Eva", "Mia"), "3 + 1 + 2 = 6 | 3 - 1 = 2 | 120 / 6 = 20 | 2 * 20 = 40"),
    ("share", (120, 0, 3, 1, 2), ("Ann", "Eva", "Mia"), "1 + 2 = 3 | 3 + 3 = 6 | 120 * 3 / 6 = 60"),
    ("age", (3, 10, 5, 0), ("Ann", "Tom"), "3 + 1 = 4 | 50 - 5 = 45 | 45 - 5 = 40 | 40 / 4 = 10 | 40 - 10 = 30"),
    ("dist", (0, 2, 30, 3, 40), ("bus",), "3 * 40 = 120 | 30 * 2 = 60 | 120 + 60 = 180"),
    ("dist", (1, 2, 30, 3, 40, 1, 60), ("bus",), "2 * 30 + 3 * 40 + 1 * 60 = 240, 3 + 1 = 4, 4 + 2 = 6, 240 / 6 = 40"),
    ("poly", (3, 4, 6, 2), (), "3^2 = 9 | 2 * 9 = 18 | 18 + 4 = 22 | 6 * 3 = 18 | 22 + 18 = 40"),
    ("poly", (3, -9, 2, 2), (), "2 * 3^2 = 18 | 18 - 9 = 9 | 2 * 3 = 6 | 6 + 9 = 15"),
    ("frac", (1, 1, 2, 1, 1, 3, -1, 1, 6), (), "1/2 = 3/6, 1/3 = 2/6 | 2 - 1 = 1 | 3 + 1 = 4, so 4/6 | 4/6 = 2/3"),
    # another method
    ("series", (5, 3, 6, 1), (), "5 * 3 = 15, 5 + 15 = 20 | 20 + 5 = 25, 6 / 2 = 3, 3 * 25 = 75"),
    ("series", (5, 3, 6, 1), (), "5 + 5 * 3 = 20 | 5 + 20 = 25 | 6 * 25 / 2 = 75"),
    ("quad", (1, 3, 2), (), "3 * 2 = 6 and 3 + 2 = 5 | (x - 3)(x - 2) = 0"),
    ("quad", (2, 3, 2), (), "2(x - 2)(x - 3) = 0 | x = 2 or x = 3"),
    ("quad", (1, 3, 2), (), "5^2 - 4 * 6 = 25 - 24 = 1 | 1 * 1 = 1"),
    ("gcd", (84, 36, 0), (), "84 = 2 * 36 + 12 | 36 - 12 = 24 | 24 - 12 = 12 | 12 mod 12 = 0"),
    ("gcd", (84, 36, 1), (), "84 mod 36 = 12 | 36 mod 12 = 0 | 84 * 36 = 3024 | 3024 / 12 = 252"),
    ("modpow", (3, 3, 7), (), "3^2: 3 * 3 = 9, 9 mod 7 = 2 | 3^3: 2 * 3 = 6, 6 mod 7 = 6"),
    ("modpow", (25, 3, 7), (), "25 mod 7 = 4 | 4^2: 4 * 4 = 16, 16 mod 7 = 2 | 25^3: 2 * 4 = 8, 8 mod 7 = 1"),
    ("percent", (80, 25), ("coat",), "80 * 125 / 100 = 100"),
    ("percent", (80, -25), ("coat",), "80 * 0.25 = 20 | 80 - 20 = 60"),
    ("percent", (80, 25), ("coat",), "80 / 100 * 25 = 20 | 20 + 80 = 100"),
    ("poly", (3, 4, -3, 2), (), "2 * 3 = 6 | 6 - 3 = 3 | 3 * 3 = 9 | 9 + 4 = 13"),
    ("frac", (1, 1, 4, 1, 1, 6), (), "1/4 = 6/24 | 1/6 = 4/24 | 6 + 4 = 10, so 10/24 | 10/24 = 5/12"),
    ("frac", (1, 1, 4, 1, 1, 6), (), "1/4 + 1/6 = 3/12 + 2/12 = 5/12"),
    ("lin", (3, 4, 0, 0, 5), (), "Divide by 3: 27 / 3 = 9, so x + 4 = 9 | 9 - 4 = 5, so x = 5"),
    ("lin", (3, 4, 6, 0, 5), (), "33 - 6 = 27, so 3(x + 4) = 27 | 27 / 3 = 9, so x + 4 = 9 | x = 5"),
    ("system", (2, 3, 1, 1, 4, 2), (), "2x + 2y = 12 | y = 14 - 12 = 2 | Put y in: x = 6 - 2 = 4 | x * y = 2 * 4 = 8"),
    # told in part, or the other way round
    ("mul", (37, 24), (), "37 * 20 = 740 | 37 * 4 = 148 | 888 = 148 + 740"),
    ("expr", (-1, -1, 5, 6, 7), (), "5 + 6 = 11 | 11 + 7 = 18"),
    ("lin", (3, 5, 0, 0, 4), (), "3x + 15 = 27 | 3x = 12 | x = 4"),
    ("lin", (3, 0, 5, 0, 4), (), "17 - 5 = 12 | 3x = 12 | 12 / 3 = 4"),
    ("series", (5, 3, 6, 0), (), "5 * 3 = 15 | 15 + 5 = 20"),
    ("percent", (80, 25, 10), ("coat",),
     "25% of 80 is 80 * 25 / 100 = 20. 80 + 20 = 100. 100 * 10 / 100 = 10 | 110 = 100 + 10"),
    ("mul", (37, 24), (), "37 * 20 = 740 | 37 * 4 = 148 | 37 * 24 = 740 + 148 = 888"),
    ("mul", (37, 24), (), "37 * 20 = 740 | 37 * 4 = 148 | 740 + 148 = 888, so 37 * 24 = 888"),
    ("gcd", (84, 36, 0), (), "84 mod 36 = 12 | 36 mod 12 = 0, so gcd(84, 36) = 12"),
    ("modpow", (3, 3, 7), (), "3 * 3 = 9 | 9 mod 7 = 2 | 2 * 3 = 6, 6 mod 7 = 6"),
]  # fmt: skip


@pytest.mark.parametrize(("family", "numbers", "words", "ways"), OTHER_WAYS)
def test_other_valid_ways_are_accepted(
    family: str, numbers: tuple[int, ...], words: tuple[str, ...], ways: str
) -> None:
    problem = made(family, numbers, words)
    steps = [f"## Step {k}: {text}." for k, text in enumerate(ways.split(" | "), start=1)]
    steps[-1] += f" The final answer is: $\\boxed{{{problem.answer}}}$"
    assert first_wrong_step(problem, steps) is None
    assert is_correct(problem, steps)


def test_true_but_useless_calculations_are_wrong() -> None:
    shop = made("shop", (50, 0, 3, 4, 2, 7), ANN)
    assert first_wrong_step(shop, ["The pens cost 3 + 4 = 7 dollars."]) == 0
    system = made("system", (1, 1, 1, -1, 8, 4))
    assert first_wrong_step(system, ["x - x = 0."]) == 0


@pytest.mark.parametrize(("family", "numbers", "words", "steps"), [
    ("gcd", (84, 36, 1), (), "84 mod 36 = 12. | 36 mod 12 = 0, so the gcd is 36."),
    ("quad", (1, 3, 2), (), "5^2 - 4 * 6 = 25 - 24 = 1. | Its root is 7, as 1 * 1 = 1."),
    ("percent", (80, 25), ("coat",), "25% of 90 is 80 * 25 / 100 = 20."),
    ("lin", (3, 0, 5, 0, 4), (), "Subtract 7: 17 - 5 = 12, so 3x = 12."),
    ("expr", (-1, -1, 5, 6, 7), (), "5 + 6 = 11, which leaves 5 + 6 + 7."),
    ("expr", (-1, -1, 5, 6, 7), (), "which leaves 11 + 7."),
    ("lin", (3, 0, 5, 0, 4), (), "17 - 5 = 12, so 4x = 12."),
    ("poly", (3, 4, 6, 2), (), "9 = 9."),
    ("poly", (3, 4, -9, 2), (), "2 * 3^2 = 18 and 9 * 3 = 27. | 27 - 18 = 9."),
    ("quad", (1, 3, 2), (), "The discriminant D = 25."),
    ("mul", (37, 24), (), "37 * 20 = 740 -."),
    ("share", (120, 0, 3, 1, 2), ("Ann", "Eva", "Mia"), "There are 3 + 1 = 4 parts."),
    ("dist", (1, 2, 30, 3, 40, 1, 60), ("bus",), "The time is 2 + 3 = 5 hours."),
    ("modpow", (3, 5, 7), (), "3^2: 3 * 3 = 9, 9 mod 7 = 2. | 3^4: 2 * 2 = 4. | 3^4: 4 * 3 = 12, 12 mod 7 = 5."),
])  # fmt: skip
def test_a_false_or_empty_statement_is_wrong(
    family: str, numbers: tuple[int, ...], words: tuple[str, ...], steps: str
) -> None:
    told = steps.split(" | ")
    assert first_wrong_step(made(family, numbers, words), told) == len(told) - 1


def test_repeats_wordings_and_latex_do_no_harm() -> None:
    problem = made("mul", (37, 24))
    steps = [
        "We split: $37 \\times 24 = 37 \\times 20 + 37 \\times 4$",
        "37*20=740",
        "As before, 37 * 20 = 740, and now 4 * 37 = 148.",
        "So 148 + 740 = 888. The final answer is: $\\boxed{888}$",
    ]
    assert first_wrong_step(problem, steps) is None


def test_normal_form_of_statements() -> None:
    assert claims("So 3 * 4 = 12, and 5 pens.") == ("3 * 4 = 12",)
    assert claims("2 + 1 = 3") == claims("## Step 9: 1 + 2 = 3.")
    assert claims("3 - 1 = 2") != claims("1 - 3 = 2")
    assert claims("$\\frac{3}{4} = \\frac{9}{12}$") == ("3 / 4 = 9 / 12",)


def test_answers_are_compared_as_numbers() -> None:
    assert boxed_answer("so $\\boxed{\\frac{3}{4}}$") == "\\frac{3}{4}"
    assert same_answer("\\frac{6}{8}", "3/4") and same_answer(" 12 ", "12") and not same_answer("3/0", "3")
