"""What a search needs to know of what its problem is about: how answers are found in a text, compared and graded.

A search, its run and its sweep know this protocol and nothing of any subject. A new domain is a class that fits it, and
one line in `engine.domains.DOMAINS`; a program that uses the engine may add its own there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from engine.search.events import Grade


@dataclass(frozen=True, slots=True)
class Wording:
    """What stands around a problem: the system prompt, and a line after the problem in the user's turn."""

    system: str = ""
    suffix: str = ""


class Domain(Protocol):
    """A subject. Making one is cheap; what it needs to grade (a worker process) starts when it is first needed."""

    @property
    def name(self) -> str:
        """What runs record, and what `Question.domain` says."""
        ...

    @property
    def prompts(self) -> Mapping[str, Wording]:
        """How policies are asked, by the name that an entry of the models file gives as its `prompt`."""
        ...

    def answer_of(self, text: str, *, opens_thought: bool = False) -> str | None:
        """What a whole completion answers; None where it has no answer.

        `opens_thought`: the text begins inside a thought, because the prompt opened it.
        """
        ...

    def normalise(self, answer: str) -> str:
        """A form in which most spellings of one answer are equal: cheap, for counting while a search runs."""
        ...

    async def grades(self, answers: Iterable[str], reference: str | None) -> dict[str, Grade]:
        """Group answer strings that mean the same and judge each against `reference` (None: not judged).

        Cancelling stops the work at once, whatever it is at.
        """
        ...

    def quick_grades(self, answers: Iterable[str], reference: str | None) -> dict[str, Grade]:
        """The same by what takes no time to compare; what would take some is left undecided (`correct` None)."""
        ...

    def reference_of(self, problem: str) -> str | None:
        """The right answer where the domain knows it itself: to its examples and its held-out sets."""
        ...

    def foreign(self, problem: str, world: str) -> str | None:
        """What to tell a person who asks a policy trained for `world` alone something it never learned; else None."""
        ...

    def markdown(self, text: str) -> str:
        """A step as Markdown that shows it literally, formulas apart."""
        ...

    def close(self) -> None:
        """End what was started for grading."""
        ...
