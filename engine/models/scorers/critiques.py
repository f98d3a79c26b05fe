"""How a judge that writes reads a solution, and what it is asked when it has written.

Its opinion of a path stands behind all of it, so unlike other judges it reads no score in passing: each path is closed,
a critique is written, a fixed question follows, and the next token decides. What two paths have in common is still read
once: a path's tokens are cut where they depend on nothing that may follow.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from transformers import PreTrainedTokenizerBase

from engine.errors import ModelError
from engine.models.prompts.chat_template import chat
from engine.models.prompts.tokens import Tokens
from engine.models.scorers.critique_layout import STEPS, CritiqueLayout
from engine.models.scorers.formats import fingerprint
from engine.search.tree import Node

#: The number that some policies give their steps, which is written anew.
_NUMBERED = re.compile(r"\s*(#+ *)?step +\d+ *[:.] *", re.IGNORECASE)


class CritiqueFormat:
    """A layout in one judge's tokens.

    Attributes:
        template: as of every format.
        question: the ids of the question.
    """

    def __init__(self, tokenizer: PreTrainedTokenizerBase, layout: CritiqueLayout, system: str = "") -> None:
        self._tokens, self._layout = Tokens(tokenizer), layout
        if self._tokens.has_special(layout.step + layout.between):
            raise ModelError("the step of this judge's layout names a special token; put it into prompt or opening")
        whole = layout.prompt
        if layout.chat:
            whole = chat(tokenizer, [("system", system), ("user", layout.prompt)], answer=True)
        if whole.count(STEPS) != 1:
            raise ModelError(f"{tokenizer.name_or_path}: its chat template does not write the user's turn once")
        before, after = whole.split(STEPS)
        self._before = before.rstrip(" ")
        self._blank, self._after = before[len(self._before) :], after + layout.opening
        own = tokenizer.bos_token
        self._bos = [] if layout.chat or (own and before.startswith(own)) else self._tokens.bos
        self._place = self._tokens.fill(self._before, "start", {"problem": "1"})[1]
        self.question = self._tokens.fill(layout.question)[0]
        self.template = fingerprint("generative", whole, layout.model_dump_json())

    def prompt(self, problem: str) -> list[int]:
        """What stands before the steps."""
        return self._bos + self._tokens.fill(self._before, "start", {"problem": problem.strip()})[0]

    def solution(self, steps: Sequence[str]) -> list[int]:
        """The steps and all that follows them up to the critique, tokenised as one text."""
        written = self._layout.between.join(self._written(step, number) for number, step in enumerate(steps, start=1))
        return self._tokens.fill("{step}" + self._after, self._place, {"step": self._blank + written})[0]

    def settled(self, steps: Sequence[str]) -> int:
        """How many of the ids of `solution(steps)` stay the same if more steps follow."""
        here, longer = self.solution(steps), self.solution([*steps, "1"])
        return next((at for at, (a, b) in enumerate(zip(here, longer, strict=False)) if a != b), len(here)) or 0

    def stops(self, steps: int) -> tuple[str, ...]:
        """What ends a critique of so many steps."""
        return tuple(text.replace("{next}", str(steps + 1)) for text in self._layout.stop)

    def _written(self, step: str, number: int) -> str:
        layout, text = self._layout, step.strip()
        if "{number}" in layout.step:
            text = _NUMBERED.sub("", text, count=1) if _NUMBERED.match(text) else text
        head, tail = layout.step.split("{step}")
        return head.replace("{number}", str(number)) + text + tail.replace("{number}", str(number))


class Pieces:
    """Ids cut into pieces, each known by its own and all that came before: what the prefix cache keeps apart."""

    def __init__(self) -> None:
        self._known: dict[tuple[int, tuple[int, ...]], Node] = {}

    def path(self, ids: Sequence[int], cuts: Sequence[int], after: tuple[Node, ...] = ()) -> tuple[Node, ...]:
        """`ids` behind the pieces `after`, cut at `cuts`; a cut that would leave nothing is left out."""
        pieces, start = list(after), 0
        for end in (*cuts, len(ids)):
            if start < end <= len(ids):
                pieces.append(self._piece(pieces[-1].id if pieces else 0, tuple(ids[start:end])))
                start = end
        return tuple(pieces)

    def _piece(self, parent: int, ids: tuple[int, ...]) -> Node:
        fresh = Node(len(self._known) + 1, parent, 0, "", len(ids), ids)
        return self._known.setdefault((parent, ids), fresh)
