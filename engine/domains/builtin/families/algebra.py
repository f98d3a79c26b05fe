"""Families with unknowns: linear equations, pairs of equations, quadratics, values of polynomials."""

from __future__ import annotations

from math import isqrt, lcm
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


def times_x(coefficient: int, letter: str = "x") -> str:
    return {1: letter, -1: f"-{letter}"}.get(coefficient, f"{coefficient}{letter}")


def linear(terms: list[tuple[int, str]]) -> str:
    """[(3, "x"), (-5, "")] -> "3x - 5"; zero terms are left out."""
    text = ""
    for coefficient, letter in terms:
        if coefficient:
            size = times_x(abs(coefficient), letter) if letter else str(abs(coefficient))
            sign = "-" if coefficient < 0 else "+"
            text += f" {sign} {size}" if text else size if coefficient > 0 else f"-{size}"
    return text or "0"


def draw_lin(rng: Random, d: int) -> Numbers | None:
    """(k, b, c, e, x): k(x + b) + c = ex + f with solution x; without a bracket b = 0 for k = the coefficient of x."""
    big = {1: 9, 2: 19, 3: 9, 4: 9, 5: 9, 6: 19}[d]
    x = rng.randint(2, {1: 12, 2: 30, 3: 15, 4: 20, 5: 20, 6: 40}[d])
    k = rng.randint(2, big)
    b = rng.choice((1, -1)) * rng.randint(1, 9) if d >= 4 else 0
    c = rng.choice((1, -1)) * rng.randint(1, 3 * big) if d != 4 else 0
    e = rng.randint(1, big) if d in (3, 5, 6) else 0
    return (k, b, c, e, x) if k > e and k * b + c != 0 else None


def lin_parts(numbers: Numbers) -> tuple[str, int]:
    """The left side as printed and the constant on the right."""
    k, b, c, e, x = numbers
    left = f"{k}({linear([(1, 'x'), (b, '')])})" + linear([(1, "|"), (c, "")])[1:] if b else linear([(k, "x"), (c, "")])
    return left, k * (x + b) + c - e * x


def lin_ask(numbers: Numbers, words: Words) -> list[str]:
    left, f = lin_parts(numbers)
    equation = f"{left} = {linear([(numbers[3], 'x'), (f, '')])}"
    return [f"Solve {equation} for x.", f"Find x if {equation}."]


def lin_moves(numbers: Numbers, words: Words, state: State) -> list[Move]:
    """State: ("bracket", k, b, c, e, f) or (a, c, e, f) for ax + c = ex + f."""
    assert isinstance(state, tuple)
    if state[0] == "bracket":
        k, b, c, e, f = state[1:]
        sign = "+" if b > 0 else "-"
        right = linear([(e, "x"), (f, "")])
        expand = f"Expand: {k} * {abs(b)} = {k * abs(b)}, so {linear([(k, 'x'), (k * b, ''), (c, '')])} = {right}."
        if c:
            merged = linear([(k, "x"), (k * b + c, "")])
            short = f"Expand: {merged} = {right}."
            verb, mark = ("Subtract", "-") if c > 0 else ("Add", "+")
            bare = f"{k}(x {sign} {abs(b)}) = {linear([(e, 'x'), (f - c, '')])}"
            first = f"{verb} {abs(c)}: {f} {mark} {abs(c)} = {f - c}, so {bare}."
            return [
                Move(expand, ("sum", k, k * b, c, e, f)),
                Move(short, (k, k * b + c, e, f), rare=True),
                Move(first, ("bracket", k, b, 0, e, f - c), rare=True),
            ]
        moves = [Move(expand, (k, k * b, e, f))]
        if e == 0 and f % k == 0:
            divide = f"Divide by {k}: {f} / {k} = {f // k}, so x {sign} {abs(b)} = {f // k}."
            moves.append(Move(divide, (1, b, 0, f // k), rare=True))
        return moves
    if state[0] == "sum":
        k, b, c, e, f = state[1:]
        equation = f"{linear([(k, 'x'), (b + c, '')])} = {linear([(e, 'x'), (f, '')])}"
        return [Move(f"Add up: {linear([(b, ''), (c, '')])} = {b + c}, so {equation}.", (k, b + c, e, f))]
    a, c, e, f = state
    moves = []
    if c:
        verb, sign = ("Subtract", "-") if c > 0 else ("Add", "+")
        says = f"{verb} {abs(c)}: {f} {sign} {abs(c)} = {f - c}, so {times_x(a)} = {linear([(e, 'x'), (f - c, '')])}."
        moves.append(Move(says, DONE if a == 1 and not e else (a, 0, e, f - c)))
    if e:
        says = f"Subtract {times_x(e)}: {a} - {e} = {a - e}, so {linear([(a - e, 'x'), (c, '')])} = {f}."
        moves.append(Move(says, DONE if a - e == 1 and not c else (a - e, c, 0, f)))
    if not c and not e:
        moves.append(Move(f"Divide by {a}: x = {f} / {a} = {f // a}.", DONE))
    return moves


def lin_start(numbers: Numbers) -> State:
    k, b, c, e, _ = numbers
    f = lin_parts(numbers)[1]
    return ("bracket", k, b, c, e, f) if b else (k, c, e, f)


LIN = Family("lin", "Linear equation", draw_lin, lin_ask, lin_start, lin_moves, answer=lambda n: str(n[4]))


def draw_system(rng: Random, d: int) -> Numbers | None:
    """(a, b, c, d, x, y) for ax + by = e and cx + dy = f."""
    size = {1: 30, 2: 9, 3: 9, 4: 12, 5: 9, 6: 15}[d]
    x, y = rng.randint(1, size), rng.randint(1, size)
    if d == 1:
        return (1, 1, 1, -1, x, y) if x > y else None
    most = {2: 5, 3: 5, 4: 7, 5: 7, 6: 9}[d]
    a, b, c, e = (rng.randint(1, most) for _ in range(4))
    if d == 2:
        e = b
    elif d <= 4:
        e = 1
    elif b % e == 0 or e % b == 0:
        return None
    e *= -1 if d == 6 and rng.random() < 0.5 else 1
    return None if a * e == b * c or (d == 4 and b == 1) else (a, b, c, e, x, y)


def system_ask(numbers: Numbers, words: Words) -> list[str]:
    a, b, c, d, x, y = numbers
    first = f"{linear([(a, 'x'), (b, 'y')])} = {a * x + b * y}"
    second = f"{linear([(c, 'x'), (d, 'y')])} = {c * x + d * y}"
    return [f"Solve {first} and {second}. What is x * y?", f"If {first} and {second}, what is x * y?"]


def eliminate(numbers: Numbers, gone: int, rare: bool) -> list[Fact]:
    """Facts that remove one unknown (0: x, 1: y), find the other, and put it back into either equation."""
    x, y = numbers[4:]
    rows = [(a, b, a * x + b * y) for a, b in (numbers[:2], numbers[2:4])]
    kept, letters, truth = 1 - gone, "xy", (x, y)
    common = lcm(rows[0][gone], rows[1][gone])
    facts: list[Fact] = []
    needs: list[str] = []
    for i, row in enumerate(rows):
        factor = common // abs(row[gone])
        if factor > 1:
            needs.append(f"row {i} without {letters[gone]}")
            a, b, e = (factor * n for n in row)
            says = f"Multiply the {('first', 'second')[i]} equation by {factor}: {linear([(a, 'x'), (b, 'y')])} = {e}."
            facts.append(Fact(needs[-1], says, rare=rare))
        rows[i] = (row[0] * factor, row[1] * factor, row[2] * factor)
    (p, q), sign, verb = rows, -1, "Subtract"
    if p[gone] == -q[gone]:
        sign, verb = 1, "Add"
    elif p[kept] < q[kept]:
        p, q = q, p
    coefficient, right = p[kept] + sign * q[kept], p[2] + sign * q[2]
    found = letters[kept]
    equation = f"{verb}: {times_x(coefficient, found)} = {linear([(p[2], ''), (sign * q[2], '')])} = {right}"
    if coefficient == 1:
        facts.append(Fact(found, f"{equation}.", tuple(needs), rare))
    else:
        facts.append(Fact(f"{found} left", f"{equation}.", tuple(needs), rare))
        facts.append(Fact(found, f"{found} = {right} / {coefficient} = {truth[kept]}.", (f"{found} left",), rare))
    return facts


def put_back(numbers: Numbers, known: int, row: int, rare: bool) -> list[Fact]:
    """Facts that put a known unknown (0: x, 1: y) into one equation and solve it for the other."""
    truth, letters, other = numbers[4:], "xy", 1 - known
    coefficients = numbers[2 * row : 2 * row + 2]
    right = sum(c * v for c, v in zip(coefficients, truth, strict=True))
    a, b = coefficients[known], coefficients[other]
    rest = right - a * truth[known]
    mark = "-" if a > 0 else "+"
    product = str(truth[known]) if abs(a) == 1 else f"{abs(a)} * {truth[known]}"
    where = f"Put {letters[known]} in the {('first', 'second')[row]} equation"
    start = f"{where}: {times_x(b, letters[other])} = {right} {mark} {product} = {rest}"
    if b == 1:
        return [Fact(letters[other], f"{start}.", (letters[known],), rare)]
    middle = f"{letters[other]} left in row {row}"
    return [
        Fact(middle, f"{start}.", (letters[known],), rare),
        Fact(letters[other], f"{letters[other]} = {rest} / {b} = {truth[other]}.", (middle,), rare),
    ]


def system_facts(numbers: Numbers, words: Words) -> list[Fact]:
    x, y = numbers[4:]
    facts = eliminate(numbers, 1, rare=False) + put_back(numbers, 0, 0, rare=False)
    facts += [Fact("answer", f"x * y = {x} * {y} = {x * y}.", ("x", "y"))]
    for known, row in ((0, 1), (1, 0), (1, 1)):
        facts += put_back(numbers, known, row, rare=True)
    return facts + (eliminate(numbers, 0, rare=True) if numbers[0] * numbers[3] != numbers[1] * numbers[2] else [])


SYSTEM = fact_family("system", "Two equations", draw_system, system_ask, system_facts, lambda n: str(n[4] * n[5]))


def draw_quad(rng: Random, d: int) -> Numbers | None:
    """(a, r, s) for a(x - r)(x - s) = 0 with r > s."""
    size = {1: 15, 2: 25, 3: 15, 4: 25, 5: 12, 6: 20}[d]
    low = 1 if d <= 2 else -size
    r, s = rng.randint(low, size), rng.randint(low, size)
    a = rng.randint(2, 5) if d >= 5 else 1
    return (a, r, s) if r > s and r and s and r + s else None


def quad_ask(numbers: Numbers, words: Words) -> list[str]:
    a, r, s = numbers
    equation = f"{linear([(a, 'x^2'), (-a * (r + s), 'x'), (a * r * s, '')])} = 0"
    return [f"What is the larger root of {equation}?", f"Solve {equation} and give the larger solution."]


def quad_facts(numbers: Numbers, words: Words) -> list[Fact]:
    """By the discriminant, or (rare) by finding the two roots from their sum and product."""
    a, r, s = numbers
    b, c = -(r + s), r * s
    facts = []
    needs: tuple[str, ...] = ()
    if a > 1:
        facts.append(Fact("monic", f"Divide by {a}: {linear([(1, 'x^2'), (b, 'x'), (c, '')])} = 0."))
        needs = ("monic",)
    four, square = 4 * c, b * b
    under = square - four
    root = isqrt(under)
    minus = f"{square} - {four}" if four > 0 else f"{square} + {-four}"
    times = f"{r} * {s}" if s > 0 else f"{r} * ({s})"
    pair = f"{times} = {c} and {linear([(r, ''), (s, '')])} = {r + s}"
    by_r, by_s = (f"({linear([(1, 'x'), (-zero, '')])})" for zero in (r, s))
    fours = f"{'-' if c > 0 else '+'} 4 * {abs(c)}"
    facts += [
        Fact("b^2", f"b * b = {abs(b)} * {abs(b)} = {square}.", needs),
        Fact("4c", f"4 * {c} = {four}.", needs),
        Fact("D", f"The discriminant is {minus} = {under}.", ("b^2", "4c")),
        Fact("root", f"Its root is {root}, as {root} * {root} = {under}.", ("D",)),
        Fact("double", f"Twice the larger root is {-b} + {root} = {root - b}.", ("root",)),
        Fact("answer", f"So x = {root - b} / 2 = {r}.", ("double",)),
        Fact("D", f"The discriminant is {abs(b)}^2 {fours} = {square} {fours} = {minus} = {under}.", needs, rare=True),
        Fact("pair", f"{pair}.", needs, rare=True),
    ]
    for one, other in ((by_r, by_s), (by_s, by_r)):
        facts.append(Fact("split", f"So {one}{other} = 0.", needs, rare=True))
        if a > 1:
            facts.append(Fact("split", f"So {a}{one}{other} = 0.", rare=True))
    for x, also in ((r, s), (s, r)):
        for known in ("pair", "split"):
            facts.append(Fact("answer", f"So x = {x} or x = {also}.", (known,), rare=True))
    return facts


QUAD = fact_family("quad", "Quadratic equation", draw_quad, quad_ask, quad_facts, lambda n: str(n[1]))


def draw_poly(rng: Random, d: int) -> Numbers | None:
    """(t, constant, coefficient of x, of x^2, ...): the value at x = t; no coefficient is 0."""
    degree = {1: 1, 2: 2, 3: 2, 4: 2, 5: 3, 6: 3}[d]
    most, t = {1: (19, 15), 2: (9, 9), 3: (9, 9), 4: (19, 15), 5: (5, 6), 6: (9, 9)}[d]
    coefficients = [rng.choice((1, -1) if d >= 3 else (1,)) * rng.randint(1, most) for _ in range(degree + 1)]
    return (rng.randint(2, t), *coefficients) if coefficients[-1] > 0 else None


def poly_text(numbers: Numbers) -> str:
    letters = ("", "x", "x^2", "x^3")
    return linear([(c, letters[i]) for i, c in reversed(list(enumerate(numbers[1:])))])


def poly_ask(numbers: Numbers, words: Words) -> list[str]:
    t, f = numbers[0], poly_text(numbers)
    return [f"If f(x) = {f}, what is f({t})?", f"Find {f} for x = {t}."]


def poly_facts(numbers: Numbers, words: Words) -> list[Fact]:
    """Powers, terms and their sum from the highest term down; or (rare) in another order, or by Horner's scheme."""
    t, *coefficients = numbers
    degree = len(coefficients) - 1
    facts, parts = [], []
    for i in range(2, degree + 1):
        facts.append(Fact(f"t^{i}", f"{t}^{i} = {t ** (i - 1)} * {t} = {t**i}.", (f"t^{i - 1}",) if i > 2 else ()))
        if i > 2:
            facts.append(Fact(f"t^{i}", f"{t}^{i} = {t**i}.", rare=True))
    for i in range(degree, 0, -1):
        c = abs(coefficients[i])
        needs = (f"t^{i}",) if i > 1 else ()
        if c == 1:
            parts.append((needs[0] if needs else "", coefficients[i] * t**i))
            continue
        facts.append(Fact(f"term {i}", f"{c} * {t**i} = {c * t**i}.", needs))
        if i > 1:
            facts.append(Fact(f"term {i}", f"{c} * {t}^{i} = {c} * {t**i} = {c * t**i}.", rare=True))
        parts.append((f"term {i}", coefficients[i] * t**i))
    whole = Sum((*parts, ("", coefficients[0])), "answer")
    for i in range(1, degree + 1):
        before, value = whole.value(range(i)), whole.terms[i][1]
        says = signed_sum((before, value)) if before else f"0 + {value} = {value}"
        facts.append(whole.fact(f"{says}.", range(i), [i]))
    facts += whole.any_order()
    running = coefficients[-1]
    horner: tuple[str, ...] = ()
    for i in range(degree - 1, -1, -1):
        product = running * t
        facts.append(Fact(f"horner {i}", f"{running} * {t} = {product}.", horner, rare=True))
        after = product + coefficients[i]
        gives = "answer" if i == 0 else f"horner sum {i}"
        says = f"{linear([(product, ''), (coefficients[i], '')])} = {after}."
        facts.append(Fact(gives, says, (f"horner {i}",), rare=True))
        running, horner = after, (f"horner sum {i}",)
    return facts


def poly_answer(numbers: Numbers) -> str:
    return str(sum(c * numbers[0] ** i for i, c in enumerate(numbers[1:])))


POLY = fact_family("poly", "Value of a polynomial", draw_poly, poly_ask, poly_facts, poly_answer)
