"""A formula as people and models write it, as an unevaluated sympy expression.

latex2sympy2_extended reads LaTeX; what it does not know is put into its words first: exact decimals, braces that may be
left out, names in plain text.
"""

from __future__ import annotations

import re
from typing import Any

from latex2sympy2_extended import latex2sympy
from latex2sympy2_extended.latex2sympy2 import ConversionConfig

from engine.domains.maths.spelling import WRAPPED

_CONFIG = ConversionConfig(interpret_as_mixed_fractions=False, lowercase_symbols=False)
_MIXED = re.compile(r"(-?)(\d+)\s*(?:\\frac\{(\d+)\}\{(\d+)\}|(?<=\d)\s+(\d+)/(\d+))")
_REPEATING = re.compile(r"(-?\d*)\.(\d*)\\(?:overline|bar|dot)\{(\d+)\}")
_SCIENTIFIC = re.compile(r"(-?\d+(?:\.\d+)?)[eE]([-+]?\d+)")
_DECIMAL = re.compile(r"(?<![\d\\])(\d*)\.(\d+)")


class Unreadable(ValueError):
    """This is no formula, as far as can be told."""


def formula(text: str) -> Any:
    text = text.strip()
    if "\\ldots" in text or "\\dots" in text or "\\cdots" in text or text in ("...", ""):
        raise Unreadable(text)
    try:
        return latex2sympy(_plain_formula(text), normalization_config=None, conversion_config=_CONFIG)
    except Exception as error:  # the parser raises many kinds
        raise Unreadable(text) from error


def _plain_formula(text: str) -> str:
    """The formula in the LaTeX that the parser knows: exact decimals, braces that may be left out, plain-text names."""
    if match := _MIXED.fullmatch(text):
        sign, whole, *rest = match.groups()
        over, under = (part for part in rest if part is not None)
        return rf"{sign}({whole}+\frac{{{over}}}{{{under}}})"
    text = _REPEATING.sub(_repeating, text)
    if match := _SCIENTIFIC.fullmatch(text):
        text = f"{match[1]}*10^{{{match[2]}}}"
    text = _DECIMAL.sub(lambda m: rf"(\frac{{{int(m[1] + m[2])}}}{{{10 ** len(m[2])}}})", text)
    text = WRAPPED.sub(r"\1", text)
    text = re.sub(r"\\frac\s*(\d)\s*(\d)(?!\d)", r"\\frac{\1}{\2}", text)
    text = re.sub(r"\\frac\s*(\d)\s*\{", r"\\frac{\1}{", text)
    text = re.sub(r"(\\frac\s*\{[^{}]*\})\s*(\d)(?!\d)", r"\1{\2}", text)
    text = re.sub(r"(?<![A-Za-z\\])(sqrt)(?![a-z])", r"\\sqrt", text)
    text = re.sub(r"\\sqrt\s*(\w)", r"\\sqrt{\1}", text)
    text = re.sub(r"\\sqrt\s*\(([^()]*)\)", r"\\sqrt{\1}", text)
    text = re.sub(r"(?<![A-Za-z\\])(pi|ln|log|sin|cos|tan|exp)(?![A-Za-z])", r"\\\1 ", text)
    return text.replace("**", "^").replace("*", r"\cdot ").replace(r"\degree", "")


def _repeating(match: re.Match[str]) -> str:
    whole, fixed, period = match[1] or "0", match[2], match[3]
    scale, nines = 10 ** len(fixed), 10 ** len(period) - 1
    over = int(fixed + period) - int(fixed or "0")
    sign = "-" if whole.startswith("-") else "+"
    return rf"({whole}{sign}\frac{{{over}}}{{{nines * scale}}})"
