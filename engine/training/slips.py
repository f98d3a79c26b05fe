"""Slips: worked solutions that go wrong at one number, as many as wanted, for PRMs to learn from.

What a policy writes shows a PRM each kind of mistake as often as the policy makes it, and a plain slip ("23 - 10 = 23")
is rare there. Search finds what the PRM has never seen: of many draws it keeps the one whose mistake goes unnoticed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import islice
from random import Random

from engine.domains.builtin.problems import FAMILIES, Problem, stream
from engine.domains.builtin.step_checker import first_wrong_step
from engine.training.solutions import Sample

OFTEN = ("gcd", "expr", "mul", "poly", "percent", "dist")
"""Families that come twice as often, because on validation their right and wrong steps are hardest to tell apart."""

ANY_ORDER = 0.3
"""Share of the solutions whose steps come in a random valid order, before the slip."""

RESULTS, CONSISTENT = 0.5, 0.5
"""How often the wrong number is a result, and how often the rest of the step continues with it."""

_NUMBER = re.compile(r"\d+")


def slips(seed: str, number: int) -> Iterator[Sample]:
    """This many solutions of problems for judges, each ending with its first wrong step."""
    problems = stream(seed, "judge", ANY_ORDER, families=(*FAMILIES, *OFTEN))
    for index, problem in enumerate(islice(problems, number)):
        yield with_slip(problem, Random(f"{seed}/{index}"))


def with_slip(problem: Problem, rng: Random) -> Sample:
    """The problem's worked solution up to a step, chosen at random, in which one number is wrong."""
    while True:
        index = rng.randrange(len(problem.steps))
        before, step = problem.steps[:index], problem.steps[index]
        told = _NUMBER.findall("\n".join((problem.text, *before, step)))
        changed = slipped_step(step, told, rng)
        if first_wrong_step(problem, (*before, changed)) == index:  # "There are 3 boys" may have nothing to get wrong
            return Sample(problem, (*before, changed), finished=True, tokens=0)


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
