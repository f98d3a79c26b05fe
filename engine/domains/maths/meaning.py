"""Whether two answers that were read mean the same.

A formula is compared by its value: exactly where it is rational, else to many digits, at fixed points where it has
unknowns (positive ones, so that sqrt(1/n) is 1/sqrt(n)). Numbers that would outgrow the memory are never worked out;
needing one raises `Undecidable`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from hashlib import blake2b
from typing import Any

import sympy

from engine.domains.maths.reading import Answer, Equation, Items, Labelled, Region, Span, Value, Words

#: Significant digits that must agree; values are worked out to more.
DIGITS, WORKED_OUT = 40, 60
#: Bits of the largest number that is worked out: 2006! has 19,000.
MOST_BITS = 200_000
_POINTS = 2
_KNOWN = {"i": sympy.I, "e": sympy.E, "pi": sympy.pi}


class Undecidable(ArithmeticError):
    """It cannot be worked out here."""


def same(gold: Answer, answer: Answer) -> bool:
    """Whether `answer` means what `gold` does. Raises `Undecidable`."""
    if isinstance(gold, Labelled) or isinstance(answer, Labelled):
        return _same_labelled(gold, answer)
    match gold, answer:
        case Value(), Value():
            return _same_value(gold, answer)
        case Words(), Words():
            return gold.text == answer.text
        case Equation(), Equation():
            return _same_equation(gold, answer)
        case Region(), Region():
            return _same_region(gold, answer)
        case (Region(items=Items() as pair), Items() as other) | (Items() as other, Region(items=Items() as pair)):
            return _same_items(pair, other)
        case Items(), Items():
            return _same_items(gold, answer)
    return False


def _same_labelled(gold: Answer, answer: Answer) -> bool:
    """A name counts where both give one; `y = 2x + 1` is `2x + 1`, and an equation in its own right."""
    if isinstance(gold, Labelled) and isinstance(answer, Labelled):
        return gold.name == answer.name and same(gold.answer, answer.answer)
    named, plain = (gold, answer) if isinstance(gold, Labelled) else (answer, gold)
    assert isinstance(named, Labelled)
    if isinstance(plain, Equation):
        given = named.answer
        return isinstance(given, Value) and _same_equation(Equation(sympy.Symbol(named.name), given.expression), plain)
    return same(named.answer, plain)


def _same_value(gold: Value, answer: Value) -> bool:
    if gold.base is not None and answer.base is not None and gold.base != answer.base:
        return False
    if gold.unit and answer.unit:
        if gold.unit.dimension != answer.unit.dimension:
            return False
        sizes = (Fraction(1), answer.unit.size / gold.unit.size)
    else:
        sizes = (Fraction(1), Fraction(1))
    left, right = _scaled(gold.expression, sizes[0]), _scaled(answer.expression, sizes[1])
    if _same_formula(left, right):
        return True
    if gold.percent != answer.percent:  # 50 % is 50 as well as 0.5
        hundredth = Fraction(1, 100)
        if gold.percent:
            return _same_formula(_scaled(left, hundredth), right)
        return _same_formula(left, _scaled(right, hundredth))
    return False


def _scaled(expression: Any, size: Fraction) -> Any:
    if size == 1:
        return expression
    return sympy.Mul(expression, sympy.Rational(size.numerator, size.denominator), evaluate=False)


def _same_items(gold: Items, answer: Items) -> bool:
    if len(gold.items) != len(answer.items):
        return False
    orders = {gold.order, answer.order}
    if "matrix" in orders or "fixed" in orders:
        if "free" in orders or (len(orders) == 2 and "matrix" in orders):
            return False
        return all(same(one, other) for one, other in zip(gold.items, answer.items, strict=True))
    left = list(answer.items)
    for item in gold.items:
        twin = next((other for other in left if same(item, other)), None)
        if twin is None:
            return False
        left.remove(twin)
    return True


def _same_equation(gold: Equation, answer: Equation) -> bool:
    """Both say the same of their unknowns: one is a multiple of the other."""
    one, other = _difference(gold), _difference(answer)
    if {s.name for s in one.free_symbols} != {s.name for s in other.free_symbols}:
        return False
    values = [(_number(one, point), _number(other, point)) for point in range(3)]
    if any(b == 0 for _, b in values):
        raise Undecidable("an equation that holds at the points it is tried at")
    ratios = [a / b for a, b in values]
    return ratios[0] != 0 and all(_close(ratio, ratios[0]) for ratio in ratios[1:])


def _difference(equation: Equation) -> Any:
    return sympy.Add(equation.left, sympy.Mul(-1, equation.right, evaluate=False), evaluate=False)


def _same_region(gold: Region, answer: Region) -> bool:
    """Spans in their order on the line, each with the same ends."""
    one, other = _in_order(gold.spans), _in_order(answer.spans)
    return len(one) == len(other) and all(_same_span(a, b) for a, b in zip(one, other, strict=True))


def _same_span(a: Span, b: Span) -> bool:
    return (
        (a.low_closed, a.high_closed) == (b.low_closed, b.high_closed)
        and _same_end(a.low, b.low)
        and _same_end(a.high, b.high)
    )


def _same_end(a: Value | None, b: Value | None) -> bool:
    return a is b if a is None or b is None else _same_value(a, b)


def _in_order(spans: Sequence[Span]) -> list[Span]:
    if len(spans) < 2:
        return list(spans)

    def start(span: Span) -> float:
        return -math.inf if span.low is None else float(sympy.re(_number(span.low.expression, 0)))

    return sorted(spans, key=start)


# --- formulas ---------------------------------------------------------------------------------------------------------


def _same_formula(gold: Any, answer: Any) -> bool:
    points = max(_points(gold), _points(answer))
    return all(_close(_number(gold, point), _number(answer, point)) for point in range(points))


def fingerprint(expression: Any) -> tuple[Any, ...]:
    """The value of a formula at the points where formulas are compared: one where it has no unknowns."""
    return tuple(_number(expression, point) for point in range(_points(expression)))


def _points(expression: Any) -> int:
    return _POINTS if {symbol.name for symbol in expression.free_symbols} - _KNOWN.keys() else 1


def _close(a: Any, b: Any) -> bool:
    if (a.is_Rational and b.is_Rational) or sympy.oo in (a, -a, b, -b):
        return bool(a == b)
    difference = abs(sympy.N(a - b, WORKED_OUT))
    scale = max(abs(sympy.N(a, WORKED_OUT)), abs(sympy.N(b, WORKED_OUT)))
    return bool(difference <= scale * sympy.Float(10, 20) ** -DIGITS)


def _number(expression: Any, point: int) -> Any:
    """The value of `expression` with its unknowns at `point`. Raises `Undecidable`."""
    _size(expression)
    places = {s: _KNOWN.get(s.name, _place(s.name, point)) for s in expression.free_symbols}
    value = expression.subs(places, simultaneous=True) if places else expression
    value = value.doit()
    if value.is_Rational or value in (sympy.oo, -sympy.oo):
        return value
    found = sympy.N(value, WORKED_OUT, maxn=4 * WORKED_OUT)
    if not found.is_number or found.has(sympy.nan, sympy.zoo, sympy.oo) or found.free_symbols or not found.is_finite:
        raise Undecidable(str(expression)[:80])
    return found


def _place(name: str, point: int) -> Any:
    """A positive rational that belongs to this unknown alone."""
    number = int.from_bytes(blake2b(f"{name}:{point}".encode(), digest_size=3).digest(), "big")
    return sympy.Rational(number + 1_000_003, 7_654_321)


def _size(expression: Any) -> float | None:
    """The bits of a number, None where unknowns are in it. Raises `Undecidable` where they are too many to work out."""
    if expression.is_Rational:
        return float(max(abs(expression.p), expression.q).bit_length())
    sizes = [_size(part) for part in expression.args]
    if expression.is_Pow and (exponent := _magnitude(expression.exp)) is not None:
        size = exponent * (sizes[0] or 64.0)
    elif isinstance(expression, sympy.factorial) and (most := _magnitude(expression.args[0])) is not None:
        size = most * math.log2(max(most, 2))
    elif any(each is None for each in sizes):
        return None
    else:
        size = sum(each or 0.0 for each in sizes) + 64.0
    if size > MOST_BITS:
        raise Undecidable(str(type(expression).__name__))
    return size


def _magnitude(expression: Any) -> float | None:
    """About how large a number is; None where unknowns or functions are in it."""
    if expression.is_Rational:
        return abs(float(expression)) if expression.p.bit_length() < 900 else math.inf
    parts = [_magnitude(part) for part in expression.args]
    if not parts or any(part is None for part in parts):
        return None
    known = [part for part in parts if part is not None]
    if expression.is_Pow:
        return math.inf if known[1] * math.log2(max(known[0], 2)) > 900 else known[0] ** known[1]
    return sum(known) if expression.is_Add else math.prod(known)
