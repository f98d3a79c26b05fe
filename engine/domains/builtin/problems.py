"""Problems of the built-in world: text, exact answer, one worked solution, and which split a problem belongs to.

A problem's split is a hash of its family and its numbers (not of its wording), so a training and a held-out problem
never share a calculation. This module knows nothing of tokens and models.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import blake2b
from random import Random

from engine.domains.builtin.families import ALL, BY_NAME
from engine.domains.builtin.families.base import DONE, Numbers, Words

FAMILIES: Mapping[str, str] = {family.name: family.title for family in ALL}
"""Family name -> the title people see."""
DIFFICULTIES = (1, 2, 3, 4, 5, 6)
MAX_STEPS = 8
TRIES = 100_000
"""Draws before a combination of family, difficulty and split counts as empty."""

SPLITS = (("policy", 70), ("judge", 15), ("validation", 5), ("test", 9), ("example", 1))
"""What percentage of all problems each split gets; PRMs train on the policies' samples for "judge" problems."""

ANSWER_PREFIX = " The final answer is: $\\boxed{"
ANSWER_SUFFIX = "}$"


@dataclass(frozen=True)
class Problem:
    """One problem. `steps` is a worked solution: "## Step 1: ..." and so on, without the blank lines between steps."""

    text: str
    answer: str
    family: str
    difficulty: int
    numbers: Numbers
    words: Words
    steps: tuple[str, ...]

    @property
    def key(self) -> tuple[str, Numbers]:
        return problem_key(self.family, self.numbers)

    @property
    def solution(self) -> str:
        return "\n\n".join(self.steps)


def problem_key(family: str, numbers: Numbers) -> tuple[str, Numbers]:
    """What makes two problems the same calculation: the family and its numbers in any order."""
    return family, tuple(sorted(numbers))


def split_of(family: str, numbers: Numbers) -> str:
    digest = blake2b(repr(problem_key(family, numbers)).encode(), digest_size=8).digest()
    place = int.from_bytes(digest, "big") % 100
    for name, share in SPLITS:
        place -= share
        if place < 0:
            return name
    raise AssertionError("the shares add up to 100")


def solve(family: str, numbers: Numbers, words: Words, rng: Random | None = None) -> tuple[str, ...]:
    """One worked solution: the usual order, or with `rng` any order a person might choose."""
    kind = BY_NAME[family]
    state = kind.start(numbers)
    steps: list[str] = []
    while state != DONE:
        natural = [move for move in kind.moves(numbers, words, state) if not move.rare]
        move = rng.choice(natural) if rng else natural[0]
        state = move.leads_to
        steps.append(f"## Step {len(steps) + 1}: {move.text}")
    return (*steps[:-1], f"{steps[-1]}{ANSWER_PREFIX}{kind.answer(numbers)}{ANSWER_SUFFIX}")


def generate(
    seed: int | str, family: str | None = None, difficulty: int | None = None, split: str | None = None,
    any_order: float = 0.0,
) -> Problem:  # fmt: skip
    """The problem that belongs to this seed; `any_order` is the chance that its steps come in a random valid order."""
    rng = Random(f"{seed}/{family}/{difficulty}/{split}")
    name = family or rng.choice(list(FAMILIES))
    level = difficulty or rng.choice(DIFFICULTIES)
    kind = BY_NAME[name]
    for _ in range(TRIES):
        numbers = kind.draw(rng, level)
        if numbers is None or (split and split_of(name, numbers) != split):
            continue
        pools = list(kind.words)
        words = tuple(rng.choice(pool) for pool in pools)
        shuffled = rng.random() < any_order
        steps = solve(name, numbers, words, rng if shuffled else None)
        if 2 <= len(steps) <= MAX_STEPS:
            text = rng.choice(list(kind.ask(numbers, words)))
            return Problem(text, kind.answer(numbers), name, level, numbers, words, steps)
    raise ValueError(f"no {name} problem of difficulty {level} found in split {split}")


def stream(
    seed: int | str, split: str, any_order: float = 0.0, start: int = 0, families: Sequence[str] = tuple(FAMILIES)
) -> Iterator[Problem]:
    """Endless problems, uniform over families and difficulties; item i depends on the seed, the families and i only."""
    index = start
    while True:
        difficulty = DIFFICULTIES[index // len(families) % len(DIFFICULTIES)]
        yield generate(f"{seed}:{index}", families[index % len(families)], difficulty, split, any_order)
        index += 1


def example(family: str) -> Problem:
    """The fixed example of a family for the app's menu: medium difficulty, never seen in training."""
    return generate("example", family, 4 if family == "age" else 3, "example")  # no age problem of 3 is in this split


@cache
def examples() -> tuple[Problem, ...]:
    return tuple(example(name) for name in FAMILIES)
