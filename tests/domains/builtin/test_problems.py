"""The generator: exact answers, the right number of steps, splits by numbers, fixed held-out sets and examples."""

from __future__ import annotations

from fractions import Fraction
from itertools import islice

import pytest

from engine.domains.builtin.families import BY_NAME
from engine.domains.builtin.known_answers import reference_answer
from engine.domains.builtin.problems import (
    DIFFICULTIES,
    FAMILIES,
    MAX_STEPS,
    SPLITS,
    examples,
    generate,
    split_of,
    stream,
)
from engine.domains.builtin.sets import SETS, problem_set
from engine.domains.builtin.step_checker import first_wrong_step, is_correct

CELLS = [(family, difficulty) for family in FAMILIES for difficulty in DIFFICULTIES]


@pytest.mark.parametrize(("family", "difficulty"), CELLS)
def test_a_problem_is_complete_and_its_solution_valid(family: str, difficulty: int) -> None:
    for seed in range(8):
        problem = generate(seed, family, difficulty, any_order=0.5)
        assert problem == generate(seed, family, difficulty, any_order=0.5)
        assert 2 <= len(problem.steps) <= MAX_STEPS
        assert Fraction(problem.answer) == Fraction(BY_NAME[family].answer(problem.numbers))
        assert problem.steps[-1].endswith(f" The final answer is: $\\boxed{{{problem.answer}}}$")
        assert "\n" not in problem.text and not any("\n" in step for step in problem.steps)
        assert first_wrong_step(problem, problem.steps) is None
        assert is_correct(problem, problem.steps)


def test_there_are_about_fifteen_families_with_titles() -> None:
    assert len(FAMILIES) == 15
    assert all(title and title != name for name, title in FAMILIES.items())


def test_training_and_held_out_problems_never_share_family_and_numbers() -> None:
    """The split is a function of the key, so no key can be in two splits; and every source keeps to its split."""
    assert sum(share for _, share in SPLITS) == 100
    keys = {split: {p.key for p in islice(stream(7, split), 450)} for split, _ in SPLITS if split != "example"}
    keys["example"] = {generate(seed, family, 4, "example").key for family in FAMILIES for seed in range(3)}
    for split, own in keys.items():
        assert all(split_of(family, numbers) == split for family, numbers in own)
        assert all(own.isdisjoint(others) for name, others in keys.items() if name != split)
    assert split_of("mul", (37, 24)) == split_of("mul", (24, 37)), "the order of the numbers does not matter"
    for name, plan in SETS.items():
        assert {split_of(p.family, p.numbers) for p in problem_set(name)} == {plan.split}
    assert {split_of(p.family, p.numbers) for p in examples()} == {"example"}


def test_held_out_sets_are_fixed_balanced_and_without_repeats() -> None:
    for name, plan in SETS.items():
        problems = problem_set(name)
        assert len(problems) == len({p.text for p in problems}) == plan.size
        assert {p.difficulty for p in problems} == set(plan.difficulties)
        counts = [sum(p.family == family for p in problems) for family in FAMILIES]
        assert max(counts) - min(counts) <= 1
    assert len(problem_set("builtin-1000")) == 1000
    shared = {p.key for p in problem_set("builtin-1000")} & {p.key for p in problem_set("builtin-validation")}
    assert not shared


def test_examples_one_a_family_with_known_answers() -> None:
    assert [p.family for p in examples()] == list(FAMILIES)
    for problem in examples():
        assert reference_answer(problem.text) == problem.answer
        assert reference_answer(f"  {problem.text}\n") == problem.answer
    assert reference_answer(problem_set("builtin-hard")[0].text) == problem_set("builtin-hard")[0].answer
    assert reference_answer("Prove that sqrt 2 is irrational.") is None


def test_worked_solutions_come_in_more_than_one_order() -> None:
    orders = {generate(seed, "shop", 4, any_order=1.0).steps[0][:30] for seed in range(20)}
    usual = [generate(seed, "shop", 4).steps for seed in range(3)]
    assert len(orders) > 3
    assert all("* " in steps[0] for steps in usual)
