"""A policy on this machine, through transformers: continuous batching over a prefix cache.

One worker thread decodes a token at a time for all rows of all searches. A request enters by computing what the prefix
cache lacks of each distinct parent (usually one token: the parent's last) and leaves row by row as its draws end. Text
is appended at token level: nothing is re-templated or re-tokenised between steps, so a prompt is computed once per run.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path

import torch
from torch import Tensor
from transformers import AutoModelForCausalLM, PreTrainedModel, PreTrainedTokenizerBase

from engine.errors import ModelError
from engine.models.local.checkpoint import describe, open_checkpoint
from engine.models.local.dice import Dice
from engine.models.local.kv import Decoder, KVBatch
from engine.models.local.output_layer import output_layer
from engine.models.local.prefix_cache import PrefixCache
from engine.models.local.vocabulary import Vocabulary
from engine.models.local.worker import Job, Worker
from engine.models.prompts.chat_prompt import ChatPrompt
from engine.search.cost import PolicyCost
from engine.search.events import Finish, ModelInfo
from engine.search.policy import DELIMITER, Draw, Sampling, Step, TokenBudget
from engine.search.tree import Node

_PROMPT: Hashable = "prompt"


class LocalPolicy:
    """A causal language model checkpoint in a folder; `system` and `suffix` as in `ChatPrompt`.

    `model` and `tokenizer` are the checkpoint as transformers opens it, `decoder` is what all sessions share.
    """

    def __init__(
        self, name: str, folder: Path, *, system: str = "", suffix: str = "", delimiter: str = DELIMITER
    ) -> None:
        self.model, self.tokenizer = open_checkpoint(folder, AutoModelForCausalLM)
        self._prompt = ChatPrompt(self.tokenizer, system=system, suffix=suffix)
        described = describe(name, folder, self.model, self._prompt.template)
        self.info: ModelInfo = replace(described, opens_thought=self._prompt.opens_thought)
        self.delimiter = delimiter
        self.decoder = _Decoder(self.model, self.tokenizer, self.info, delimiter)

    def prompt_ids(self, problem: str) -> list[int]:
        return self._prompt.ids(problem)

    def prompt_tokens(self, problem: str) -> int:
        return len(self.prompt_ids(problem))

    def session(self, problem: str) -> LocalSession:
        return LocalSession(self.decoder, self.prompt_ids(problem))

    def close(self) -> None:
        self.decoder.worker.close()


class LocalSession:
    """One run's prompt and prefix cache."""

    def __init__(self, decoder: _Decoder, prompt: list[int]) -> None:
        self.decoder = decoder
        self.prompt = prompt
        self.cache = PrefixCache()
        self._latest: _Row | None = None

    async def extend(
        self, draws: Sequence[Draw], sampling: Sampling, budget: TokenBudget, cost: PolicyCost
    ) -> list[Step]:
        if not draws:
            return []
        request = _Request(self, draws, sampling, budget, cost)
        self._latest = request.rows[0]
        cost.calls += 1
        self.decoder.worker.submit(request)
        try:
            return await request.result()
        finally:
            self._latest = None

    def writing(self) -> str:
        row = self._latest
        return self.decoder.text(row.ids) if row else ""

    def close(self) -> None:
        self.cache.clear()


@dataclass(slots=True, eq=False)
class _Row:
    """A draw being decoded. `base` is the length of its path, prompt included; `text` is token by token.

    `room` is how many tokens its chain may still grow by, `limit` how many this step may.
    """

    request: _Request
    draw: Draw
    base: int
    room: int
    limit: int
    ids: list[int] = field(default_factory=list)
    logprob: float = 0.0
    text: str = ""
    finish: Finish | None = None
    number: int = 0

    @property
    def parent(self) -> int:
        return self.draw.path[-1].id if self.draw.path else 0


class _Request(Job[list[Step]]):
    """One call of `extend`, as the worker sees it."""

    def __init__(
        self, session: LocalSession, draws: Sequence[Draw], sampling: Sampling, budget: TokenBudget, cost: PolicyCost
    ) -> None:
        super().__init__()
        self.session, self.sampling, self.budget, self.cost = session, sampling, budget, cost
        window = session.decoder.info.context_window
        self.rows: list[_Row] = []
        for draw in draws:
            written = sum(node.tokens for node in draw.path)
            base = len(session.prompt) + written
            room = min(window - base, sampling.left(written, window))
            self.rows.append(_Row(self, draw, base, room, min(sampling.max_step_tokens, room)))


class _Decoder:
    """The decode loop. Everything below `turn` runs in the worker's thread."""

    def __init__(
        self, model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, info: ModelInfo, delimiter: str
    ) -> None:
        self.info = info
        self._model, self._delimiter = model, delimiter
        self._decoder = Decoder(model.base_model)
        self._head: Callable[[Tensor], Tensor] = output_layer(model)
        self._device = model.device
        self.vocabulary = Vocabulary(model, tokenizer)
        self._pieces: dict[int, str] = {}
        self._batch = KVBatch(model.config, model.dtype, model.device)
        self.rows: list[_Row] = []
        self._numbers = count()
        self._dice: Dice | None = None  # for all rows; None when it must be rebuilt
        self._requests: list[_Request] = []
        self.worker: Worker[_Request] = Worker(f"policy {info.name}", info.parameters, self.turn, self.abort)

    def text(self, ids: Sequence[int]) -> str:
        return self.vocabulary.text(ids)

    def turn(self, new: list[_Request]) -> bool:
        """Admit new requests, then decode one token for every row; True while rows are left."""
        self._requests += new
        # Prompts separately: in one batch with them, rows that lack one token would be padded to a prompt's length.
        warm = {id(each): bool(each.session.cache.longest([_PROMPT])) for each in new}
        for known in (True, False):
            if alike := [each for each in new if warm[id(each)] == known]:
                self._admit(alike)
        if self.rows:
            self._drop_cancelled()
        if self.rows:
            ids = torch.tensor([[row.ids[-1]] for row in self.rows], device=self._device)
            hidden = self._decoder.step(self._batch, ids)
            self._dice = self._dice or self._new_dice(self.rows)
            self._take_tokens(self.rows, self._dice, self._head(hidden[:, -1]))
        return bool(self.rows)

    def abort(self, error: BaseException) -> None:
        for request in self._requests:
            request.fail(error)
        self._requests, self.rows, self._dice = [], [], None
        self._batch = self._batch.like()

    def _admit(self, requests: list[_Request]) -> None:
        """Compute what is missing of each distinct parent's path, then give every draw a row below it."""
        parents: dict[tuple[int, int], _Row] = {}
        for request in requests:
            for row in request.rows:
                parents.setdefault((id(request.session), row.parent), row)
        prefill = self._batch.like()
        logits = self._prefill(prefill, list(parents.values()))
        place = {key: index for index, key in enumerate(parents)}
        rows = [row for request in requests for row in request.rows]
        sources = [place[id(row.request.session), row.parent] for row in rows]
        self._batch.add_copies(prefill, sources)
        for row in rows:
            row.number = next(self._numbers)
        self.rows += rows
        self._dice = None
        self._take_tokens(rows, self._new_dice(rows), logits[torch.tensor(sources, device=self._device)])

    def _prefill(self, batch: KVBatch, parents: list[_Row]) -> Tensor:
        """Fill `batch` with the paths of `parents`, one row each; returns the logits after each path's last token."""
        missing, cached = [], []
        for row in parents:
            session, path = row.request.session, row.draw.path
            segments = session.cache.longest([_PROMPT, *(_key(node) for node in path)])
            tokens = [*session.prompt, *(token for node in path for token in node.token_ids or ())]
            reused = sum(segment.shape[3] for segment in segments)
            missing.append(tokens[reused:])
            cached.append(segments)
            # The last token of a sampled step is computed here for the first time, as part of decoding.
            row.request.cost.prompt_tokens += len(tokens) - reused - (1 if path else 0)
            row.request.cost.prompt_tokens_reused += reused
        batch.add(cached)
        width = max(map(len, missing))
        ids = torch.tensor([tokens + [0] * (width - len(tokens)) for tokens in missing], device=self._device)
        counts = torch.tensor([len(tokens) for tokens in missing], device=self._device)
        hidden = self._decoder.step(batch, ids, counts)
        last = hidden[torch.arange(len(parents), device=self._device), counts - 1]
        for index, (row, segments) in enumerate(zip(parents, cached, strict=True)):
            self._remember_path(batch, index, row, len(segments))
        return self._head(last)

    def _remember_path(self, batch: KVBatch, index: int, row: _Row, known: int) -> None:
        """Keep the segments that `_prefill` had to compute. A segment ends before its step's last token."""
        session, end = row.request.session, len(row.request.session.prompt) - 1
        spans: list[tuple[Hashable, int, int]] = [(_PROMPT, 0, end)]
        for node in row.draw.path:
            spans.append((_key(node), end, end + node.tokens))
            end += node.tokens
        for key, start, stop in spans[known:]:
            session.cache.put(key, batch.segment(index, start, stop))

    def _take_tokens(self, rows: Sequence[_Row], dice: Dice, logits: Tensor) -> None:
        """Sample a token for each of `rows`, then retire those that ended."""
        tokens, logprobs = dice.draw(self.vocabulary.known(logits).float())
        if not math.isfinite(sum(logprobs)):
            raise ModelError(f"{self.info.name} computes no probabilities; its weights may be damaged")
        drawn = zip(rows, tokens, logprobs, strict=True)
        for row, token, logprob in sorted(drawn, key=lambda each: each[0].number):  # a budget pays in draw order
            self._take(row, token, logprob)
        self._retire()

    def _new_dice(self, rows: Sequence[_Row]) -> Dice:
        sampling = [row.request.sampling for row in rows]
        return Dice(
            [row.draw.seed for row in rows],
            [len(row.ids) for row in rows],
            [each.temperature for each in sampling],
            [each.top_p for each in sampling],
            self._device,
        )

    def _take(self, row: _Row, token: int, logprob: float) -> None:
        if not row.request.budget.take():
            row.finish = "budget"
            return
        row.ids.append(token)
        row.logprob += logprob
        row.request.cost.generated_tokens += 1
        if token in self.vocabulary.eos:
            row.finish = "eos"
            return
        piece = self._piece(token)
        row.text += piece
        full = len(row.ids) >= row.room
        completed = (
            self._delimiter[-1] in piece and self._delimiter in row.text.lstrip()
        )  # blank lines before text do not
        if completed and not full:
            row.finish = "step"
        elif len(row.ids) >= row.limit:
            row.finish = "length"

    def _piece(self, token: int) -> str:
        if token not in self._pieces:
            self._pieces[token] = self.text([token])
        return self._pieces[token]

    def _retire(self) -> None:
        """Drop ended rows: keep their KV for their children, and answer requests whose last row ended."""
        ended = [index for index, row in enumerate(self.rows) if row.finish]
        if not ended:
            return
        for index in ended:
            row = self.rows[index]
            if row.finish == "step":
                key = (row.parent, tuple(row.ids))
                start = row.base - 1
                row.request.session.cache.put(key, self._batch.segment(index, start, start + len(row.ids)))
        self._drop(set(ended))
        for request in [r for r in self._requests if all(row.finish for row in r.rows)]:
            self._requests.remove(request)
            request.resolve([self._step(row) for row in request.rows])

    def _step(self, row: _Row) -> Step:
        assert row.finish is not None
        return Step(self.text(row.ids), tuple(row.ids), len(row.ids), row.logprob, row.finish)

    def _drop_cancelled(self) -> None:
        if any(request.cancelled for request in self._requests):
            self._requests = [request for request in self._requests if not request.cancelled]
            self._drop({index for index, row in enumerate(self.rows) if row.request.cancelled})

    def _drop(self, gone: set[int]) -> None:
        self.rows = [self.rows[index] for index in self._batch.drop(gone)]
        self._dice = None


def _key(node: Node) -> Hashable:
    return (node.parent, node.token_ids)
