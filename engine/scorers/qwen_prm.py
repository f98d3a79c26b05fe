"""Qwen2.5-Math-PRM: a two-label head read at the `<extra_0>` that closes every step.

Format (huggingface.co/Qwen/Qwen2.5-Math-PRM-7B): the chat template with the problem as the user's turn, then each step
without its trailing blank line, then `<extra_0>`; the score is the softmax probability of label 1 at that token. Text
is tokenised a segment at a time and the token is placed by id, so a step that spells out "<extra_0>" cannot forge a
score. The model is causal, so each node is computed once, behind the cached KV of its path, at the cost of its own
tokens and the one separator.
"""

from __future__ import annotations

import copy
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from transformers import PreTrainedTokenizerBase, Qwen2Config, Qwen2Model, Qwen2PreTrainedModel

from engine.cost import ScorerCost
from engine.errors import ModelError
from engine.events import ModelInfo
from engine.local.checkpoint import describe, open_checkpoint, template_id
from engine.local.kv import Decoder, KVBatch
from engine.local.prefix_cache import PrefixCache
from engine.local.worker import Job, Worker
from engine.tree import Node

STEP_TOKEN = "<extra_0>"
_PROMPT: Hashable = "prompt"

#: Rows of one forward; bounds the memory a large best-of-N asks for at once.
_MAX_ROWS = 64


class Qwen2ForProcessRewardModel(Qwen2PreTrainedModel):
    """The published layout: a Qwen2 backbone and `score` = Linear, ReLU, Linear to two labels."""

    def __init__(self, config: Qwen2Config) -> None:
        super().__init__(config)
        self.model = Qwen2Model(config)
        self.score = nn.Sequential(
            nn.Linear(config.hidden_size, config.hidden_size), nn.ReLU(), nn.Linear(config.hidden_size, 2)
        )
        self.post_init()  # type: ignore[no-untyped-call]


class QwenPRM:
    """A PRM checkpoint of this layout in a folder. `system` is the system prompt it was trained with."""

    def __init__(self, name: str, folder: Path, *, system: str = "") -> None:
        model, self._tokenizer = open_checkpoint(folder, Qwen2ForProcessRewardModel)
        step_id = self._tokenizer.convert_tokens_to_ids(STEP_TOKEN)
        if not isinstance(step_id, int) or step_id == self._tokenizer.unk_token_id:
            raise ModelError(f"{folder}: the tokenizer has no {STEP_TOKEN} token, this is not a PRM of this family")
        self.info: ModelInfo = describe(name, folder, model, template_id(self._tokenizer))
        self._system = system
        # The judge reads in its own thread, with special tokens as text; that is a state of the tokenizer, so it has
        # its own.
        self._judge = _Judge(model, copy.deepcopy(self._tokenizer), step_id, self.info)

    def _prompt_ids(self, problem: str) -> list[int]:
        messages = [{"role": "user", "content": problem}]
        if self._system:
            messages.insert(0, {"role": "system", "content": self._system})
        return list(self._tokenizer.apply_chat_template(messages, add_generation_prompt=True, return_dict=False))

    def prompt_tokens(self, problem: str) -> int:
        return len(self._prompt_ids(problem))

    def session(self, problem: str) -> QwenPRMSession:
        return QwenPRMSession(self._judge, self._prompt_ids(problem))

    def close(self) -> None:
        self._judge.worker.close()


class QwenPRMSession:
    """One run's prompt and prefix cache; `lengths` are the positions of each node's segment, by the node's id."""

    def __init__(self, judge: _Judge, prompt: list[int]) -> None:
        self._judge = judge
        self.prompt = prompt
        self.cache = PrefixCache()
        self.lengths: dict[int, int] = {}

    async def score(self, paths: Sequence[Sequence[Node]], cost: ScorerCost) -> list[float | None]:
        if not paths:
            return []
        request = _Request(self, paths, cost)
        cost.calls += 1
        self._judge.worker.submit(request)
        return await request.result()

    def positions(self, path: Sequence[Node]) -> tuple[int, int]:
        if not path:
            return len(self.prompt), 0
        return self.lengths[path[-1].id], len(self.prompt) + sum(self.lengths[node.id] for node in path[:-1])

    def close(self) -> None:
        self.cache.clear()


class _Request(Job[list[float | None]]):
    def __init__(self, session: QwenPRMSession, paths: Sequence[Sequence[Node]], cost: ScorerCost) -> None:
        super().__init__()
        self.session, self.paths, self.cost = session, paths, cost
        self.scores: list[float | None] = [None] * len(paths)


@dataclass(frozen=True, slots=True)
class _Row:
    """What one row computes: `missing` tokens behind `cached` segments; `spans` are the segments this completes.

    `place` is the path's place in its request.
    """

    request: _Request
    place: int
    cached: list[Tensor]
    missing: list[int]
    spans: list[tuple[Hashable, int, int]]

    @property
    def end(self) -> int:
        """The length of the path, prompt included."""
        return self.spans[-1][2]


class _Judge:
    """The scoring loop. Everything below `turn` runs in the worker's thread."""

    def __init__(
        self, model: Qwen2ForProcessRewardModel, tokenizer: PreTrainedTokenizerBase, step_id: int, info: ModelInfo
    ) -> None:
        self._model, self._tokenizer, self._step_id, self._info = model, tokenizer, step_id, info
        self._decoder = Decoder(model.model)
        self._empty = KVBatch(model.config, model.dtype, model.device)
        self._requests: list[_Request] = []
        self.worker: Worker[_Request] = Worker(f"scorer {info.name}", info.parameters, self.turn, self.abort)

    def turn(self, new: list[_Request]) -> bool:
        """Score every waiting request; the paths of all of them share batches."""
        self._requests = [request for request in new if not request.cancelled]
        self._compute_prompts()
        rows = [self._row(request, place) for request in self._requests for place in range(len(request.paths))]
        rows = [row for row in rows if row.end <= self._info.context_window]
        for start in range(0, len(rows), _MAX_ROWS):
            chunk = [row for row in rows[start : start + _MAX_ROWS] if not row.request.cancelled]
            if chunk:
                for row, score in zip(chunk, self._forward(chunk), strict=True):
                    row.request.scores[row.place] = score
        for request in self._requests:
            request.resolve(request.scores)
        self._requests = []
        return False

    def abort(self, error: BaseException) -> None:
        for request in self._requests:
            request.fail(error)
        self._requests = []

    def _compute_prompts(self) -> None:
        """The prompt of a session is computed once, on its own, so that its rows can share it."""
        for session in {id(request.session): request.session for request in self._requests}.values():
            if not session.cache.longest([_PROMPT]):
                request = next(request for request in self._requests if request.session is session)
                row = _Row(request, 0, [], session.prompt, [(_PROMPT, 0, len(session.prompt))])
                self._forward([row])

    def _row(self, request: _Request, place: int) -> _Row:
        session, path = request.session, request.paths[place]
        keys: list[Hashable] = [_PROMPT, *(node.id for node in path)]
        cached = session.cache.longest(keys[:-1])
        end = sum(segment.shape[3] for segment in cached)
        missing: list[int] = [] if cached else list(session.prompt)
        spans: list[tuple[Hashable, int, int]] = [] if cached else [(_PROMPT, 0, len(missing))]
        for node in path[max(0, len(cached) - 1) :]:
            segment = self._segment(node)
            session.lengths[node.id] = len(segment)
            start = end + len(missing)
            missing += segment
            spans.append((node.id, start, start + len(segment)))
        return _Row(request, place, cached, missing, spans)

    def _segment(self, node: Node) -> list[int]:
        """A step as the PRM reads it. Special tokens in the text are read as text, not as tokens."""
        ids = self._tokenizer.encode(node.text.rstrip("\n"), add_special_tokens=False, split_special_tokens=True)
        return [*ids, self._step_id]

    def _forward(self, rows: list[_Row]) -> list[float]:
        """Compute `rows` in one batch, keep their segments, and read the head at each row's last position."""
        batch = self._empty.like()
        batch.add([row.cached for row in rows])
        width = max(len(row.missing) for row in rows)
        ids = torch.tensor([row.missing + [0] * (width - len(row.missing)) for row in rows], device=self._model.device)
        counts = torch.tensor([len(row.missing) for row in rows], device=self._model.device)
        hidden = self._decoder.step(batch, ids, counts)
        for index, row in enumerate(rows):
            row.request.cost.scored_tokens += len(row.missing)
            row.request.cost.scored_tokens_reused += sum(segment.shape[3] for segment in row.cached)
            for key, start, end in row.spans:
                row.request.session.cache.put(key, batch.segment(index, start, end))
        last = hidden[torch.arange(len(rows), device=self._model.device), counts - 1]
        scores: Any = torch.softmax(self._model.score(last).float(), dim=-1)[:, 1].tolist()
        return list(scores)
