"""`tts-ui problems`: what is in a problem set, before a night is spent on it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

import typer

from engine.runs.problem_sets import Problem, ProblemSet, columns_given, names, problem_set
from tts_ui.cli import terminal

#: Problems that are shown, the characters of each, and the levels or subjects that a line counts.
_FIRST, _CHARACTERS, _GROUPS = 3, 96, 12


def problems(source: str | None, limit: int | None, columns: str | None, as_json: bool) -> None:
    """Print the set, or the names of those there are. Raises `InvalidInput` and `ModelError` as `problem_set` does."""
    given = columns_given(columns) if columns is not None else None
    if source is None:
        if as_json:
            terminal.print_json({"sets": [{"name": name, "about": about} for name, about in names().items()]})
            return
        widest = max(map(len, names()))
        for name, about in names().items():
            typer.echo(f"{name:{widest}}  {about}")
        return
    found = problem_set(source, limit=limit, columns=given)
    if as_json:
        terminal.print_json(_document(found))
    else:
        _print(found)


def _document(found: ProblemSet) -> dict[str, Any]:
    return {
        "name": found.name, "source": found.source, "revision": found.revision, "available": found.available,
        "columns": dict(found.columns), "guessed": found.guessed,
        "dropped": {
            "duplicates": found.dropped.duplicates, "with_another_answer": found.dropped.other_answer,
            "without_answer": found.dropped.without_answer, "without_problem": found.dropped.without_problem,
        },
        "problems": [
            {
                "id": each.id, "problem": each.question.problem, "answer": each.question.reference,
                "level": each.level, "subject": each.subject,
            }
            for each in found.problems
        ],
    }  # fmt: skip


def _print(found: ProblemSet) -> None:
    typer.echo(terminal.printable(found.said))
    at = f" at {found.revision}" if found.revision else ""
    typer.echo(terminal.printable(f"from: {found.source}{at}"))
    for what, values in (
        ("levels", [each.level for each in found.problems]),
        ("subjects", [each.subject for each in found.problems]),
    ):
        if any(value is not None for value in values):
            typer.echo(terminal.printable(f"{what}: {_counts(values)}"))
    for each in found.problems[:_FIRST]:
        typer.echo(_shown(each))
    if len(found.problems) > _FIRST:
        typer.echo(f"... and {len(found.problems) - _FIRST} more")


def _counts(values: Iterable[str | None]) -> str:
    counted = sorted(Counter("none" if value is None else value for value in values).items())
    more = f", and {len(counted) - _GROUPS} more" if len(counted) > _GROUPS else ""
    return ", ".join(f"{value} ({count})" for value, count in counted[:_GROUPS]) + more


def _shown(problem: Problem) -> str:
    text = terminal.one_line(problem.question.problem)
    cut = text if len(text) <= _CHARACTERS else f"{text[: _CHARACTERS - 3]}..."
    answer = terminal.one_line(problem.question.reference or "")
    return f"  {terminal.one_line(problem.id)}: {cut}\n    answer: {answer}"
