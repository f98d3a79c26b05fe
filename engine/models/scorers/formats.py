"""How a judge reads a problem and its steps: token ids, and the positions at which a score is read.

A format needs a tokenizer and no model. A step's tokens depend on the step before it at most, so a step is read once,
whatever comes later; what lies between the place of a score and the next step (a line break, the judge's own "+")
belongs to the next step, whose score is the first to need it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from engine.errors import ModelError
from engine.models.prompts.tokens import Tokens
from engine.search.tree import Node

#: What texts end with when a template is tried: tokens that end a sentence tend to swallow line breaks.
_SIGNS = (".", "?", ":", ")", "$", "}", "1", "a")


@dataclass(frozen=True, slots=True)
class Segment:
    """What one step adds to the path.

    Attributes:
        ids: the tokens it adds.
        reads: offsets into `ids` at whose hidden states the score is read.
        targets: the token whose probability is read at each of `reads`; empty if a head gives the score.
        starts: where in the text of the step (stripped of blanks around it) each of `targets` begins, in characters;
            what stands before the text begins where it does.
    """

    ids: tuple[int, ...]
    reads: tuple[int, ...]
    targets: tuple[int, ...] = ()
    starts: tuple[int, ...] = ()


class Format(Protocol):
    """One family's way of reading."""

    @property
    def template(self) -> str:
        """A short name for the exact way of reading; scores under different ones are not the same measurement."""
        ...

    def prompt(self, problem: str) -> list[int]:
        """Everything before the first step."""
        ...

    def segment(self, step: str, before: str | None) -> Segment:
        """A step after the step `before` (None: the first)."""
        ...


def conversation(form: Format, problem: str, steps: Sequence[str]) -> tuple[list[int], list[list[int]]]:
    """The whole text as one list of ids, and for each step the positions at which its score is read."""
    ids = form.prompt(problem)
    positions: list[list[int]] = []
    before: str | None = None
    for step in steps:
        segment = form.segment(step, before)
        positions.append([len(ids) + offset for offset in segment.reads])
        ids += segment.ids
        before = step
    return ids, positions


def refuse_empty(paths: Sequence[Sequence[Node]]) -> None:
    """Raises `ModelError` for a step without text, which cannot be scored."""
    if empty := next((node for path in paths for node in path if not node.text.strip()), None):
        raise ModelError(f"step {empty.depth} of the path has no text, so there is nothing to score")


def fingerprint(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:12]


class TemplateFormat:
    """A format that is written down as templates, read at the last token of each step.

    Each template is a list of parts, tokenised one by one: where a part begins, no token reaches across. Texts are
    stripped of the blanks around them, which belong to the layout, so no empty step comes from a trailing blank line.

    Args:
        prompt: with `{problem}`.
        first, later: with `{step}`; a later step begins with what closes the one before it.
        tag: text that closes a step. Its last token never occurs in a step, which spells it out instead.
        bos: whether the tokenizer's own beginning of text comes first (a chat template brings its own).
        clean: applied to the text of a step.
        seamless: whether all parts must tokenise like the whole; then a tokenizer that does not is refused.
    """

    def __init__(
        self, tokens: Tokens, prompt: str, first: Sequence[str], later: Sequence[str], *, tag: str = "",
        bos: bool = False, clean: Callable[[str], str] = str.strip, seamless: bool = True,
    ) -> None:  # fmt: skip
        self._tokens, self._prompt, self._first, self._later = tokens, prompt, tuple(first), tuple(later)
        self._tag = tokens.fill(tag)[0][-1] if tag else None
        self._bos = tokens.bos if bos else []
        self._clean = clean
        self.template = fingerprint(prompt, *self._first, "", *self._later)
        self._behind_prompt = tokens.fill(prompt, "start", {"problem": "1"})[1]
        self._behind_step = tokens.fill(self._later[-1], "inside", {"step": "1"})[1]
        if seamless:
            self._check_seams()

    def prompt(self, problem: str) -> list[int]:
        return self._bos + self._tokens.fill(self._prompt, "start", {"problem": problem.strip()}, self._tag)[0]

    def segment(self, step: str, before: str | None) -> Segment:
        parts, place = (self._first, self._behind_prompt) if before is None else (self._later, self._behind_step)
        ids: list[int] = []
        for part in parts:
            found, place = self._tokens.fill(part, place, {"step": self._clean(step)}, self._tag)
            ids += found
        return Segment(tuple(ids), (len(ids) - 1,))

    def _check_seams(self) -> None:
        for sign in _SIGNS:
            problem, steps = f"What is 1 + 1{sign}", (f"We add{sign}", f"It is 2{sign}")
            whole = self._prompt.replace("{problem}", problem)
            for parts, step in zip((self._first, self._later), steps, strict=True):
                whole += "".join(parts).replace("{step}", step)
            if self._bos + self._tokens.fill(whole, "start")[0] != conversation(self, problem, steps)[0]:
                raise ModelError(
                    f"the tokenizer joins text ending in {sign!r} with what this template puts after it, across the "
                    "places where scores are read"
                )
