"""The step checker: is each step of a solution valid, and if not, which one is the first that is wrong?

A step is valid when its calculations are moves of the problem's family from the point reached so far (right
arithmetic, the answer still reachable, any order). Only the mathematics is compared: wording, spacing, step numbers and
the order of terms in a sum do not matter, and one step may make several moves. A true calculation that the problem has
no use for ("3 pens at 4 dollars: 3 + 4 = 7") is wrong; a boxed answer is right when it equals the exact one.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import lru_cache

from engine.builtin.families import BY_NAME
from engine.builtin.families.base import DONE, Move, State
from engine.builtin.problems import ANSWER_PREFIX, ANSWER_SUFFIX, Problem

Claims = tuple[str, ...]

_BOXED = re.compile(r"\\boxed\{((?:[^{}]|\{[^{}]*\})*)\}")
_HEADING = re.compile(r"^\s*#*\s*Step \d+:?")
_MATHS = re.compile(r"\d+(?:\.\d+)?|[-+*/^=()]|\bmod\b|(?<![A-Za-z])[xy](?![A-Za-z])")
_LATEX = {
    "\\times": "*", "\\cdot": "*", "×": "*", "·": "*", "−": "-", "\\left": "", "\\right": "", "$": " ",
}  # fmt: skip
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
    text = _FRACTION.sub(r"\1/\2", text)
    for latex, plain in _LATEX.items():
        text = text.replace(latex, plain)
    found, run, end = [], list[str](), 0
    for token in _MATHS.finditer(text):
        if text[end : token.start()].strip():  # words or punctuation end a statement
            found.append(run)
            run = []
        run.append(token.group())
        end = token.end()
    found.append(run)
    return tuple(_normal(run) for run in found if len(run) > 1)


def _normal(tokens: list[str]) -> str:
    """Sort the terms of sums and the factors of products; "1x" is "x"."""
    sides = re.sub(r"\b1([xy])", r"\1", " ".join(tokens).replace(" x", "x").replace(" y", "y")).split("=")
    return " = ".join(_normal_side(side.strip()) for side in sides)


def _normal_side(side: str) -> str:
    if any(mark in side for mark in "-/^()m"):
        return side
    return " + ".join(sorted(" * ".join(sorted(f.strip() for f in term.split("*"))) for term in side.split("+")))


@dataclass(frozen=True)
class Progress:
    """How far a solution has come: the states it may be in, and what has been stated (saying it again does no harm).

    There can be several states: "3 * 3 = 9" may be a power or a term. They are told apart by what follows.
    """

    states: frozenset[State]
    said: frozenset[str] = frozenset()


def begin(problem: Problem) -> Progress:
    return Progress(frozenset({BY_NAME[problem.family].start(problem.numbers)}))


def valid_moves(problem: Problem, progress: Progress) -> list[Move]:
    """Every valid next move from any of the states."""
    kind = BY_NAME[problem.family]
    unfinished = [state for state in progress.states if state != DONE]
    return [move for state in unfinished for move in kind.moves(problem.numbers, problem.words, state)]


def follow(problem: Problem, progress: Progress, step: str) -> Progress | None:
    """The progress after a step, or None if the step is wrong."""
    answer = boxed_answer(step)
    if answer is not None and not same_answer(answer, problem.answer):
        return None
    stated = claims(step)
    states = _explain(problem, progress, stated)
    if not states:
        return None
    return Progress(frozenset({DONE}) if answer is not None else states, progress.said | set(stated))


def _explain(problem: Problem, progress: Progress, stated: Claims) -> frozenset[State]:
    """The states after a series of moves, or repeats, that make all these statements in this order."""
    if not stated:
        return progress.states
    after: set[State] = set()
    for move in valid_moves(problem, progress):
        claimed = claims(move.text)
        if claimed and stated[: len(claimed)] == claimed:
            after |= _explain(problem, replace(progress, states=frozenset({move.leads_to})), stated[len(claimed) :])
    if stated[0] in progress.said:
        after |= _explain(problem, progress, stated[1:])
    return frozenset(after)


def first_wrong_step(problem: Problem, steps: Sequence[str]) -> int | None:
    """The index (from 0) of the first wrong step, or None if every step is valid."""
    progress = begin(problem)
    for index, step in enumerate(steps):
        after = follow(problem, progress, step)
        if after is None:
            return index
        progress = after
    return None


def is_correct(problem: Problem, steps: Sequence[str]) -> bool:
    """Whether the last step boxes the exact answer; the way there may be wrong."""
    answer = boxed_answer(steps[-1]) if steps else None
    return answer is not None and same_answer(answer, problem.answer)


def wrong_at(problem: Problem, progress: Progress, step: str) -> int:
    """Where in a wrong step's text it first leaves every valid wording; used to train PRMs on single tokens."""
    text = _HEADING.sub("", step).lstrip()
    ending = f"{ANSWER_PREFIX}{problem.answer}{ANSWER_SUFFIX}"
    valid = [move.text + (ending if move.leads_to == DONE else "") for move in valid_moves(problem, progress)]
    return len(step) - len(text) + max((_common_prefix(text, option) for option in valid), default=0)


def _common_prefix(a: str, b: str) -> int:
    for i, (x, y) in enumerate(zip(a, b, strict=False)):
        if x != y:
            return i
    return min(len(a), len(b))
