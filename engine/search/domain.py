"""What a search needs to know about its subject: how answers are found in a text, compared and graded.

A search, its run and its sweep know only this protocol. A new domain is a class that fits it, and
one line in `engine.domains.DOMAINS`; a program that uses the engine may add its own there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from engine.search.events import Grade


@dataclass(frozen=True, slots=True)
class Wording:
    """What a prompt adds to a problem: a system prompt, and a line after the problem in the user's turn."""

    system: str = ""
    suffix: str = ""


class StepChecker(Protocol):
    """Knows which steps are right, for one problem: exactly, not as a model guesses. Made by `Domain.step_checker`."""

    def begin(self) -> object:
        """The progress before the first step."""
        ...

    def follow(self, progress: object, step: str) -> object | None:
        """The progress after a step that is right, None after a wrong one. Nothing can follow a wrong step."""
        ...


class Domain(Protocol):
    """A subject. Making one is cheap; what it needs to grade (a worker process) starts on first use."""

    @property
    def name(self) -> str:
        """What runs record, and what `Question.domain` says."""
        ...

    @property
    def prompts(self) -> Mapping[str, Wording]:
        """How policies are asked, by the name that an entry of the models file gives as its `prompt`."""
        ...

    def answer_of(self, text: str, *, opens_thought: bool = False) -> str | None:
        """The answer that a whole completion gives; None if it gives none.

        `opens_thought`: the text begins inside a thought, because the prompt opened it.
        """
        ...

    def normalise(self, answer: str) -> str:
        """A form in which most spellings of one answer are equal: cheap, for counting while a search runs."""
        ...

    async def grades(self, answers: Iterable[str], reference: str | None) -> dict[str, Grade]:
        """Group answer strings that mean the same and judge each against `reference` (None: not judged).

        Cancelling stops the work at once.
        """
        ...

    def quick_grades(self, answers: Iterable[str], reference: str | None) -> dict[str, Grade]:
        """The same, but only what can be compared at once; the rest is left undecided (`correct` None)."""
        ...

    def reference_of(self, problem: str) -> str | None:
        """The right answer if the domain itself knows it: for its examples and its held-out sets."""
        ...

    def step_checker(self, problem: str) -> StepChecker | None:
        """What checks the steps of this problem, if the domain can; None if only models can judge them."""
        ...

    def family(self, problem: str) -> str | None:
        """The kind of problem this is, where the domain tells kinds apart; None if it does not."""
        ...

    def foreign(self, problem: str, world: str) -> str | None:
        """What to tell the user if a policy trained only for `world` never learned such problems; else None."""
        ...

    def markdown(self, text: str) -> str:
        """A step as Markdown that shows it literally, except formulas."""
        ...

    def close(self) -> None:
        """Stop what was started for grading."""
        ...
