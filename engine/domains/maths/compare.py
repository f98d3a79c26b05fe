"""One run's answers, compared with the reference and grouped by what they mean; every answer is read once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import sympy

from engine.domains.maths.formulas import Unreadable
from engine.domains.maths.meaning import DIGITS, fingerprint, same
from engine.domains.maths.reading import Answer, Equation, Items, Labelled, Region, Value, Words, read
from engine.domains.maths.spelling import normalise, quickly_same

#: How many answers are remembered as they were read.
_REMEMBERED = 4096

#: What decided, by what the reference turned out to be.
_RULES: dict[type, str] = {Value: "value", Items: "list", Region: "interval", Equation: "equation", Words: "words"}


@dataclass(frozen=True, slots=True)
class _Seen:
    place: int
    spelled: str
    correct: bool | None


class Comparison:
    """Takes answers one by one. Right and wrong ones never share a group, though both may be near a third spelling."""

    def __init__(self, reference: str | None) -> None:
        self._reference = reference
        self._taken = 0
        self._groups: dict[object, list[_Seen]] = {}

    def take(self, answer: str) -> dict[str, Any]:
        """The verdict on the next answer, in the form of the worker's `verdicts`."""
        correct, rule = (None, None) if self._reference is None else judge(self._reference, answer)
        seen = _Seen(self._taken, answer, correct)
        self._taken += 1
        return {"group": self._group_of(seen).place, "correct": correct, "rule": rule}

    def _group_of(self, seen: _Seen) -> _Seen:
        known = self._groups.setdefault(_key(seen.spelled), [])
        for other in known:
            if other.correct == seen.correct and judge(other.spelled, seen.spelled)[0]:
                return other
        known.append(seen)
        return seen


def judge(gold: str, answer: str) -> tuple[bool | None, str]:
    """Whether the two mean the same (None: it could not be decided), and by which rule."""
    quick, rule = quickly_same(gold, answer)
    if quick is not None:
        return quick, rule
    one, other = _read(gold), _read(answer)
    if one is None or other is None:
        return False, "words"
    try:
        return same(one, other), _RULES[type(_unlabelled(one))]
    except Exception:  # sympy fails in more ways than it documents
        return None, "undecided"


def _unlabelled(answer: Answer) -> Answer:
    while isinstance(answer, Labelled):
        answer = answer.answer
    return answer


@lru_cache(maxsize=_REMEMBERED)
def _read(answer: str) -> Answer | None:
    try:
        return read(answer)
    except (Unreadable, RecursionError):
        return None


@lru_cache(maxsize=_REMEMBERED)
def _key(answer: str) -> object:
    """Answers of different keys are never grouped: a value's digits, whatever its unit and name; else its kind."""
    read_as = _read(answer)
    if read_as is None:
        return normalise(answer)
    found = _unlabelled(read_as)
    if not isinstance(found, Value):
        return type(found)
    try:
        return tuple(str(sympy.N(number, DIGITS // 2)) for number in fingerprint(found.expression))
    except Exception:  # as above: it is a value of its own, then
        return normalise(answer)
