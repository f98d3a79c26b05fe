"""Slips: a worked solution in which one number is wrong, and the checker says so."""

from __future__ import annotations

import re
from collections.abc import Sequence
from random import Random

from engine.domains.builtin.problems import Problem
from engine.domains.builtin.step_checker import first_wrong_step

RESULTS, CONSISTENT = 0.5, 0.5
"""How often the wrong number is a result, and how often the rest of the step continues with it."""

_NUMBER = re.compile(r"\d+")


def with_slip(problem: Problem, rng: Random) -> tuple[str, ...]:
    """The problem's worked solution up to a step, chosen at random, in which one number is wrong."""
    while True:
        index = rng.randrange(len(problem.steps))
        before, step = problem.steps[:index], problem.steps[index]
        told = _NUMBER.findall("\n".join((problem.text, *before, step)))
        changed = slipped_step(step, told, rng)
        if first_wrong_step(problem, (*before, changed)) == index:  # "There are 3 boys" may have nothing to get wrong
            return (*before, changed)


def slipped_step(step: str, told: Sequence[str], rng: Random) -> str:
    """The step with one number changed, most often a result; later mentions of it may repeat the slip."""
    numbers = list(_NUMBER.finditer(step, step.index(":")))
    results = [number for number in numbers if step[: number.start()].endswith("= ")]
    place = rng.choice(results if results and rng.random() < RESULTS else numbers)
    slip, rest = str(int(slipped_number(place.group(), told, rng))), step[place.end() :]
    if rng.random() < CONSISTENT:
        rest = re.sub(rf"\b{place.group()}\b", slip, rest)
    return step[: place.start()] + slip + rest


def slipped_number(number: str, told: Sequence[str], rng: Random) -> str:
    """What replaces a number in a slip: often one digit off, often another number from the text."""
    kind, at = rng.random(), rng.randrange(len(number))
    if kind < 0.35:  # the neighbour of a digit
        return number[:at] + str((int(number[at]) + rng.choice((1, -1))) % 10) + number[at + 1 :]
    if kind < 0.55:  # any digit
        return number[:at] + str(rng.randrange(10)) + number[at + 1 :]
    if kind < 0.75:
        return rng.choice(told)
    if kind < 0.90:
        return str(abs(int(number) + rng.choice((1, -1)) * rng.choice((2, 3, 5, 9, 10, 11, 20, 100))))
    if len(number) == 1:  # a digit too many, or two that changed places
        return number + str(rng.randrange(10))
    return number[1] + number[0] + number[2:]
