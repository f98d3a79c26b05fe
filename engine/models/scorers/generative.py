"""Any causal language model that writes a critique of the solution so far and then says whether it is right.

The score of a step is P(good) of the two tokens `good` and `bad` after a fixed question behind the critique, the mean
over `samples` critiques; what it is asked comes from the models file (ThinkPRM's layout, arXiv 2504.16828, is in
`models.toml`). Critiques of all paths of a request are decoded together by the policies' own loop. One critique is
written greedily; of several each draws from a seed that derives from the path and its number, and from nothing else.

What a critique takes is the PRM's: positions read and tokens written both count as positions computed.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from torch import Tensor
from transformers import AutoModelForCausalLM

from engine.errors import ModelError
from engine.models.local.checkpoint import describe, open_checkpoint
from engine.models.local.decode_loop import PROMPT, DecodeLoop, key_of
from engine.models.local.draws import Request, Row
from engine.models.local.prefix_cache import PrefixCache
from engine.models.prompts.tokens import Tokens
from engine.models.scorers.critique_layout import CritiqueLayout
from engine.models.scorers.critiques import CritiqueFormat, Pieces
from engine.models.scorers.formats import refuse_empty
from engine.models.scorers.heads import TwoTokenHead, verdict_tokens
from engine.models.scorers.options import ScorerOptions
from engine.search.cost import PolicyCost, ScorerCost
from engine.search.draws import draw_seed
from engine.search.events import ModelInfo
from engine.search.policy import Draw, Sampling, TokenBudget
from engine.search.tree import Node

#: Critiques are drawn from seeds of their own, whatever the run's seed: a score belongs to the judge and the text.
_SEED = 0


@dataclass(frozen=True, slots=True)
class _Judge:
    """What all sessions share. `window` is the model's own."""

    info: ModelInfo
    layout: CritiqueLayout
    form: CritiqueFormat
    loop: DecodeLoop
    head: Callable[[Tensor], Tensor]
    window: int


class GenerativeScorer:
    """A judge in this process. The window it tells is what a path may take: a critique's room is always left."""

    def __init__(self, judge: _Judge) -> None:
        self.info, self.format, self.loop, self._judge = judge.info, judge.form, judge.loop, judge

    def prompt_tokens(self, problem: str) -> int:
        return len(self.format.prompt(problem))

    def positions_about(self, steps: Sequence[int]) -> int:
        """At most: behind every step what closes the solution, and whole critiques, each with its question."""
        layout, closing = self._judge.layout, len(self.format.solution(["x"]))
        critiques = layout.samples * (layout.max_tokens + len(self.format.question))
        return sum(steps) + len(steps) * (closing + critiques)

    def session(self, problem: str) -> GenerativeSession:
        return GenerativeSession(self._judge, self.format.prompt(problem))

    def close(self) -> None:
        self._judge.loop.worker.close()


@dataclass(frozen=True, slots=True)
class _Judged:
    """What was said of a path: the score, what was written, and the positions that writing and asking took."""

    score: float
    critique: str
    positions: int


class GenerativeSession:
    """One run's prompt, prefix cache, and what was said of its nodes."""

    def __init__(self, judge: _Judge, prompt: list[int]) -> None:
        self._judge, self.prompt = judge, prompt
        self.cache = PrefixCache()
        self._pieces = Pieces()
        self._settled: dict[Hashable, int] = {}
        self._lengths: dict[Hashable, int] = {}
        self._judged: dict[Hashable, _Judged] = {}

    async def score(self, paths: Sequence[Sequence[Node]], cost: ScorerCost) -> list[float | None]:
        """As `ScorerSession.score`. Raises `ModelError` for a step without text, which cannot be scored."""
        if not paths:
            return []
        refuse_empty(paths)
        cost.calls += 1
        due = {path[-1].id: path for path in paths if path[-1].id not in self._judged}
        asked = {node: (path, pieces) for node, path in due.items() if (pieces := self._fitting(path))}
        if asked:
            await self._read_prompt(cost)
            await self._judge_all(asked, cost)
        return [judged.score if (judged := self._judged.get(path[-1].id)) else None for path in paths]

    def critique(self, path: Sequence[Node]) -> str | None:
        """As `Critic.critique`."""
        judged = self._judged.get(path[-1].id)
        return judged.critique if judged else None

    def positions(self, path: Sequence[Node], scored: int) -> tuple[int, int]:
        if not path:
            return len(self.prompt), 0
        whole = len(self.prompt) + self._lengths[path[-1].id]
        known = len(self.prompt) + self._until(path[:scored])
        judged = self._judged.get(path[-1].id)
        return whole - known + 1 + (judged.positions if judged else 0), known - 1

    def close(self) -> None:
        self.cache.clear()

    # --- what is read ------------------------------------------------------------------------------------------------

    def _fitting(self, path: Sequence[Node]) -> tuple[Node, ...]:
        """A path in pieces, up to the critique; none if that would have no room behind it."""
        ids = self._judge.form.solution([node.text for node in path])
        self._lengths[path[-1].id] = len(ids)
        if len(self.prompt) + len(ids) > self._judge.info.context_window:
            return ()
        return self._pieces.path(ids, [self._until(path[: end + 1]) for end in range(len(path))])

    def _until(self, path: Sequence[Node]) -> int:
        """Where the ids of these steps end, those left out that the next step may change."""
        if not path:
            return 0
        end = path[-1].id
        if end not in self._settled:
            self._settled[end] = self._judge.form.settled([node.text for node in path])
        return self._settled[end]

    async def _read_prompt(self, cost: ScorerCost) -> None:
        """Once, on its own, so that all paths share it."""
        if not self.cache.longest([PROMPT]):
            request = self._request([Draw((), _SEED)], Sampling(0.0, max_step_tokens=1), self._judge.window)
            await self._done(request, lambda: request.cost.prompt_tokens, cost)

    # --- what is written ---------------------------------------------------------------------------------------------

    async def _judge_all(self, asked: dict[int, tuple[Sequence[Node], tuple[Node, ...]]], cost: ScorerCost) -> None:
        """Write the critiques of all paths together, then ask the question behind each."""
        judge, layout = self._judge, self._judge.layout
        numbered = [(path, pieces, place) for path, pieces in asked.values() for place in range(layout.samples)]
        writing = _Critiques(
            self, judge.loop, [Draw(pieces, draw_seed(_SEED, pieces, place)) for _, pieces, place in numbered],
            Sampling(layout.temperature if layout.samples > 1 else 0.0, max_step_tokens=layout.max_tokens),
            judge.window - len(judge.form.question),
        )  # fmt: skip
        for row, (path, _, _) in zip(writing.rows, numbered, strict=True):
            row.stops = judge.form.stops(len(path))
        bill = writing.cost
        await self._done(writing, lambda: bill.prompt_tokens + len(writing.read) + bill.generated_tokens, cost)
        written = [(pieces, writing.kept(row)) for (_, pieces, _), row in zip(numbered, writing.rows, strict=True)]
        behind = [self._pieces.path(judge.form.question, (), self._pieces.path(ids, (), at)) for at, ids in written]
        asking = self._request(
            [Draw(pieces, _SEED) for pieces in behind], Sampling(0.0, max_step_tokens=1), judge.window, judge.head
        )
        await self._done(asking, lambda: asking.cost.prompt_tokens, cost)
        self._note(list(asked), writing, asking)
        self._forget(behind, {pieces[-1] for _, pieces in asked.values()})

    def _note(self, nodes: Sequence[int], writing: _Critiques, asking: Request) -> None:
        samples = self._judge.layout.samples
        for place, node in enumerate(nodes):
            of_node = slice(place * samples, (place + 1) * samples)
            drawn = writing.rows[of_node]
            values = [row.verdict for row in asking.rows[of_node] if row.verdict is not None]
            assert len(values) == samples
            if not math.isfinite(sum(values)):
                raise ModelError(f"{self._judge.info.name} computes no scores; its weights may be damaged")
            texts = [self._judge.loop.text(writing.kept(row)) for row in drawn]
            positions = sum(len(row.ids) + len(self._judge.form.question) for row in drawn)
            self._judged[node] = _Judged(sum(values) / samples, _together(texts, values), positions)

    def _forget(self, paths: Sequence[Sequence[Node]], closings: set[Node]) -> None:
        """What closes a path, and all behind that, is never read again."""
        for path in paths:
            first = next(place for place, piece in enumerate(path) if piece in closings)
            for piece in path[first:]:
                self.cache.drop(key_of(piece))

    def _request(
        self, draws: Sequence[Draw], sampling: Sampling, window: int, head: Callable[[Tensor], Tensor] | None = None
    ) -> Request:
        return Request(self, draws, sampling, TokenBudget(), PolicyCost(), window, head=head)

    async def _done(self, request: Request, computed: Callable[[], int], cost: ScorerCost) -> None:
        """Wait for a request, and charge what it took, also if it is cancelled."""
        self._judge.loop.worker.submit(request)
        try:
            await request.result()
        finally:
            cost.scored_tokens += computed()
            cost.scored_tokens_reused += request.cost.prompt_tokens_reused if request.head is None else 0


class _Critiques(Request):
    """Critiques being written. Whatever ended one, the question follows."""

    def __init__(
        self, session: GenerativeSession, loop: DecodeLoop, draws: Sequence[Draw], sampling: Sampling, window: int
    ) -> None:
        super().__init__(session, draws, sampling, TokenBudget(), PolicyCost(), window)
        self._decode_loop = loop

    def kept(self, row: Row) -> list[int]:
        """A critique's tokens, without the end of text and without those that hold text that ends it."""
        ids = row.ids[:-1] if row.finish == "eos" else row.ids
        found = [row.text.index(stop) for stop in row.stops if stop in row.text]
        if not found:
            return ids
        length = 0
        for place, token in enumerate(ids):
            length += len(self._decode_loop.piece(token))
            if length > min(found):
                return ids[:place]
        return ids


def _together(texts: Sequence[str], values: Sequence[float]) -> str:
    """One critique as it is; several one after the other, each with its own judgement."""
    if len(texts) == 1:
        return texts[0]
    said = enumerate(zip(texts, values, strict=True), start=1)
    return "\n\n".join(f"[{number} of {len(texts)}: {value:.2f}]\n{text}" for number, (text, value) in said)


def load(name: str, folder: Path, options: ScorerOptions) -> GenerativeScorer:
    layout = options.critique
    if layout is None:
        raise ModelError(f"{name}: a generative judge needs a layout; add [scorer.critique] to the models file")
    model, tokenizer = open_checkpoint(folder, AutoModelForCausalLM)
    form = CritiqueFormat(tokenizer, layout, options.system)
    head = TwoTokenHead(model, *verdict_tokens(Tokens(tokenizer), layout.good, layout.bad))
    own = describe(name, folder, model, form.template)
    room = own.context_window - layout.max_tokens - len(form.question)
    if room < 1:
        raise ModelError(
            f"{name}: critiques of {layout.max_tokens} tokens leave no room for a solution in the window of "
            f"{own.context_window}; lower max_tokens in its [scorer.critique]"
        )
    info = replace(own, context_window=room)
    loop = DecodeLoop(model, tokenizer, info, "scorer")
    return GenerativeScorer(_Judge(info, layout, form, loop, lambda hidden: head(hidden, hidden), own.context_window))
