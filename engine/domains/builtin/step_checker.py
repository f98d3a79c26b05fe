"""The step checker: is each step of a solution valid, and if not, which is the first wrong one?

A step is valid when its calculations are moves of the problem's family from the point reached so far (right arithmetic,
the answer still reachable, any order, by any method that the family knows). Only the mathematics is compared: wording,
spacing, step numbers, the order of terms and factors and the sides of an equation do not matter. One step may make
several moves, and a move may be stated in part: "3x = 12" for "17 - 5 = 12, so 3x = 12", "14 + 12 = 26" for
"2 * 7 + 3 * 4 = 14 + 12 = 26". A true calculation that the problem has no use for ("3 pens at 4 dollars: 3 + 4 = 7") is
wrong; so is a move made in its own sentence with another number in its words ("so the gcd is 7"). A boxed answer is
right when it equals the exact one.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import lru_cache

from engine.domains.builtin.families import BY_NAME
from engine.domains.builtin.families.base import DONE, Move, State
from engine.domains.builtin.problems import ANSWER_PREFIX, ANSWER_SUFFIX, Problem

Claims = tuple[str, ...]

_BOXED = re.compile(r"\\boxed\{((?:[^{}]|\{[^{}]*\})*)\}")
_HEADING = re.compile(r"^\s*#*\s*Step \d+:?")
_MATHS = re.compile(r"\d+(?:\.\d+)?|[-+*/^=()]|\bmod\b|(?<![A-Za-z])[xy](?![A-Za-z])")
_LATEX = {
    "\\times": "*", "\\cdot": "*", "×": "*", "·": "*", "−": "-", "\\left": "", "\\right": "", "$": " ",
}  # fmt: skip
_CALL = re.compile(r"\b(?:gcd|lcm|f) *\([^()]*\) *=?")
_TERM = re.compile(r"([-+]?)([^-+]+)")
_SUM = re.compile(rf"(?:{_TERM.pattern})+")
_FACTOR = re.compile(r"([*/]) *([^*/ ]+(?: \^ [^*/ ]+)?) *")
_PRODUCT = re.compile(rf"(?:{_FACTOR.pattern})+")
_FRACTION = re.compile(r"\\d?frac\{([^{}]*)\}\{([^{}]*)\}")


def boxed_answer(step: str) -> str | None:
    found = _BOXED.findall(step)
    return found[-1] if found else None


def same_answer(answer: str, reference: str) -> bool:
    """Equal as numbers where both are numbers, else as text without spaces."""
    plain = [_FRACTION.sub(r"\1/\2", text).replace(" ", "").replace("$", "") for text in (answer, reference)]
    try:
        return Fraction(plain[0]) == Fraction(plain[1])
    except (ValueError, ZeroDivisionError):
        return plain[0] == plain[1]


@lru_cache(maxsize=200_000)
def claims(text: str) -> Claims:
    """The mathematical statements in a text, in a normal form; lone numbers state nothing."""
    text = _HEADING.sub("", text).split(ANSWER_PREFIX.strip())[0]
    text = _CALL.sub("", _FRACTION.sub(r"\1/\2", text))
    for latex, plain in _LATEX.items():
        text = text.replace(latex, plain)
    return tuple(_normal([token.group() for token in run]) for run in _runs(text) if len(run) > 1)


def _runs(text: str) -> list[list[re.Match[str]]]:
    """The mathematical tokens of a text, grouped where no word or punctuation separates them."""
    runs: list[list[re.Match[str]]] = [[]]
    for token in _MATHS.finditer(text):
        if runs[-1] and text[runs[-1][-1].end() : token.start()].strip():
            runs.append([])
        runs[-1].append(token)
    return runs


def _normal(tokens: list[str]) -> str:
    """Sort the terms of sums and the factors of products; "1x" is "x"."""
    sides = re.sub(r"\b1([xy])", r"\1", " ".join(tokens).replace(" x", "x").replace(" y", "y")).split("=")
    return " = ".join(_normal_side(side.strip()) for side in sides)


@lru_cache(maxsize=200_000)
def _normal_side(side: str) -> str:
    if side.isalnum():
        return side
    terms = [(sign, f"* {product.strip()}") for sign, product in _TERM.findall(side)]
    if (
        any(mark in side for mark in "()m")
        or not _SUM.fullmatch(side)
        or not all(_PRODUCT.fullmatch(product) for _, product in terms)
    ):
        return side
    products = [(sign == "-", sorted(_FACTOR.findall(product))) for sign, product in terms]
    signed = sorted((minus, " ".join(map(" ".join, factors))[2:]) for minus, factors in products)
    return "".join(f" {'-' if minus else '+'} {product}" for minus, product in signed).removeprefix(" + ").strip()


@lru_cache(maxsize=200_000)
def _tells(stated: str, claim: str) -> bool:
    """Whether this states the claim: with its sides in any order, or "a = b = c" without its first or middle sides."""
    told, sides = stated.split(" = "), claim.split(" = ")
    return stated == claim or (all(told) and len(set(told)) > 1 and sides[-1] in told and set(told) <= set(sides))


@lru_cache(maxsize=20_000)
def _in_words(sentence: str) -> tuple[re.Pattern[str], tuple[str, ...], frozenset[int]] | None:
    """A sentence with any numbers in it, its own numbers, and the places of those that stand alone among words.

    None if there are none.
    """
    numbers = [(token, len(run) == 1) for run in _runs(sentence) for token in run if token.group()[0].isdigit()]
    alone = frozenset(place for place, (_, is_alone) in enumerate(numbers) if is_alone)
    if not alone:
        return None
    ends = [0, *(token.end() for token, _ in numbers)]
    between = [sentence[end : token.start()] for end, (token, _) in zip(ends, numbers, strict=False)]
    pattern = "".join(f"{re.escape(text)}(\\d+)" for text in between) + re.escape(sentence[ends[-1] :])
    return re.compile(pattern), tuple(token.group() for token, _ in numbers), alone


def _contradicts(step: str, sentence: str) -> bool:
    """Whether a step has this sentence with other numbers in its words only: "so the gcd is 7" where it is 12."""
    if (known := _in_words(sentence)) is None:
        return False
    pattern, numbers, alone = known
    found = [match.groups() for match in pattern.finditer(step)]
    others = [each for each in found if all(each[i] == numbers[i] for i in range(len(numbers)) if i not in alone)]
    return bool(others) and numbers not in others


@dataclass(frozen=True)
class Reading:
    """One reading of what was written so far: the state it leads to, and what has been stated (repeats do no harm)."""

    state: State
    said: frozenset[str] = frozenset()


Progress = frozenset[Reading]
"""There can be several readings: "3 * 3 = 9" may be a power or a term. What follows tells them apart."""


def begin(problem: Problem) -> Progress:
    return frozenset({Reading(BY_NAME[problem.family].start(problem.numbers))})


def valid_moves(problem: Problem, reading: Reading) -> list[Move]:
    """Every valid next move."""
    return [] if reading.state == DONE else BY_NAME[problem.family].moves(problem.numbers, problem.words, reading.state)


def follow(problem: Problem, progress: Progress, step: str) -> Progress | None:
    """The progress after a step, or None if the step is wrong."""
    answer = boxed_answer(step)
    if answer is not None and not same_answer(answer, problem.answer):
        return None
    after = frozenset(end for reading in progress for end in _explain(problem, reading, step, claims(step)))
    if answer is not None:
        after = frozenset(replace(reading, state=DONE) for reading in after)
    return after or None


def _explain(problem: Problem, reading: Reading, step: str, stated: Claims) -> Progress:
    """Where a series of moves (or repeats) that makes all these statements in this order leads."""
    if not stated:
        return frozenset({reading})
    onward: set[tuple[Reading, int]] = set()
    for move in valid_moves(problem, reading):
        claimed = claims(move.text)
        told = _told(stated, claimed)
        if told and not _contradicts(step, move.text) and not (move.unlike and move.unlike in step):
            onward.add((Reading(move.leads_to, reading.said.union(claimed)), told))
    is_label = "=" not in stated[0] and len(stated) > 1  # "3^5: ..." says which move follows
    if not is_label and any(_tells(stated[0], said) for said in reading.said):
        onward.add((reading, 1))
    return frozenset(end for then, told in onward for end in _explain(problem, then, step, stated[told:]))


def _told(stated: Claims, claimed: Claims) -> int:
    """How many of the next statements state this move: some of its claims in order, including an equation if it has
    one.

    An expression at its end ("which leaves 5 + 13") may be left out, but not replaced by another.
    """
    told, left_out = 0, tuple[str, ...]()
    for claim in claimed:
        if told < len(stated) and _tells(stated[told], claim):
            told, left_out = told + 1, ()
        else:
            left_out += (claim,)
    if _expressions(stated[told : told + 1]) and _expressions(left_out):
        return 0
    return told if _expressions(claimed) == claimed or _expressions(stated[:told]) != stated[:told] else 0


def _expressions(statements: Claims) -> Claims:
    return tuple(statement for statement in statements if "=" not in statement)


def first_error(problem: Problem, steps: Sequence[str]) -> tuple[int, Progress] | None:
    """The index (from 0) of the first wrong step and the progress before it, or None if every step is valid."""
    progress = begin(problem)
    for index, step in enumerate(steps):
        after = follow(problem, progress, step)
        if after is None:
            return index, progress
        progress = after
    return None


def first_wrong_step(problem: Problem, steps: Sequence[str]) -> int | None:
    """The index (from 0) of the first wrong step, or None if every step is valid."""
    error = first_error(problem, steps)
    return None if error is None else error[0]


def is_correct(problem: Problem, steps: Sequence[str]) -> bool:
    """Whether the last step boxes the exact answer; the steps before it may be wrong."""
    answer = boxed_answer(steps[-1]) if steps else None
    return answer is not None and same_answer(answer, problem.answer)


def wrong_at(problem: Problem, progress: Progress, step: str) -> int:
    """Where in a wrong step's text it first leaves every valid wording; used to train PRMs on single tokens."""
    text = _HEADING.sub("", step).lstrip()
    ending = f"{ANSWER_PREFIX}{problem.answer}{ANSWER_SUFFIX}"
    moves = [move for reading in progress for move in valid_moves(problem, reading)]
    valid = [move.text + (ending if move.leads_to == DONE else "") for move in moves]
    return len(step) - len(text) + max((_common_prefix(text, option) for option in valid), default=0)


def _common_prefix(a: str, b: str) -> int:
    for i, (x, y) in enumerate(zip(a, b, strict=False)):
        if x != y:
            return i
    return min(len(a), len(b))
