"""Families of pure calculation: order of operations, long multiplication, adding fractions.

An expression is coded as numbers in prefix order, with negative codes for the operators. The checker's moves allow any
valid order of evaluation; only associativity of + and * is used beyond the printed brackets.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from functools import reduce
from itertools import combinations
from math import lcm, prod
from random import Random

from engine.domains.builtin.families.base import (
    DONE,
    Fact,
    Family,
    Move,
    Numbers,
    State,
    Sum,
    Words,
    fact_family,
    signed_sum,
)

OPERATORS = {-1: "+", -2: "-", -3: "*"}
Tree = int | tuple[str, "Tree", "Tree"]


def apply(op: str, left: int, right: int) -> int:
    return left + right if op == "+" else left - right if op == "-" else left * right


def grow(rng: Random, operators: int, largest_leaf: int) -> tuple[list[int], int]:
    """A random expression in prefix order and its value; every intermediate value stays in 0..999."""
    if operators == 0:
        leaf = rng.randint(2, largest_leaf)
        return [leaf], leaf
    left_size = rng.randint(0, operators - 1)
    left, a = grow(rng, left_size, largest_leaf)
    right, b = grow(rng, operators - 1 - left_size, largest_leaf)
    codes = [-1]
    if a >= b:
        codes += [-2]
    if a * b <= 400 and min(a, b) >= 2:
        codes += [-3, -3]
    code = rng.choice(codes)
    return [code, *left, *right], apply(OPERATORS[code], a, b)


def parse_prefix(numbers: Numbers) -> Tree:
    def read(i: int) -> tuple[Tree, int]:
        if numbers[i] >= 0:
            return numbers[i], i + 1
        left, j = read(i + 1)
        right, k = read(j)
        return (OPERATORS[numbers[i]], left, right), k

    return read(0)[0]


def show(tree: Tree, inside: int = 0) -> str:
    """Print with as few brackets as left-to-right evaluation needs; `inside` is the binding strength around it."""
    if isinstance(tree, int):
        return str(tree)
    op, left, right = tree
    strength = 2 if op == "*" else 1
    text = f"{show(left, strength - 1)} {op} {show(right, strength)}"
    return f"({text})" if strength <= inside else text


def value(tree: Tree) -> int:
    return tree if isinstance(tree, int) else apply(tree[0], value(tree[1]), value(tree[2]))


Reduction = tuple[str, Tree, bool]
"""An equation, what it leaves, and whether it needs more than the printed brackets and the left-to-right order."""


def reductions(tree: Tree) -> list[Reduction]:
    """Every calculation that can be done now."""
    if isinstance(tree, int):
        return []
    op, left, right = tree
    if isinstance(left, int) and isinstance(right, int):
        result = apply(op, left, right)
        return [(f"{left} {op} {right} = {result}", result, False)]
    found: list[Reduction] = []
    for equation, rest, rare in reductions(left):
        found.append((equation, (op, rest, right), rare))
    for equation, rest, rare in reductions(right):
        found.append((equation, (op, left, rest), rare))
    return found + rearranged(tree)


def rearranged(tree: Tree) -> list[Reduction]:
    """Two terms of a sum, or factors of a product, that are not adjacent, or come later in their row."""
    found: list[Reduction] = []
    row = chain(tree, "*" if not isinstance(tree, int) and tree[0] == "*" else "+")
    for (i, (sign, a)), (j, (other, b)) in combinations(enumerate(row), 2):
        if not (isinstance(a, int) and isinstance(b, int)):
            continue
        if sign == "*":
            written, result = f"{a} * {b} = {a * b}", (sign, a * b)
        elif sign == other:
            written, result = f"{a} + {b} = {a + b}", (sign, a + b)
        else:
            more, less, which = (a, b, sign) if a >= b else (b, a, other)
            written, result = f"{more} - {less} = {more - less}", (which, more - less)
        rest = [*row[:i], result, *row[i + 1 : j], *row[j + 1 :]]
        if first := next((term for term in rest if term[0] != "-"), None):
            rest.remove(first)
            found.append((written, reduce(lambda done, term: (term[0], done, term[1]), rest, first[1]), True))
    return found


def chain(tree: Tree, sign: str) -> list[tuple[str, Tree]]:
    """A row of terms with their signs, or of factors, whatever the brackets: a - (b + c) -> +a -b -c."""
    if isinstance(tree, int) or (tree[0] == "*") != (sign == "*"):
        return [(sign, tree)]
    op, left, right = tree
    turned = op if sign != "-" else "-" if op == "+" else "+"
    return [*chain(left, sign), *chain(right, turned)]


def expr_moves(numbers: Numbers, words: Words, state: State) -> list[Move]:
    moves = []
    for equation, rest, rare in reductions(state):  # type: ignore[arg-type]
        if isinstance(rest, int):
            moves.append(Move(f"{equation}.", DONE, rare))
        else:
            moves.append(Move(f"{equation}, which leaves {show(rest)}.", rest, rare))
    return moves


EXPR = Family(
    "expr",
    "Order of operations",
    draw=lambda rng, d: tuple(grow(rng, d + 1, 9 if d < 3 else 20)[0]),
    ask=lambda n, w: [f"Evaluate {show(parse_prefix(n))}.", f"What is {show(parse_prefix(n))}?"],
    start=parse_prefix,
    moves=expr_moves,
    answer=lambda n: str(value(parse_prefix(n))),
)


def draw_mul(rng: Random, d: int) -> Numbers | None:
    ranges = {
        1: ((3, 9), (12, 49)), 2: ((3, 9), (112, 499)), 3: ((12, 49), (12, 29)),
        4: ((21, 99), (21, 99)), 5: ((112, 499), (12, 49)), 6: ((112, 499), (112, 299)),
    }  # fmt: skip
    (low_a, high_a), (low_b, high_b) = ranges[d]
    a, b = rng.randint(low_a, high_a), rng.randint(low_b, high_b)
    return None if "0" in str(a) + str(b) else (a, b)


def places(number: int) -> list[int]:
    """348 -> [300, 40, 8]."""
    digits = str(number)
    return [int(digit) * 10 ** (len(digits) - 1 - i) for i, digit in enumerate(digits)]


Part = int | tuple[int, int]


def mul_moves(numbers: Numbers, words: Words, state: State) -> list[Move]:
    a, b = numbers
    if state == "start":
        moves = []
        for x, y, rare in ((a, b, False), (b, a, True)):
            if len(parts := places(y)) > 1:
                split = " + ".join(f"{x} * {part}" for part in parts)
                todo = tuple((x, part) for part in parts)
                moves.append(Move(f"{x} * {y} = {split}.", todo, rare))
                for i, part in enumerate(parts):
                    leads_to = (*todo[:i], x * part, *todo[i + 1 :])
                    moves.append(Move(f"{x} * {part} = {x * part}.", leads_to, rare=True))
        return [*moves, Move(f"{a} * {b} = {a * b}.", DONE, rare=True)]
    assert isinstance(state, tuple)
    moves = []
    for i, part in enumerate(state):
        if isinstance(part, tuple):
            x, y = part
            moves.append(Move(f"{x} * {y} = {x * y}.", (*state[:i], x * y, *state[i + 1 :])))
    products = [i for i, part in enumerate(state) if isinstance(part, int)]
    all_done = len(products) == len(state)
    for i, j in combinations(products, 2):
        total = state[i] + state[j]
        rest = (total, *(part for k, part in enumerate(state) if k not in (i, j)))
        after: State = DONE if len(rest) == 1 else rest
        moves.append(Move(f"{state[i]} + {state[j]} = {total}.", after, rare=not all_done or (i, j) != (0, 1)))
    if all_done:
        moves.append(Move(f"{a} * {b} = {' + '.join(map(str, state))} = {sum(state)}.", DONE, rare=True))
    return moves


MUL = Family(
    "mul",
    "Long multiplication",
    draw=draw_mul,
    ask=lambda n, w: [f"Compute {n[0]} * {n[1]}.", f"What is {n[0]} times {n[1]}?"],
    start=lambda numbers: "start",
    moves=mul_moves,
    answer=lambda n: str(n[0] * n[1]),
)


def draw_frac(rng: Random, d: int) -> Numbers | None:
    """Signs and fractions in a row: (sign, numerator, denominator, ...); the first sign is +1."""
    denominators = {1: (2, 12), 2: (3, 12), 3: (3, 15), 4: (2, 8), 5: (2, 12), 6: (3, 15)}[d]
    numbers: list[int] = []
    for i in range(2 if d <= 3 else 3):
        bottom = rng.randint(*denominators)
        top = rng.randint(1, bottom - 1 if d < 5 else bottom + 4)
        if Fraction(top, bottom).denominator != bottom:
            return None
        numbers += [1 if i == 0 or d == 1 else rng.choice((1, -1)), top, bottom]
    common = lcm(*numbers[2::3])
    tops = [s * t * common // b for s, t, b in zip(numbers[::3], numbers[1::3], numbers[2::3], strict=True)]
    running = [sum(tops[: i + 1]) for i in range(len(tops))]
    largest = {1: 36, 2: 60, 3: 60, 4: 60, 5: 60, 6: 120}[d]
    return None if common > largest or min(running) <= 0 else tuple(numbers)


def terms(numbers: Sequence[int]) -> list[tuple[int, int, int]]:
    return list(zip(numbers[::3], numbers[1::3], numbers[2::3], strict=True))


def frac_text(numbers: Sequence[int]) -> str:
    (_, top, bottom), *others = terms(numbers)
    return f"{top}/{bottom}" + "".join(f" {'+' if s > 0 else '-'} {t}/{b}" for s, t, b in others)


def frac_answer(numbers: Numbers) -> str:
    return str(sum((Fraction(s * t, b) for s, t, b in terms(numbers)), Fraction(0)))


def frac_facts(numbers: Numbers, words: Words) -> list[Fact]:
    """Over the least common denominator, or (rare) over the product of the denominators."""
    fractions = terms(numbers)
    least = lcm(*numbers[2::3])
    facts: list[Fact] = []
    for common in dict.fromkeys((least, prod(numbers[2::3]))):
        rare = common != least
        names = []
        for i, (_, top, bottom) in enumerate(fractions):
            names.append(f"{i} over {common}" if bottom != common else "")
            if bottom != common:
                says = f"{top}/{bottom} = {top * common // bottom}/{common}."
                facts.append(Fact(names[-1], says, rare=rare))
        tops = [s * t * common // b for s, t, b in fractions]
        top = sum(tops)
        total = Fraction(top, common)
        reduced = str(total) == f"{top}/{common}"
        gives = "answer" if reduced else f"sum over {common}"
        needs = tuple(filter(None, names))
        facts.append(Fact(gives, f"{signed_sum(tops)}, so the sum is {top}/{common}.", needs, rare))
        if not reduced:
            facts.append(Fact("answer", f"In lowest terms {top}/{common} = {total}.", (gives,), rare))
        tops_added = Sum(tuple(zip(names, tops, strict=True)), f"tops over {common}")
        over = frac_text([n for t in tops for n in (t // abs(t), abs(t), common)])
        facts += [
            *tops_added.any_order(),
            Fact(gives, f"So the sum is {top}/{common}.", (tops_added.gives,), rare=True),
            Fact(gives, f"{frac_text(numbers)} = {over} = {top}/{common}.", rare=True),
        ]
    return [*facts, Fact("answer", f"{frac_text(numbers)} = {frac_answer(numbers)}.", rare=True)]


def frac_ask(numbers: Numbers, words: Words) -> Sequence[str]:
    return [f"Compute {frac_text(numbers)} in lowest terms.", f"What is {frac_text(numbers)}? Give it in lowest terms."]


FRAC = fact_family("frac", "Adding fractions", draw_frac, frac_ask, frac_facts, frac_answer)
