"""Families about whole numbers: arithmetic sequences, greatest common divisors, remainders of powers."""

from __future__ import annotations

from math import gcd
from random import Random

from engine.domains.builtin.families.base import DONE, Fact, Family, Move, Numbers, State, Words, fact_family


def draw_series(rng: Random, d: int) -> Numbers | None:
    """(first term, difference, number of terms, 1 if the sum is asked)."""
    first, difference, count = {
        1: (20, 9, 12), 2: (60, 19, 40), 3: (9, 9, 12), 4: (20, 12, 25), 5: (60, 19, 40), 6: (99, 49, 80),
    }[d]  # fmt: skip
    return (rng.randint(1, first), rng.randint(2, difference), rng.randint(6, count), int(d >= 3))


def series_ask(numbers: Numbers, words: Words) -> list[str]:
    first, step, count, total = numbers
    row = f"{first}, {first + step}, {first + 2 * step}, ..."
    if total:
        return [
            f"What is the sum of the first {count} terms of {row}?",
            f"The sequence {row} goes on. Add up its first {count} terms.",
        ]
    return [f"What is term number {count} of the sequence {row}?", f"The sequence {row} goes on. Find term {count}."]


def series_facts(numbers: Numbers, words: Words) -> list[Fact]:
    first, step, count, total = numbers
    last = first + (count - 1) * step
    end = "last" if total else "answer"
    facts = [
        Fact("step", f"The difference is {first + step} - {first} = {step}."),
        Fact("step", f"The difference is {first + 2 * step} - {first + step} = {step}.", rare=True),
        Fact("gaps", f"There are {count} - 1 = {count - 1} gaps."),
        Fact("rise", f"The rise is {count - 1} * {step} = {last - first}.", ("step", "gaps")),
        Fact("rise", f"The rise is {count - 1} * {step} = {last - first}.", rare=True),
        Fact(end, f"The last term is {first} + {last - first} = {last}.", ("rise",)),
        Fact(end, f"{first} + {count - 1} * {step} = {first} + {last - first} = {last}.", rare=True),
    ]
    if total:
        ends = first + last
        facts += [
            Fact("ends", f"First plus last is {first} + {last} = {ends}.", ("last",)),
            Fact("double", f"Twice the sum is {count} * {ends} = {count * ends}.", ("ends",)),
            Fact("answer", f"The sum is {count * ends} / 2 = {count * ends // 2}.", ("double",)),
            Fact("answer", f"The sum is {count} * {ends} / 2 = {count * ends // 2}.", ("ends",), rare=True),
        ]
        if count % 2 == 0:
            facts.append(Fact("pairs", f"There are {count} / 2 = {count // 2} pairs.", (), rare=True))
            says = f"The sum is {count // 2} * {ends} = {count * ends // 2}."
            facts.append(Fact("answer", says, ("pairs", "ends"), rare=True))
        if ends % 2 == 0:
            facts.append(Fact("mean", f"The mean is {ends} / 2 = {ends // 2}.", ("ends",), rare=True))
            says = f"The sum is {count} * {ends // 2} = {count * ends // 2}."
            facts.append(Fact("answer", says, ("mean",), rare=True))
    return facts


def series_answer(numbers: Numbers) -> str:
    first, step, count, total = numbers
    last = first + (count - 1) * step
    return str((first + last) * count // 2 if total else last)


SERIES = fact_family("series", "Arithmetic sequences", draw_series, series_ask, series_facts, series_answer)


def euclid_steps(a: int, b: int) -> int:
    return 0 if b == 0 else 1 + euclid_steps(b, a % b)


def draw_gcd(rng: Random, d: int) -> Numbers | None:
    """(larger, smaller, 1 if the least common multiple is asked)."""
    largest, steps = {1: (150, 2), 2: (200, 3), 3: (300, 3), 4: (300, 4), 5: (600, 5), 6: (150, 3)}[d]
    common = rng.randint(2, 15)
    a, b = (common * rng.randint(2, max(3, largest // common)) for _ in range(2))
    return (a, b, int(d == 6)) if a > b and euclid_steps(a, b) == steps else None


def gcd_ask(numbers: Numbers, words: Words) -> list[str]:
    a, b, multiple = numbers
    if multiple:
        return [f"What is the least common multiple of {a} and {b}?", f"Find lcm({a}, {b})."]
    return [f"What is the greatest common divisor of {a} and {b}?", f"Find gcd({a}, {b})."]


def gcd_moves(numbers: Numbers, words: Words, state: State) -> list[Move]:
    """State: the pair still to be reduced; for the lcm then ("gcd", g), ("cofactor", q, other) or ("product", g)."""
    a, b, multiple = numbers
    assert isinstance(state, tuple)
    if state[0] == "gcd":
        common = state[1]
        return [
            *(
                Move(f"{x} / {common} = {x // common}.", ("cofactor", x // common, y), rare=x == b)
                for x, y in ((a, b), (b, a))
            ),
            Move(f"{a} * {b} = {a * b}.", ("product", common), rare=True),
            Move(f"{a} * {b} / {common} = {a * b} / {common} = {a * b // common}.", DONE, rare=True),
        ]
    if state[0] == "product":
        return [Move(f"{a * b} / {state[1]} = {a * b // state[1]}.", DONE, rare=True)]
    if state[0] == "cofactor":
        _, factor, other = state
        return [Move(f"{factor} * {other} = {factor * other}.", DONE)]
    x, y = state
    rest = x % y
    equations = (
        (f"{x} mod {y} = {rest}", False),
        (f"{x} = {x // y} * {y} + {rest}", True),
        (f"{x} - {x // y} * {y} = {rest}", True),
    )
    if rest == 0:
        leads_to: State = ("gcd", y) if multiple else DONE
        moves = [Move(f"{equation}, so the gcd is {y}.", leads_to, rare) for equation, rare in equations]
    else:
        moves = [Move(f"{equation}.", (y, rest), rare) for equation, rare in equations]
    if x > y:
        low, high = sorted((x - y, y))
        moves.append(Move(f"{x} - {y} = {x - y}.", (high, low), rare=True))
    return moves


GCD = Family(
    "gcd",
    "Greatest common divisor",
    draw_gcd,
    gcd_ask,
    start=lambda numbers: numbers[:2],
    moves=gcd_moves,
    answer=lambda n: str(n[0] * n[1] // gcd(n[0], n[1]) if n[2] else gcd(n[0], n[1])),
)


def power_plan(exponent: int) -> list[tuple[int, int]]:
    """Square and multiply: 13 -> (1,1) (2,2) (4,4) (8,4) (12,1), each the sum of two exponents known before."""
    plan = []
    power = 1
    while 2 * power <= exponent:
        plan.append((power, power))
        power *= 2
    reached = power
    for bit in (1 << i for i in reversed(range(power.bit_length() - 1))):
        if exponent & bit:
            plan.append((reached, bit))
            reached += bit
    return plan


def draw_modpow(rng: Random, d: int) -> Numbers | None:
    """(base, exponent, modulus)."""
    base, exponents, modulus = {
        1: (20, (3, 4), 30), 2: (20, (3, 6), 30), 3: (20, (5, 10), 20),
        4: (20, (9, 17), 20), 5: (25, (11, 33), 30), 6: (40, (20, 66), 50),
    }[d]  # fmt: skip
    numbers = (rng.randint(2, base), rng.randint(*exponents), rng.randint(5, modulus))
    return numbers if numbers[0] % numbers[2] > 1 and len(power_plan(numbers[1])) <= 8 else None


def modpow_ask(numbers: Numbers, words: Words) -> list[str]:
    base, exponent, modulus = numbers
    power = f"{base}^{exponent}"
    return [f"What is the remainder of {power} divided by {modulus}?", f"Compute {power} mod {modulus}."]


_REDUCED = 0
"""Among the exponents: the base itself was replaced by its remainder."""


def modpow_moves(numbers: Numbers, words: Words, state: State) -> list[Move]:
    """State: the set of exponents whose remainder is known, and 0 once the base is reduced. Any two may be added."""
    base, exponent, modulus = numbers
    assert isinstance(state, frozenset)
    planned = {i + j: (i, j) for i, j in power_plan(exponent)}
    known = sorted(state - {_REDUCED})
    moves = []
    if base >= modulus and _REDUCED not in state:
        moves.append(Move(f"{base} mod {modulus} = {base % modulus}.", state | {_REDUCED}, rare=True))
    for i in known:
        for j in (k for k in known if k <= i and i + k <= exponent):
            x, y = (pow(base, e, modulus) if e > 1 or _REDUCED in state else base for e in (i, j))
            product = f"{x} * {y} = {x * y}, {x * y} mod {modulus} = {x * y % modulus}."
            leads_to: State = DONE if i + j == exponent else state | {i + j}
            is_planned = planned.get(i + j) == (i, j) and i + j not in state
            moves.append(Move(f"{base}^{i + j}: {product}", leads_to, rare=not is_planned))
            if _REDUCED in state:
                moves.append(Move(f"{base % modulus}^{i + j}: {product}", leads_to, rare=True))
    return sorted(moves, key=lambda move: move.rare)


MODPOW = Family(
    "modpow",
    "Powers and remainders",
    draw_modpow,
    modpow_ask,
    start=lambda numbers: frozenset({1}),
    moves=modpow_moves,
    answer=lambda n: str(pow(n[0], n[1], n[2])),
)
