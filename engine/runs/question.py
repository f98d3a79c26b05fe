"""What a run is asked."""

from __future__ import annotations

from dataclasses import dataclass

from engine.domains import DOMAINS
from engine.errors import InvalidInput


@dataclass(frozen=True, slots=True)
class Question:
    """A problem, the answer to grade against where it is known, and the domain that both belong to."""

    problem: str
    reference: str | None = None
    domain: str = "maths"

    def __post_init__(self) -> None:
        if not self.problem.strip():
            raise InvalidInput("problem", "it is empty; type a question")
        if not _encodable(self.problem):
            raise InvalidInput("problem", "it contains invalid characters (lone surrogates); remove them")
        if self.reference is not None and not self.reference.strip():
            raise InvalidInput("answer", "the reference answer is empty; leave it out or give one")
        if self.domain not in DOMAINS:
            raise InvalidInput("domain", f"unknown domain {self.domain!r}; choose one of {', '.join(DOMAINS)}")


def _encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
