"""The words of the lessons, apart from the code: `lessons/NUMBER-NAME.toml`, ready to be translated; what the page
says around them is among the texts of the interface.

Texts are Markdown. `{NAME}` stands for a figure of `assets/lessons/effects.json`, `{NAME!}` for it with its
interval, `{NAME#}` for its number of problems, so that no figure is typed by hand; a link to `pick:a.NAME` selects a
step of the first tree.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

_FOLDER = Path(__file__).with_name("lessons")


@dataclass(frozen=True, slots=True)
class Choice:
    """One thing that a reader may predict."""

    id: str
    text: str


@dataclass(frozen=True, slots=True)
class Row:
    """A figure that is shown, and what it is of."""

    effect: str
    label: str


@dataclass(frozen=True, slots=True)
class Claim:
    """What the words of a lesson rest on: the difference `effect` is more or less than nothing, or is not told from it
    ("tied"). A test holds each against the figures."""

    effect: str
    says: Literal["more", "less", "tied"]


@dataclass(frozen=True, slots=True)
class Link:
    """A way on. `to` is an address; `{a}` and `{b}` in it stand for the ids of the recorded runs."""

    text: str
    to: str


@dataclass(frozen=True, slots=True)
class Notes:
    """For the teacher: what it is for, what pupils usually guess, the answers, and what to say if it does not show."""

    aim: str
    guess: str
    answers: str
    not_shown: str


@dataclass(frozen=True, slots=True)
class Lesson:
    """A lesson, in the order in which it is read; `answer` names the choice that the measurement bears out, `caption`
    says what the shares are of, where they are not right answers over all problems."""

    name: str
    number: int
    title: str
    short: str
    minutes: int
    terms: Mapping[str, str]
    intro: str
    question: str
    choices: tuple[Choice, ...]
    answer: str
    look: str
    rows: tuple[Row, ...]
    differences: tuple[Row, ...]
    effect: str
    means: str
    think: str
    links: tuple[Link, ...]
    claims: tuple[Claim, ...]
    notes: Notes
    caption: str = ""


@cache
def lessons() -> tuple[Lesson, ...]:
    """All of them, in order."""
    return tuple(_read(file) for file in sorted(_FOLDER.glob("*.toml")))


def lesson_named(name: str) -> Lesson | None:
    return next((lesson for lesson in lessons() if lesson.name == name), None)


def _read(file: Path) -> Lesson:
    """Raises `TypeError` for a part that is missing or that no lesson has."""
    number, _, name = file.stem.partition("-")
    parts: dict[str, Any] = tomllib.loads(file.read_text(encoding="utf-8"))
    many: Mapping[str, Any] = {"choices": Choice, "rows": Row, "differences": Row, "links": Link, "claims": Claim}
    for part, kind in many.items():
        parts[part] = tuple(kind(**each) for each in parts.get(part, []))
    return Lesson(name=name, number=int(number), **{**parts, "notes": Notes(**parts["notes"])})
