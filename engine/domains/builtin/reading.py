"""Reads a problem's text back into its family and numbers: so the families' problems have exact answers and checked
steps whatever numbers somebody types.

For each family there is a reader that offers the numbers that a text may stand for. It need not be careful: an offer
counts only if the family, asked for these numbers, words the problem exactly so.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from functools import lru_cache
from math import isqrt

from engine.domains.builtin.families import BY_NAME
from engine.domains.builtin.families.base import Family, Numbers, Words
from engine.domains.builtin.problems import Problem

#: Longer texts and numbers, and problems with more parts, are not read: the families have none of that size.
_MOST_CHARACTERS, _MOST_DIGITS, _MOST_NUMBERS, _MOST_FRACTIONS = 400, 9, 24, 4

Offer = Sequence[int | Fraction]
Reader = Callable[[str, list[int]], Iterator[Offer]]

_NUMBER = re.compile(r"\d+")
_TERM = re.compile(r"([+-]?) ?(\d*)(x\^3|x\^2|x|y)?(?= |$)")
_BRACKET = re.compile(r"(\d+)\(x ([+-]) (\d+)\)(.*)")
_FRACTION = re.compile(r"([+-]?) ?(\d+)/(\d+)")
_CHANGE = re.compile(r"(rises|falls) by (\d+)%")
_EXPRESSION = re.compile(r"(?:Evaluate|What is) ([-+*() \d]+)[.?]")
_OPERATORS: dict[type[ast.operator], int] = {ast.Add: -1, ast.Sub: -2, ast.Mult: -3}


class NoWholeAnswer(ValueError):
    """A family's problem with numbers for which nobody gets a whole answer."""


@lru_cache(maxsize=4096)
def read_problem(text: str) -> Problem | None:
    """The problem that a text is, if it is one of the families', word for word; None for any other text.

    Raises `NoWholeAnswer`.
    """
    text = " ".join(text.split())
    numbers = _NUMBER.findall(text)
    if len(text) > _MOST_CHARACTERS or len(numbers) > _MOST_NUMBERS or max(map(len, numbers), default=0) > _MOST_DIGITS:
        return None
    for name, reader in _READERS.items():
        family = BY_NAME[name]
        for offer in _offers(reader, text, list(map(int, numbers))):
            words = _words(family, text)
            if text in _asked(family, offer, words):
                whole = _whole(name, offer)
                return Problem(text, family.answer(whole), name, 0, whole, words, ())
    return None


def _offers(reader: Reader, text: str, numbers: list[int]) -> list[Offer]:
    try:
        return list(reader(text, numbers))
    except NoWholeAnswer:
        raise
    except (ValueError, LookupError, ZeroDivisionError, SyntaxError):  # a text of another family
        return []


def _asked(family: Family, offer: Offer, words: Words) -> Sequence[str]:
    try:
        return family.ask(tuple(offer), words)  # type: ignore[arg-type]  # a fraction that is whole reads as its number
    except (ValueError, IndexError, TypeError):
        return ()


def _words(family: Family, text: str) -> Words:
    """Of each row of words the one that the text has; the first where it has none."""
    there = set(re.findall(r"\w+", text))
    return tuple(next((word for word in row if word in there), row[0]) for row in family.words)


def _whole(name: str, offer: Offer) -> Numbers:
    numbers = tuple(int(number) for number in offer)
    if list(numbers) != list(offer):
        raise NoWholeAnswer(name)
    if name == "share" and numbers[0] % sum(numbers[2:]):
        raise NoWholeAnswer(name)
    if name == "dist" and numbers[0]:
        _, *legs = numbers
        if sum(h * v for h, v in zip(legs[::2], legs[1::2], strict=True)) % sum(legs[::2]):
            raise NoWholeAnswer(name)
    if name == "percent":
        price, *percents = numbers
        for percent in percents:
            if price * percent % 100:
                raise NoWholeAnswer(name)
            price += price * percent // 100
    return numbers


# --- what the numbers of a text may be, family by family (see the families for their order) ---------------------------


def _expr(text: str, numbers: list[int]) -> Iterator[Offer]:
    if found := _EXPRESSION.fullmatch(text):
        yield list(_prefix(ast.parse(found[1], mode="eval").body))


def _prefix(tree: ast.expr) -> Iterator[int]:
    match tree:
        case ast.BinOp(left=left, op=op, right=right):
            yield _OPERATORS[type(op)]
            yield from _prefix(left)
            yield from _prefix(right)
        case ast.Constant(value=int() as value):
            yield value
        case _:
            raise ValueError("no calculation")


def _frac(text: str, numbers: list[int]) -> Iterator[Offer]:
    found = _FRACTION.findall(text)
    if 2 <= len(found) <= _MOST_FRACTIONS and all(int(bottom) for _, _, bottom in found):
        yield [n for sign, top, bottom in found for n in (-1 if sign == "-" else 1, int(top), int(bottom))]


def _shop(text: str, numbers: list[int]) -> Iterator[Offer]:
    for kinds in (1, 2, 3):
        basket, rest = numbers[: 2 * kinds], numbers[2 * kinds :]
        if len(rest) <= 2:
            paid, coupon = [*rest, 0, 0][:2]
            yield [paid, coupon, *basket]
            yield [coupon, paid, *basket]


def _share(text: str, numbers: list[int]) -> Iterator[Offer]:
    total, *ratio = numbers
    if len(ratio) in (2, 3) and all(ratio):
        yield from ([total, compare, *ratio] for compare in (0, 1))


def _age(text: str, numbers: list[int]) -> Iterator[Offer]:
    times, *others = numbers
    for offer in ((0, *others, 0), (*others, 0), (0, *others), tuple(others)):
        if len(offer) == 3:
            years, total, later = offer
            yield [times, Fraction(total - 2 * years, times + 1), years, later]


def _dist(text: str, numbers: list[int]) -> Iterator[Offer]:
    if len(numbers) in (4, 6) and all(numbers[::2]):
        yield from ([average, *numbers] for average in (0, 1))


def _percent(text: str, numbers: list[int]) -> Iterator[Offer]:
    yield [numbers[0], *((1 if verb == "rises" else -1) * int(size) for verb, size in _CHANGE.findall(text))]


def _lin(text: str, numbers: list[int]) -> Iterator[Offer]:
    left, right = _sides(text.removeprefix("Solve ").removeprefix("Find x if ").removesuffix("."))
    right = right.removesuffix(" for x")
    bracket = _BRACKET.fullmatch(left)
    if bracket:
        k, b = int(bracket[1]), int(bracket[2] + bracket[3])
        c = _terms(bracket[4].strip()).get("", 0)
    else:
        terms = _terms(left)
        k, b, c = terms["x"], 0, terms.get("", 0)
    e, f = _terms(right).get("x", 0), _terms(right).get("", 0)
    yield [k, b, c, e, Fraction(f - k * b - c, k - e)]


def _system(text: str, numbers: list[int]) -> Iterator[Offer]:
    first, second = text.removeprefix("Solve ").removeprefix("If ").split(" and ")
    second = second.removesuffix(". What is x * y?").removesuffix(", what is x * y?")
    rows = [(_terms(left), int(right)) for left, right in map(_sides, (first, second))]
    (a, b, e), (c, d, f) = ((terms["x"], terms["y"], right) for terms, right in rows)
    size = a * d - b * c
    yield [a, b, c, d, Fraction(e * d - b * f, size), Fraction(a * f - e * c, size)]


def _quad(text: str, numbers: list[int]) -> Iterator[Offer]:
    for before, after in (("What is the larger root of ", " = 0?"), ("Solve ", " = 0 and give the larger solution.")):
        if not (text.startswith(before) and text.endswith(after)):
            continue
        terms = _terms(text.removeprefix(before).removesuffix(after))
        a, b, c = (terms.get(power, 0) for power in ("x^2", "x", ""))
        inner = b * b - 4 * a * c
        if a <= 0 or inner < 0 or isqrt(inner) ** 2 != inner:
            raise NoWholeAnswer("quad")
        yield [a, *(Fraction(-b + sign * isqrt(inner), 2 * a) for sign in (1, -1))]


def _poly(text: str, numbers: list[int]) -> Iterator[Offer]:
    body, _, rest = text.removeprefix("If f(x) = ").removeprefix("Find ").partition(", " if "f(x)" in text else " for ")
    terms = _terms(body)
    if rest and (highest := max((i for i, power in enumerate(_POWERS) if terms.get(power)), default=0)):
        yield [numbers[-1], *(terms[power] for power in _POWERS[: highest + 1])]


_POWERS = ("", "x", "x^2", "x^3")


def _series(text: str, numbers: list[int]) -> Iterator[Offer]:
    a, b, c, d = numbers
    for first, second, count, total in ((b, c, a, 0), (b, c, a, 1), (a, b, d, 0), (a, b, d, 1)):
        if count:
            yield [first, second - first, count, total]


def _three(*last: int) -> Reader:
    """All numbers of a short text in their order, and one of `last` behind them."""

    def read(text: str, numbers: list[int]) -> Iterator[Offer]:
        yield from ([*numbers, each] for each in last) if last else [numbers]

    return read


def _sides(equation: str) -> list[str]:
    left, right = equation.split(" = ")
    return [left, right]


def _terms(formula: str) -> dict[str, int]:
    """ "3x - 5" -> {"x": 3, "": -5}. Raises `ValueError` for anything else."""
    found: dict[str, int] = {}
    place = 0
    while place < len(formula):
        term = _TERM.match(formula, place)
        if term is None or not (term[2] or term[3]):
            raise ValueError(formula)
        found[term[3] or ""] = int(term[1] + (term[2] or "1"))
        place = term.end() + 1
    return found


_READERS: dict[str, Reader] = {
    "expr": _expr, "mul": _three(), "frac": _frac, "shop": _shop, "share": _share, "age": _age, "dist": _dist,
    "percent": _percent, "lin": _lin, "system": _system, "quad": _quad, "poly": _poly, "series": _series,
    "gcd": _three(0, 1), "modpow": _three(),
}  # fmt: skip
assert _READERS.keys() == BY_NAME.keys()
