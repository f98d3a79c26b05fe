"""Which columns of a file hold what: as named by the caller, or guessed from the names that such files use.

The names were collected from the public files of MATH-500, AIME, AMC, GSM8K and of the code that comes with them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from engine.errors import InvalidInput

#: What a column can hold, and the names it goes by, the best first: a short answer before a worked solution.
GUESSES: Mapping[str, tuple[str, ...]] = {
    "problem": ("problem", "question", "prompt", "query", "input"),
    "answer": (
        "answer", "final_answer", "expected_answer", "reference_answer", "ground_truth", "extracted_groundtruth", "gt",
        "gold", "target", "reference", "output", "solution",
    ),
    "id": ("unique_id", "id", "problem_id", "question_id", "idx", "index"),
    "level": ("level", "difficulty"),
    "subject": ("subject", "type", "category", "topic"),
}  # fmt: skip
_NEEDED = ("problem", "answer")


def columns_given(text: str) -> dict[str, str]:
    """`problem=question,answer=target` as it is typed. Raises `InvalidInput` for anything else."""
    given: dict[str, str] = {}
    for part in text.split(","):
        what, equals, column = part.partition("=")
        if not equals or not column.strip():
            raise InvalidInput("columns", f"{part.strip()!r} is not NAME=COLUMN; write problem=question,answer=target")
        if what.strip() in given:
            raise InvalidInput("columns", f"{what.strip()} is named twice; name each once")
        given[what.strip()] = column.strip()
    check(given)
    return given


def check(given: Mapping[str, str]) -> None:
    """Raise `InvalidInput` if something is named that a problem does not have."""
    for what in given:
        if what not in GUESSES:
            raise InvalidInput("columns", f"a problem has no {what!r}; choose from {', '.join(GUESSES)}")


def chosen(place: str, columns: Iterable[str], given: Mapping[str, str]) -> dict[str, str]:
    """What -> column: those that were given, and a guess for the rest. Raises `InvalidInput` if a given column is not
    there, or nothing looks like the problem or its answer."""
    there = list(dict.fromkeys(columns))
    check(given)
    for what, column in given.items():
        if column not in there:
            raise InvalidInput("columns", f"{place} has no column {column!r} for {what}; it has {_listed(there)}")
    by_lower = {column.lower(): column for column in reversed(there)}
    taken = {**given}
    for what, guesses in GUESSES.items():
        free = [by_lower[guess] for guess in guesses if guess in by_lower and by_lower[guess] not in taken.values()]
        if what not in taken and free:
            taken[what] = free[0]
    for what in _NEEDED:
        if what not in taken:
            raise InvalidInput(
                "columns", f"none in {place} looks like the {what}; name it, {what}=COLUMN, from {_listed(there)}"
            )
    return {what: taken[what] for what in GUESSES if what in taken}


def _listed(columns: list[str]) -> str:
    most = 20
    return ", ".join(columns[:most]) + (", ..." if len(columns) > most else "")
