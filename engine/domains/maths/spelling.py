"""How one answer is spelled in many ways: what can be told without knowing what it means, and plain numbers.

Nothing here needs a parser, so a running search may use it. Spelling never makes two different answers one: a comma is
a thousands separator only where it cannot stand between the parts of a pair or a list.
"""

from __future__ import annotations

import re
from fractions import Fraction

_SIGNS = str.maketrans(
    {
        "\u2212": "-", "\u2013": "-", "\u00d7": r"\times ", "\u00b7": r"\cdot ", "\u00f7": "/", "\u00b0": r"^\circ ",
        "\u03c0": r"\pi ", "\u221e": r"\infty ", "\u2264": r"\le ", "\u2265": r"\ge ", "\u2260": r"\ne ",
        "\u222a": r"\cup ", "\u2229": r"\cap ", "\u2205": r"\emptyset ", "\u00b1": r"\pm ", "\u2208": r"\in ",
        "\u221a": r"\sqrt ", "\u00b2": "^2", "\u00b3": "^3", "\u00a0": " ", "\u2009": " ", "\u202f": " ",
    }
)  # fmt: skip
_SPACE = re.compile(r"(?<!\\)\\[,;:!> ]|\\q?quad(?![a-zA-Z])|~")
_SIZE = re.compile(r"\\(?:left|right|[bB]ig+[lrm]?|displaystyle|limits)(?![a-zA-Z])")
_SHUT = re.compile(r"^(?:\$+|\\\(|\\\[|\*\*)(.*?)(?:\$+|\\\)|\\\]|\*\*)$|^\\boxed\s*\{(.*)\}$", re.DOTALL)
_GAP = r"(?:,|\{,\}|,?\\[,!;: ]|,?~| )"
_GROUPED = re.compile(rf"(?<![\d.,])\d{{1,3}}(?:{_GAP}\d{{3}})+(?![\d,])")
WRAPPED = re.compile(r"\\(?:text|mathrm|textbf|mathbf|mbox|textit|operatorname)\s*\{([^{}]*)\}")
_BLANKS = re.compile(r"(?<!\d)\s+|\s+(?!\d)")  # not between digits: 1 1/2 is not 11/2
_NUMBER = re.compile(r"[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:/\d+)?")
_LONGEST_NUMBER = 1000  # Python refuses to read integers of more than 4300 digits
_FRACTION = re.compile(r"([-+]?)\\frac\{(\d+)\}\{(\d+)\}")


def tidy(answer: str) -> str:
    """The same answer without mere layout: dollars, boxes, sizes of brackets, spaces, separated thousands."""
    plain = answer.translate(_SIGNS).strip()
    while match := _SHUT.match(plain):
        plain = (match[1] or match[2] or "").strip()
    plain = plain.strip("*").strip()
    plain = _SIZE.sub("", plain)
    plain = re.sub(r"\\[dtc]frac(?![a-zA-Z])", r"\\frac", plain)
    plain = _thousands(plain)
    plain = " ".join(_SPACE.sub(" ", plain).split())
    return plain.removesuffix("\\").removesuffix(".").strip()


def normalise(answer: str) -> str:
    """A form in which most spellings of one answer are the same string."""
    plain = WRAPPED.sub(r"\1", tidy(answer))
    return _BLANKS.sub("", plain)


def as_number(answer: str) -> Fraction | None:
    """The exact value of an integer, decimal, `a/b` or `\\frac{a}{b}`; None for anything else."""
    plain = normalise(answer)
    if match := _FRACTION.fullmatch(plain):
        plain = f"{match[1]}{match[2]}/{match[3]}"
    if len(plain) > _LONGEST_NUMBER or not _NUMBER.fullmatch(plain):
        return None
    numerator, _, denominator = plain.partition("/")
    if denominator and int(denominator) == 0:
        return None
    return Fraction(numerator) / Fraction(denominator or 1)


def _thousands(text: str) -> str:
    """`12,345`, `12\\,345`, `1{,}000` and `10 000` as one number; in brackets a plain comma parts a pair."""
    bracketed = re.search(r"[(\[]|\\\{", text) is not None

    def joined(match: re.Match[str]) -> str:
        digits = re.findall(r"\d+", match[0])
        plain = re.fullmatch(r"[\d, ]+", match[0]) is not None
        # Three numbers of three digits are a list, unless one could not stand alone.
        listed = "," in match[0] and len(digits) > 2 and len(digits[0]) == 3 and not any(d[0] == "0" for d in digits)
        return match[0] if plain and (bracketed or listed) else "".join(digits)

    return _GROUPED.sub(joined, text)


def quickly_same(gold: str, answer: str) -> tuple[bool | None, str]:
    """Whether two answers are the same by spelling or as plain numbers, and which of them says so; else None."""
    if normalise(gold) == normalise(answer):
        return True, "string"
    gold_value, value = as_number(gold), as_number(answer)
    if gold_value is not None and value is not None:
        return gold_value == value, "number"
    return None, "undecided"
