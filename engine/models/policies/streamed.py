"""A streamed completion, read into a draft: text, token ids, log-probabilities and the reason it ended.

The same for a server's events and for vLLM's outputs in process.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

from engine.models.policies.draft import Draft, End, Piece, Till
from engine.models.servers.refusals import Unavailable
from engine.models.servers.wire import Abilities, Chunk


@dataclass(slots=True)
class Reading:
    """One stream on its way into `draft.arriving`.

    `most` is how many tokens were asked for; `prompt_tokens` and `cached_tokens` are the server's count.
    """

    draft: Draft
    till: Till
    abilities: Abilities
    most: int
    prompt_tokens: int | None = None
    cached_tokens: int = 0
    _generated: int | None = None
    _last: str = ""

    async def read(self, chunks: AsyncIterator[Chunk]) -> End:
        """Read to the end of the stream, or to the blank line where the server does not stop there by itself.

        Raises `Unavailable` where the stream breaks off.
        """
        end: End | None = None
        async for said in chunks:
            if said.prompt_tokens is not None:
                self.prompt_tokens, self.cached_tokens = said.prompt_tokens, said.cached_tokens
            self._generated = said.generated_tokens if said.generated_tokens is not None else self._generated
            if not self._take(said) or self.draft.arriving.tokens > self.most:  # some servers write on all the same
                return "length"
            if self._passed_by:
                self._cut(said)
                return "stop"
            if said.ending:
                end = self._end(said)
        if end is None:
            raise Unavailable("the server broke off in the middle of an answer", crowded=True)
        self._settle(end)
        if end == "eos" and not self.abilities.cut_offs and self.draft.arriving.tokens >= self.most:
            return "length"
        return end

    def _take(self, said: Chunk) -> bool:
        """Add what came; False where there is no token left to pay with."""
        tokens = len(said.ids) if said.ids is not None else len(said.tokens) or bool(said.text)
        known = self.abilities.logprobs and len(said.tokens) == tokens
        logprob = sum(logprob for _, logprob in said.tokens) if known or not tokens else None
        self.draft.arriving.add(Piece(said.text, list(said.ids or ()), int(tokens), logprob))
        self._last = said.tokens[-1][0] if said.tokens else self._last
        return self.till.pay(int(tokens))

    @property
    def _passed_by(self) -> bool:
        """Whether the step is over and the server does not know: it looks for stop strings in one request only."""
        told = self.abilities.stop_reason and self.draft.delimiter in self.draft.arriving.text
        return self.draft.complete and not told

    def _cut(self, said: Chunk) -> None:
        """Give back what the same event brought behind the blank line. It was generated, and stays paid for."""
        draft, piece = self.draft, self.draft.arriving
        text = draft.text
        end = text.index(draft.delimiter, len(text) - len(text.lstrip())) + len(draft.delimiter)
        surplus = len(text[end:].lstrip("\n"))
        for token, logprob in reversed(said.tokens):
            if not token or len(token) > surplus:
                break
            surplus -= len(token)
            piece.text, piece.tokens, piece.ids = piece.text[: -len(token)], piece.tokens - 1, piece.ids[:-1]
            piece.logprob = None if piece.logprob is None else piece.logprob - logprob
        if surplus and not piece.ids:  # a token is kept whole, a text is cut
            piece.text = piece.text[:-surplus]
            piece.logprob = None

    def _end(self, said: Chunk) -> End:
        if said.ending == "broken":
            raise Unavailable(f"the server ended an answer with {said.finish!r}", crowded=True)
        if said.ending == "cut":
            return "length"
        if said.stop_reason != self.draft.delimiter:  # an id, or in words, what ends every answer
            return "eos"
        piece = self.draft.arriving
        if self.draft.delimiter not in piece.text:
            piece.text += self.draft.delimiter
        return "stop"

    def _settle(self, end: End) -> None:
        """What only the end of a stream tells: how many tokens it had, and how its last one goes on."""
        piece = self.draft.arriving
        counted = max(piece.tokens, self._generated or 0, 1 if end == "eos" else 0)
        if counted > piece.tokens:
            self.till.pay(counted - piece.tokens)
            piece.tokens, piece.logprob = counted, None
        if end == "stop" and piece.ids and self._last:  # the text was cut at the stop string, the token goes on
            told = next(n for n in range(len(self._last), -1, -1) if piece.text.endswith(self._last[:n]))
            piece.text += self._last[told:]
