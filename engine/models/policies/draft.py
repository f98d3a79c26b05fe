"""Steps in the making, for back ends that are asked for whole continuations: vLLM in process, and servers.

Such a back end is given a path and a number of tokens and stops by itself, at a blank line, at EOS or at that number.
What this means for a step is decided here, once, in the same way as the local back end decides it token by token: blank
steps are continued, a step that fills the context window is cut, and a token budget is dealt out evenly, in draw order,
before anything is requested, so that it cannot be exceeded.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from engine.errors import ModelError
from engine.models.loop_thread import LoopThread
from engine.search.cost import PolicyCost
from engine.search.events import Finish
from engine.search.policy import Draw, Sampling, Step, TokenBudget, Writing

#: Why a request ended: the delimiter, EOS, the number of tokens asked for, or tokens lost on the way.
End = Literal["stop", "eos", "length", "lost"]


@dataclass(slots=True)
class Piece:
    """What one request has delivered so far. `logprob` is None if any of its tokens has none."""

    text: str = ""
    ids: list[int] = field(default_factory=list)
    tokens: int = 0
    logprob: float | None = 0.0

    def add(self, other: Piece) -> None:
        self.text += other.text
        self.ids += other.ids
        self.tokens += other.tokens
        self.logprob = None if self.logprob is None or other.logprob is None else self.logprob + other.logprob


@dataclass(slots=True, eq=False)
class Draft:
    """A draw that is being written.

    Args:
        room: positions left in the context window after the draw's path.
        limit: tokens the step may have; at most `room`.
    """

    draw: Draw
    delimiter: str
    room: int
    limit: int
    written: Piece = field(default_factory=Piece)
    arriving: Piece = field(default_factory=Piece)
    finish: Finish | None = None

    @property
    def text(self) -> str:
        return self.written.text + self.arriving.text

    @property
    def ids(self) -> list[int]:
        """Token ids after the path, if the back end gives any."""
        return [*self.written.ids, *self.arriving.ids]

    @property
    def complete(self) -> bool:
        """Whether there is a blank line after some text; blank lines before it do not end a step."""
        return self.delimiter in self.text.lstrip()

    @property
    def seed(self) -> int:
        """64 bits for the next request: the draw's own seed, or one derived from it for a continuation."""
        if not self.written.tokens:
            return self.draw.seed
        digest = hashlib.blake2b(f"{self.draw.seed}:{self.written.tokens}".encode(), digest_size=8)
        return int.from_bytes(digest.digest(), "little")

    def take_in(self, end: End, asked: int) -> None:
        """Close a request for `asked` tokens that ended this way; sets `finish`, or leaves it None to go on."""
        piece, whole = self.arriving, asked >= self.limit - self.written.tokens
        self.written.add(piece)
        self.arriving = Piece()
        if end == "lost":
            self.finish = "budget"
        elif end == "eos":
            self.finish = "eos"
        elif self.complete and self.written.tokens < self.room:
            self.finish = "step"
        elif self.written.tokens >= self.limit or (end == "length" and (whole or not piece.tokens)):
            self.finish = "length"
        elif not piece.tokens:
            raise ModelError("the policy's server stopped and wrote nothing; its answers cannot be read as steps")

    def step(self, decode: Callable[[Sequence[int]], str] | None = None) -> Step:
        """The finished draft. `decode` makes the text of token ids; without it the text is what the back end sent."""
        assert self.finish is not None
        written = self.written
        text = decode(written.ids) if decode and written.ids else written.text
        return Step(text, tuple(written.ids) or None, written.tokens, written.logprob, self.finish)


class Till:
    """Pays for a request's tokens, from the run's budget and on its bill."""

    def __init__(self, budget: TokenBudget, cost: PolicyCost) -> None:
        self._budget, self.cost = budget, cost

    @property
    def limited(self) -> bool:
        return self._budget.left is not None

    def pay(self, tokens: int) -> bool:
        """Pay for `tokens` that have arrived; False once the budget is empty."""
        for _ in range(tokens):
            if not self._budget.take():
                return False
            self.cost.generated_tokens += 1
        return True

    def shares(self, drafts: Sequence[Draft]) -> list[int]:
        """How many tokens may be requested for each of `drafts`, within the budget for all together."""
        wanted = [draft.limit - draft.written.tokens for draft in drafts]
        if self._budget.left is None:
            return wanted
        each, rest = divmod(self._budget.left, len(drafts))
        return [min(want, each + (place < rest)) for place, want in enumerate(wanted)]


#: Asks for at most this many more tokens of a draft, adds them to `Draft.arriving` as they come, and returns why it
#: ended.
Continue = Callable[[Draft, int, Till], Awaitable[End]]


async def write(drafts: Sequence[Draft], till: Till, go_on: Continue) -> None:
    """Take every draft to its end, all at once; under a budget, in rounds that each deal out what is left."""
    while pending := [draft for draft in drafts if draft.finish is None]:
        asked = list(zip(pending, till.shares(pending), strict=True))
        for draft, share in asked:
            if not share:
                draft.finish = "budget"
        try:
            async with asyncio.TaskGroup() as requests:
                for draft, share in asked:
                    if share:
                        requests.create_task(_request(draft, share, till, go_on))
        except ExceptionGroup as failed:
            raise failed.exceptions[0] from None


async def _request(draft: Draft, share: int, till: Till, go_on: Continue) -> None:
    draft.take_in(await go_on(draft, share, till), share)


class RequestSession:
    """One run of a policy that works by requests.

    Args:
        ask: in `thread`, the positions of the run's prompt and how a draft is continued after it.
        decode: turns token ids into text, if the policy has them.
    """

    def __init__(
        self,
        thread: LoopThread,
        context_window: int,
        delimiter: str,
        ask: Callable[[Sampling], Awaitable[tuple[int, Continue]]],
        decode: Callable[[Sequence[int]], str] | None,
    ) -> None:
        self._thread, self._window, self._delimiter = thread, context_window, delimiter
        self._ask, self._decode = ask, decode
        self._drafts: list[Draft] = []

    async def extend(
        self, draws: Sequence[Draw], sampling: Sampling, budget: TokenBudget, cost: PolicyCost
    ) -> list[Step]:
        if not draws:
            return []
        cost.calls += 1
        try:
            return await self._thread.run(self._extend(draws, sampling, Till(budget, cost)))
        finally:
            self._drafts = []

    async def _extend(self, draws: Sequence[Draw], sampling: Sampling, till: Till) -> list[Step]:
        prompt_tokens, go_on = await self._ask(sampling)
        drafts = []
        for draw in draws:
            written = sum(node.tokens for node in draw.path)
            room = max(1, self._window - prompt_tokens - written)
            room = max(1, min(room, sampling.left(written, otherwise=room)))
            drafts.append(Draft(draw, self._delimiter, room, min(room, sampling.max_step_tokens)))
        self._drafts = drafts
        await write(drafts, till, go_on)
        return [draft.step(self._decode) for draft in drafts]

    def writing(self) -> Writing | None:
        drafts = self._drafts
        if not drafts:
            return None
        ended = sum(draft.finish is not None for draft in drafts)
        return Writing(drafts[0].text, 1 + len(drafts[0].draw.path), ended, len(drafts))

    def close(self) -> None:
        """Nothing to free: a request ends with the task that waits for it."""
