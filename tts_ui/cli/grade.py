"""`tts-ui grade`: whether an answer equals a reference, and by which rule."""

from __future__ import annotations

import asyncio

from engine.domains import DOMAINS, Domains
from engine.errors import InvalidInput
from engine.search.events import Grade

#: What a grade's `correct` is called.
VERDICTS = {True: "equal", False: "different", None: "undecided"}


def grade(answer: str, reference: str) -> Grade:
    """The verdict on one answer. Raises `InvalidInput` for an empty one."""
    for name, text in (("ANSWER", answer), ("REFERENCE", reference)):
        if not text.strip():
            raise InvalidInput(name, "it is empty; give an answer")
    with Domains() as domains:
        grades = asyncio.run(domains[next(iter(DOMAINS))].grades([answer], reference))
    return grades[answer]


def document(answer: str, reference: str, verdict: Grade) -> dict[str, object]:
    """What `tts-ui grade --json` prints."""
    return {
        "format": "tts-ui.grade",
        "version": 1,
        "answer": answer,
        "reference": reference,
        "verdict": VERDICTS[verdict.correct],
        "graded_by": verdict.rule,
    }
