"""What a problem set is: problems with their answers, and what was left out of it and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from engine.runs.question import Question


@dataclass(frozen=True, slots=True)
class Problem:
    """A question with its answer. `id` is the set's own name for it (or its row); `level` and `subject` are the set's
    words, None where it has none."""

    question: Question
    id: str
    level: str | None = None
    subject: str | None = None


@dataclass(frozen=True, slots=True)
class Dropped:
    """Rows that no problem was made of: asked before in the same set (`other_answer` of them with another answer, so
    that one of the two must be wrong), without an answer to grade against, or without a problem."""

    duplicates: int = 0
    other_answer: int = 0
    without_answer: int = 0
    without_problem: int = 0

    def __str__(self) -> str:
        other = f" ({self.other_answer} with another answer)" if self.other_answer else ""
        parts = [
            f"{_counted(self.duplicates, 'duplicate')}{other}" if self.duplicates else "",
            f"{self.without_answer} without an answer" if self.without_answer else "",
            f"{self.without_problem} without a problem" if self.without_problem else "",
        ]
        return ", ".join(part for part in parts if part)

    def __bool__(self) -> bool:
        return bool(self.duplicates or self.without_answer or self.without_problem)


@dataclass(frozen=True, slots=True)
class ProblemSet:
    """Problems in the order of their source; no two of them are the same text.

    `source` says where they are from, `revision` at which commit of the Hub that was (None elsewhere). `columns` are
    those that were read, by what they hold; `guessed` if nobody had named them. `available` problems were there before
    a limit was applied.
    """

    name: str
    problems: tuple[Problem, ...]
    source: str
    revision: str | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    guessed: bool = False
    dropped: Dropped = Dropped()
    available: int = 0

    @property
    def said(self) -> str:
        """All of it in one line."""
        count = len(self.problems)
        parts = [_counted(count, "problem") + (f" of {self.available}" if count < self.available else "")]
        if self.dropped:
            parts.append(f"dropped: {self.dropped}")
        if self.guessed:
            parts.append(f"columns guessed: {', '.join(f'{what}={column}' for what, column in self.columns.items())}")
        return f"{self.name}: {'; '.join(parts)}"


def _counted(count: int, what: str) -> str:
    return f"{count} {what}" + ("" if count == 1 else "s")
