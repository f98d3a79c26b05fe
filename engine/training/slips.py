"""Slips: worked solutions that go wrong at one number, as many as wanted, for PRMs to learn from.

What a policy writes shows a PRM each kind of mistake as often as the policy makes it, and a plain slip ("23 - 10 = 23")
is rare there. Search finds what the PRM has never seen: of many draws it keeps the one whose mistake goes unnoticed.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from random import Random

from engine.domains.builtin.problems import FAMILIES, stream
from engine.domains.builtin.slips import with_slip
from engine.training.solutions import Sample

OFTEN = ("gcd", "expr", "mul", "poly", "percent", "dist")
"""Families that come twice as often, because on validation their right and wrong steps are hardest to tell apart."""

ANY_ORDER = 0.3
"""Share of the solutions whose steps come in a random valid order, before the slip."""


def slips(seed: str, number: int) -> Iterator[Sample]:
    """This many solutions of problems for judges, each ending with its first wrong step."""
    problems = stream(seed, "judge", ANY_ORDER, families=(*FAMILIES, *OFTEN))
    for index, problem in enumerate(islice(problems, number)):
        yield Sample(problem, with_slip(problem, Random(f"{seed}/{index}")), finished=True, tokens=0)
