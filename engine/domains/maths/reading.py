"""From a tidied answer to what it means: a value, several of them, a region of the line, an equation, or words.

The formulas themselves are read by latex2sympy2_extended, without evaluating anything. What surrounds them is read
here: labels, lists, pairs, intervals and inequalities, units, bases, mixed numbers, choices.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import sympy

from engine.domains.maths.formulas import Unreadable, formula
from engine.domains.maths.spelling import WRAPPED, tidy
from engine.domains.maths.units import Unit, is_known, unit_named


@dataclass(frozen=True)
class Value:
    """A formula, with what is written next to it. `expression` is unevaluated; `base` is that of a numeral's digits."""

    expression: Any
    unit: Unit | None = None
    percent: bool = False
    base: int | None = None


@dataclass(frozen=True)
class Items:
    """Several answers. `order` is "fixed" for a tuple, "free" for a set, "listed" where only commas part them, and
    "matrix" for a matrix and for its rows."""

    items: tuple[Answer, ...]
    order: str


@dataclass(frozen=True)
class Span:
    """A piece of the line from `low` to `high` (None: without end)."""

    low: Value | None
    high: Value | None
    low_closed: bool = False
    high_closed: bool = False


@dataclass(frozen=True)
class Region:
    """A union of spans; no span is the empty set. A pair in round brackets is an open span as well as two `items`."""

    spans: tuple[Span, ...]
    items: Items | None = None


@dataclass(frozen=True)
class Equation:
    left: Any
    right: Any


@dataclass(frozen=True)
class Words:
    """Not a formula: a name, a choice, a direction."""

    text: str


@dataclass(frozen=True)
class Labelled:
    """`x = 5`, `x \\in S`: an answer and the name it is given."""

    name: str
    answer: Answer


Answer = Value | Items | Region | Equation | Words | Labelled

_NAME = r"[A-Za-z](?:_\{?\w+\}?)?'?|\\[a-z]+(?:_\{?\w+\}?)?|[A-Za-z]\([a-z]\)"
_LABEL = re.compile(rf"({_NAME})\s*(=|\\in(?![a-z]))\s*(.+)", re.DOTALL)
_EMPTY = {r"\emptyset", r"\varnothing", r"\{\}", r"\{ \}"}
_NOTHING = {"no solution", "no solutions", "no real solution", "no real solutions", "empty set", "the empty set"}
_REALS = {r"\mathbb{R}", r"\mathbb R", r"\Reals", "all real numbers", "all reals"}
_MATRIX = re.compile(r"\\begin\{([bpvBV]?matrix|array)\}(?:\{[lcr|]+\})?(.*)\\end\{\1\}", re.DOTALL)
_RELATION = re.compile(r"(\\leq?(?![a-z])|\\geq?(?![a-z])|\\lt(?![a-z])|\\gt(?![a-z])|\\neq?(?![a-z])|<=|>=|<|>)")
_OPENING, _CLOSING = {"(": ")", "[": "]"}, {")": "(", "]": "["}
_BASED = re.compile(r"([0-9A-Fa-f]+)_\{?(\d+)\}?")
_CHOICE = re.compile(r"\(?([A-Z])\s*[).:](?:\s.*)?", re.DOTALL)
_MONEY = re.compile(r"(-?)\s*(\\?\$|\u20ac|\u00a3)\s*(.+)", re.DOTALL)
_ORDINAL = re.compile(r"(?<=\d)\^?\{?(?:st|nd|rd|th)\}?$")
_TRIGONOMETRY = re.compile(r"(?:sin|cos|tan|cot|sec|csc)(?![a-z])")
_DEGREES = re.compile(r"\(?([\d.]+)\s*\^\s*\{?\\circ\s*\}?\)?")
_SPOKEN_UNIT = re.compile(r"(.+?)\s*\\(?:text|mathrm|mbox)\{\s*([^{}]*[A-Za-z][^{}]*)\}\s*(\^\s*\{?\d\}?)?", re.DOTALL)
_AFTER = re.compile(
    r"(.*?[\d)}.!])\s*((?:\^\{?\\circ\}?)|[A-Za-z\u20ac\u00a3\u00a2][A-Za-z ./^\d{}\u00a2]*)", re.DOTALL
)
_FUNCTIONS = frozenset(
    {
        "sin", "cos", "tan", "cot", "sec", "csc", "arcsin", "arccos", "arctan", "sinh", "cosh", "tanh", "ln", "log",
        "exp", "sqrt", "pi", "max", "min", "gcd", "lcm", "mod",
    }
)  # fmt: skip
_WORD = re.compile(r"(?<!\\)(?<![A-Za-z])[A-Za-z]{2,}")


def read(answer: str) -> Answer:
    """What an answer means. Raises `Unreadable` if it is neither a formula nor words."""
    return _read(tidy(answer))


def _read(text: str) -> Answer:
    text = text.strip().replace(r"\langle", "(").replace(r"\rangle", ")")
    if not text:
        raise Unreadable("nothing is written")
    if text in _EMPTY or WRAPPED.sub(r"\1", text).strip().lower() in _NOTHING:
        return Region(())
    if WRAPPED.sub(r"\1", text).strip().lower() in {each.lower() for each in _REALS}:
        return Region((Span(None, None),))
    if match := _MATRIX.fullmatch(text):
        rows = [row for row in match[2].split("\\\\") if row.strip()]
        return Items(tuple(Items(tuple(map(_read, row.split("&"))), "matrix") for row in rows), "matrix")
    if match := _LABEL.fullmatch(text):
        name, sign, rest = match.groups()
        if sign != "=" or not re.search(r"(?<![<>\\])=", rest):
            return Labelled(_bare(name), _read(rest)) if not _is_formula_of(name, rest) else _equation(text)
    for reading in (_choice, _joined, _region, _plus_minus, _ratio, _bracketed, _money):
        found = reading(text)
        if found is not None:
            return found
    if re.search(r"(?<![<>!\\])=", text):
        return _equation(text)
    return _quantity(text)


def _is_formula_of(name: str, rest: str) -> bool:
    """Whether the name occurs in its own value: `x = 2x - 1` is an equation, not a label."""
    return re.search(rf"(?<![A-Za-z\\]){re.escape(name)}(?![A-Za-z])", rest) is not None


def _bare(name: str) -> str:
    return re.sub(r"[{}\\]", "", name)


def _choice(text: str) -> Answer | None:
    match = _CHOICE.fullmatch(WRAPPED.sub(r"\1", text).strip())
    return Words(match[1]) if match else None


def _joined(text: str) -> Answer | None:
    """A list: parts between commas or semicolons, or joined by words."""
    spoken = WRAPPED.sub(lambda m: f" {m[1].strip()} " if m[1].strip() in ("and", "or") else m[0], text)
    spoken = re.sub(r"\s*[,;]?\s+(?:and|or)\s+", ";", spoken)
    parts = [part for part in _split(spoken, ",;") if part.strip()]
    if len(parts) < 2:
        return None
    if all(_RELATION.search(part) for part in parts):  # x < 1 or x > 3
        regions = [_unlabelled(_read(part)) for part in parts]
        if all(isinstance(region, Region) for region in regions):
            return Region(tuple(span for region in regions if isinstance(region, Region) for span in region.spans))
    return Items(tuple(_read(part) for part in parts), "listed")


def _unlabelled(answer: Answer) -> Answer:
    return answer.answer if isinstance(answer, Labelled) else answer


def _region(text: str) -> Answer | None:
    """Intervals, their unions, and inequalities in one unknown."""
    pieces = _split(text, r"\cup")
    if len(pieces) > 1:
        regions = [_unlabelled(_read(piece)) for piece in pieces]
        if all(isinstance(region, Region) for region in regions):
            return Region(tuple(span for region in regions if isinstance(region, Region) for span in region.spans))
        return None
    if _RELATION.search(text):
        return _inequality(text)
    return None


_FLIPPED = {"<": ">", ">": "<", "<=": ">=", ">=": "<="}


def _inequality(text: str) -> Answer:
    parts = _RELATION.split(text)
    sides, signs = [part.strip() for part in parts[::2]], [_sign(sign) for sign in parts[1::2]]
    unknown = next((i for i, side in enumerate(sides) if re.fullmatch(_NAME, side)), None)
    if unknown is None or len(sides) > 3 or any(not side for side in sides):
        return Words(_letters(text))
    name = _bare(sides[unknown])
    if signs == ["!="]:
        value = _amount(sides[1 - unknown])
        return Labelled(name, Region((Span(None, value), Span(value, None))))
    low: tuple[Value | None, bool] = (None, False)
    high: tuple[Value | None, bool] = (None, False)
    for i, sign in enumerate(signs):
        other, seen = (i + 1, sign) if i == unknown else (i, _FLIPPED.get(sign, sign))
        if unknown not in (i, i + 1) or sign == "!=":
            return Words(_letters(text))
        value = _amount(sides[other])
        if seen.startswith("<"):
            high = (value, seen == "<=")
        else:
            low = (value, seen == ">=")
    return Labelled(name, Region((Span(low[0], high[0], low[1], high[1]),)))


def _sign(sign: str) -> str:
    for spelled, plain in (("le", "<="), ("ge", ">="), ("lt", "<"), ("gt", ">"), ("ne", "!=")):
        if sign.startswith("\\" + spelled):
            return plain
    return sign


def _plus_minus(text: str) -> Answer | None:
    if not re.search(r"\\(?:pm|mp)(?![a-z])", text):
        return None
    upper, lower = re.compile(r"\\pm(?![a-z])"), re.compile(r"\\mp(?![a-z])")
    both = [lower.sub(other, upper.sub(sign, text)) for sign, other in (("+", "-"), ("-", "+"))]
    return Items(tuple(_read(each.removeprefix("+").strip()) for each in both), "listed")


def _ratio(text: str) -> Answer | None:
    parts = _split(text, ":")
    if len(parts) < 2 or not all(part.strip() for part in parts):
        return None
    amounts = [formula(part) for part in parts]
    if amounts[0] == 0 or amounts[-1] == 0:
        return Words(_letters(text))
    over = [sympy.Mul(amounts[0], sympy.Pow(other, -1, evaluate=False), evaluate=False) for other in amounts[1:]]
    return Value(over[0]) if len(over) == 1 else Items(tuple(map(Value, over)), "fixed")


def _bracketed(text: str) -> Answer | None:
    """A set, a tuple, an interval; brackets around one thing mean nothing."""
    if text.startswith(r"\{") and text.endswith(r"\}"):
        return Items(tuple(_read(part) for part in _split(text[2:-2], ",;") if part.strip()), "free")
    if text.startswith("{") and text.endswith("}") and _encloses(text):
        inside = _read(text[1:-1])
        return Items(inside.items, "free") if isinstance(inside, Items) and inside.order == "listed" else inside
    if text[0] not in _OPENING or text[-1] not in _CLOSING or not _encloses(text):
        return None
    parts = _split(text[1:-1], ",;")
    matching = _OPENING[text[0]] == text[-1]
    if len(parts) == 1:
        return _read(parts[0]) if matching else None
    items = Items(tuple(_read(part) for part in parts), "fixed") if matching else None
    if len(parts) > 2:
        return items
    low, high = (_end(part) for part in parts)
    if low is _NO_NUMBER or high is _NO_NUMBER:
        return items
    return Region((Span(low, high, text[0] == "[", text[-1] == "]"),), items)


_NO_NUMBER: Any = object()


def _end(text: str) -> Any:
    """The end of an interval: a value, None for infinity, `_NO_NUMBER` for anything else."""
    if re.fullmatch(r"[-+]?\s*\\infty", text.strip()):
        return None
    try:
        found = _read(text)
    except Unreadable:
        return _NO_NUMBER
    return found if isinstance(found, Value) else _NO_NUMBER


def _money(text: str) -> Answer | None:
    match = _MONEY.fullmatch(text)
    if match is None:
        return None
    value = _amount(match[1] + match[3])
    return Value(value.expression, value.unit or unit_named(match[2]))


def _equation(text: str) -> Answer:
    left, _, right = text.partition("=")
    if "=" in right or not left.strip() or not right.strip():
        return Words(_letters(text))
    try:
        return Equation(formula(left), formula(right))
    except Unreadable:
        return Words(_letters(text))


def _amount(text: str) -> Value:
    found = _quantity(text)
    if isinstance(found, Words):
        raise Unreadable(text)
    return found


def _quantity(text: str) -> Value | Words:
    """A value with its unit, or words."""
    text = _ORDINAL.sub("", text)
    if _TRIGONOMETRY.search(text):
        text = _DEGREES.sub(r"(\1\\cdot\\frac{\\pi}{180})", text)
    if match := re.fullmatch(r"(.+?)\s*\\?%", text, re.DOTALL):
        return Value(formula(match[1]), percent=True)
    if match := _BASED.fullmatch(text):
        return Value(formula(str(int(match[1])) if match[1].isdigit() else match[1]), base=int(match[2]))
    if (match := _SPOKEN_UNIT.fullmatch(text)) and not _is_words(match[1]):
        return Value(formula(match[1]), unit_named(match[2] + (match[3] or "")))
    spoken = re.sub(r"\\(?:text|mathrm|mbox)\s*\{\s*([^{}]*)\}", r" \1", text).strip()
    spoken = re.sub(r"\^\{?\\circ\}?", " degrees ", spoken).strip()
    if match := _AFTER.fullmatch(spoken):
        amount, unit = match[1], match[2].strip()
        spaced = spoken[len(amount) : len(amount) + 1].isspace() and (len(unit) > 1 or "\\" in text)
        if unit not in ("i", "e", "pi", "x", "y") and (spaced or is_known(unit) and len(unit) > 1):
            try:
                return Value(formula(amount), unit_named(unit))
            except Unreadable:
                pass
    if _is_words(spoken):
        return Words(_letters(spoken))
    return Value(formula(text))


def _is_words(text: str) -> bool:
    words = [word for word in _WORD.findall(re.sub(r"\\[A-Za-z]+", " ", text)) if word not in _FUNCTIONS]
    letters = re.sub(r"\\[A-Za-z]+", "", text)
    return (
        r"\forall" in text
        or any(len(word) > 2 or word.lower() == "no" for word in words)
        or (bool(re.fullmatch(r"[A-Za-z]", letters.strip())) and letters.strip().isupper())
    )


def _letters(text: str) -> str:
    """Words without layout; case counts only for a single letter."""
    plain = " ".join(WRAPPED.sub(r"\1", text).split())
    return plain if len(plain) == 1 else plain.casefold()


def _encloses(text: str) -> bool:
    """Whether the first bracket closes with the last character."""
    return not any(depth == 0 for depth in list(_depths(text))[:-1])


def _depths(text: str) -> Iterator[int]:
    depth = 0
    for place, character in enumerate(text):
        opening = character in "([{" and not (character in "([" and text[place - 1 : place] == "\\")
        closing = character in ")]}" and not (character in ")]" and text[place - 1 : place] == "\\")
        depth += opening - closing
        yield depth


def _split(text: str, separators: str) -> list[str]:
    """The parts of `text` between separators that stand outside all brackets."""
    found: list[str] = []
    start = 0
    depths = list(_depths(text))
    is_separator: Callable[[int], int] = (
        (lambda i: len(separators) if text.startswith(separators, i) else 0)
        if separators.startswith("\\")
        else (lambda i: 1 if text[i] in separators else 0)
    )
    place = 0
    while place < len(text):
        width = is_separator(place) if depths[place] == 0 else 0
        if width:
            found.append(text[start:place])
            start = place + width
        place += width or 1
    return [*found, text[start:]]
