"""Problems made of rows: texts as they stand, answers taken out of worked solutions, levels as the set counts them."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

from engine.domains.maths.extract import extract_answer
from engine.errors import InvalidInput
from engine.runs.problem_sets.problem_set import Dropped, Problem
from engine.runs.problem_sets.rows import Row
from engine.runs.question import Question

#: What GSM8K writes before the answer, at the end of its solution.
_MARK = "####"
_LEVEL = re.compile(r"level\s*(\S+)", re.IGNORECASE)
#: Columns whose text is a solution: without an answer that can be found in it, the row has none.
_WORKED = ("solution", "output")


def problems_of(
    place: str, rows: Sequence[tuple[str, Row]], columns: Mapping[str, str]
) -> tuple[tuple[Problem, ...], Dropped]:
    """The problems of `rows`, the first of those that are the same text, and what was dropped.

    Raises `InvalidInput` with `place` and the row's for a value that is no text or number.
    """
    problems: dict[str, Problem] = {}
    duplicates = other = without_answer = without_problem = 0
    for at, row in rows:
        texts = {what: _text(place, at, what, column, row.get(column)) for what, column in columns.items()}
        problem, answer = texts["problem"], answer_in(texts["answer"], worked=columns["answer"].lower() in _WORKED)
        if not problem:
            without_problem += 1
        elif not answer:
            without_answer += 1
        elif (first := problems.get(key := " ".join(problem.split()))) is not None:
            duplicates += 1
            other += first.question.reference != answer
        else:
            try:
                question = Question(problem, answer)
            except InvalidInput as error:
                raise InvalidInput("problems", f"{place}, {at}: {error.message}") from None
            level, subject = _level(texts.get("level", "")), texts.get("subject") or None
            problems[key] = Problem(question, texts.get("id") or at, level, subject)
    return tuple(problems.values()), Dropped(duplicates, other, without_answer, without_problem)


def answer_in(text: str, *, worked: bool = False) -> str:
    """The answer in a column's text: after GSM8K's mark, in the last box, or else the text itself; with `worked` it is
    a solution, whose answer is looked for as a model's is. "" where there is none."""
    if _MARK in text:
        return text.rpartition(_MARK)[2].strip()
    if worked and not _short(text) or "\\boxed" in text:
        return (extract_answer(text) or "").strip()
    return text


def _short(text: str) -> bool:
    """Whether a "solution" is the answer alone, as in the AMC file of many repositories."""
    return len(text.split()) == 1 and len(text) < 40


def _text(place: str, at: str, what: str, column: str, value: Any) -> str:
    """A value as text; "" for a missing one. A whole number that a table keeps as 27.0 is 27."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, str | int | float) and not isinstance(value, bool):
        return str(value).strip()
    raise InvalidInput(
        "problems", f"{place}, {at}: {column} is a {type(value).__name__}, not a text; name another, {what}=COLUMN"
    )


def _level(text: str) -> str | None:
    """ "Level 3" is 3, as MATH-500's own file has it; what else a set calls its levels stays."""
    found = _LEVEL.fullmatch(text)
    return (found[1] if found else text) or None
