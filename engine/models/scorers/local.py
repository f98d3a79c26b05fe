"""What every causal judge on this machine shares: a worker, batches, and the prefix cache over the tree.

A family brings a `Format` (what is read) and a `Head` (how a score is read from hidden states). A causal model's score
of a step does not depend on what comes later, so each node is computed once, on top of the cached KV of its path, at
the cost of its own tokens and its template's. Only what the cache dropped is computed again.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import torch
from torch import Tensor

from engine.errors import ModelError
from engine.models.local import prefix_cache
from engine.models.local.kv import Decoder, KVBatch
from engine.models.local.prefix_cache import PrefixCache
from engine.models.local.worker import Job, Worker
from engine.models.scorers.formats import Format, Segment, refuse_empty
from engine.models.scorers.heads import Head
from engine.search.cost import ScorerCost
from engine.search.events import ModelInfo
from engine.search.tree import Node

_PROMPT: Hashable = "prompt"

#: Rows of one forward, at most; fewer where the memory for running rows holds fewer.
_MAX_ROWS = 64
#: A path's keys and values are in the batch, in the pieces joined for it, and once more while it grows.
_COPIES = 3
#: Padded positions that cost as much as one more pass over the model: reading the weights of a large one, calling the
#: layers of a small one.
_PASS = 64


class LocalScorer:
    """A judge in this process. `backbone` is the transformers model without its head; `format` needs no model."""

    def __init__(self, info: ModelInfo, backbone: Any, form: Format, head: Head) -> None:
        self.info, self.format, self.backbone = info, form, backbone
        self._judge = _Judge(info, backbone, form, head)

    def prompt_tokens(self, problem: str) -> int:
        return len(self.format.prompt(problem))

    def session(self, problem: str) -> LocalScorerSession:
        return LocalScorerSession(self._judge, self.format.prompt(problem))

    def close(self) -> None:
        self._judge.worker.close()


class LocalScorerSession:
    """One run's prompt, prefix cache, and the scores of its nodes (kept even if the cache drops the node).

    `values` are what the head said at each of a step's `reads`, `lengths` the positions that each node takes.
    """

    def __init__(self, judge: _Judge, prompt: list[int]) -> None:
        self._judge = judge
        self.prompt = prompt
        self.cache = PrefixCache()
        self.scores: dict[Hashable, float] = {}
        self.values: dict[Hashable, tuple[float, ...]] = {}
        self.lengths: dict[Hashable, int] = {}

    async def score(self, paths: Sequence[Sequence[Node]], cost: ScorerCost) -> list[float | None]:
        """As `ScorerSession.score`. Raises `ModelError` for a step without text, which cannot be scored."""
        if not paths:
            return []
        refuse_empty(paths)
        request = _Request(self, paths, cost)
        cost.calls += 1
        self._judge.worker.submit(request)
        return await request.result()

    def positions(self, path: Sequence[Node], scored: int) -> tuple[int, int]:
        if not path:
            return len(self.prompt), 0
        lengths = [self.lengths[node.id] for node in path]
        return sum(lengths[scored:]), len(self.prompt) + sum(lengths[:scored])

    def close(self) -> None:
        self.cache.clear()


class _Request(Job[list[float | None]]):
    def __init__(self, session: LocalScorerSession, paths: Sequence[Sequence[Node]], cost: ScorerCost) -> None:
        super().__init__()
        self.session, self.paths, self.cost = session, paths, cost
        self.scores = [session.scores.get(path[-1].id) for path in paths]


@dataclass(frozen=True, slots=True)
class _Span:
    """A piece of a row: the prompt (no `segment`) or a step, after the step `before`; it begins at `start`."""

    key: Hashable
    before: Hashable
    start: int
    end: int
    segment: Segment | None


@dataclass(frozen=True, slots=True)
class _Row:
    """What one row computes: the tokens `missing` after `cached`, which complete `spans`.

    `place` is the path's place in its request.
    """

    request: _Request
    place: int
    cached: list[Tensor]
    missing: list[int]
    spans: list[_Span]

    @property
    def end(self) -> int:
        """The length of the path, prompt included."""
        return self.spans[-1].end

    @property
    def reused(self) -> int:
        return self.end - len(self.missing)


def _batches(rows: Sequence[_Row], positions: int) -> Iterator[list[_Row]]:
    """Rows of similar length together, so that padding a batch costs less than another pass would, and no more than
    memory has `positions` for."""
    batch: list[_Row] = []
    padding = longest = 0
    for row in sorted(rows, key=lambda row: len(row.missing)):
        longest = max(longest, row.end)
        if batch:
            padding += len(batch) * (len(row.missing) - len(batch[-1].missing))
        full = len(batch) == _MAX_ROWS or (len(batch) + 1) * longest > positions
        if batch and (padding > _PASS or full):
            yield batch
            batch, padding, longest = [], 0, row.end
        batch.append(row)
    if batch:
        yield batch


class _Judge:
    """The scoring loop. Everything below `turn` runs in the worker's thread."""

    def __init__(self, info: ModelInfo, backbone: Any, form: Format, head: Head) -> None:
        self._info, self._format, self._head = info, form, head
        self._device = backbone.device
        self._decoder = Decoder(backbone)
        self._empty = KVBatch(backbone.config, backbone.dtype, backbone.device)
        self._requests: list[_Request] = []
        self.worker: Worker[_Request] = Worker(f"scorer {info.name}", info.parameters, self.turn, self.abort)

    def turn(self, new: list[_Request]) -> bool:
        """Score every waiting request; the paths of all of them share batches."""
        self._requests = [request for request in new if not request.cancelled]
        # The prompt of a session is computed once, on its own, so that its rows can share it.
        sessions = {id(request.session): request for request in self._requests}
        self._compute([self._row(each, []) for each in sessions.values() if not each.session.cache.longest([_PROMPT])])
        due = [(each, place) for each in self._requests for place, score in enumerate(each.scores) if score is None]
        self._compute([self._row(each, each.paths[place], place) for each, place in due])
        for request in self._requests:
            request.resolve(request.scores)
        self._requests = []
        return False

    def abort(self, error: BaseException) -> None:
        for request in self._requests:
            request.fail(error)
        self._requests = []
        prefix_cache.hold(self._device, self, 0)

    def _row(self, request: _Request, path: Sequence[Node], place: int = 0) -> _Row:
        session = request.session
        keys: list[Hashable] = [_PROMPT, *(node.id for node in path)]
        cached = session.cache.longest(keys[:-1])
        end = sum(segment.shape[3] for segment in cached)
        missing = [] if cached else list(session.prompt)
        spans = [] if cached else [_Span(_PROMPT, None, 0, len(missing), None)]
        for index in range(max(0, len(cached) - 1), len(path)):
            segment = self._format.segment(path[index].text, path[index - 1].text if index else None)
            start = end + len(missing)
            missing += segment.ids
            session.lengths[keys[index + 1]] = len(segment.ids)
            spans.append(_Span(keys[index + 1], keys[index], start, start + len(segment.ids), segment))
        return _Row(request, place, cached, missing, spans)

    def _compute(self, rows: Sequence[_Row]) -> None:
        fitting = [row for row in rows if row.end <= self._info.context_window]
        position = _COPIES * self._empty.position
        for alike in _batches(fitting, prefix_cache.allowance(self._device, self) // position):
            chunk = [row for row in alike if not row.request.cancelled]
            if chunk:
                prefix_cache.hold(self._device, self, position * len(chunk) * max(row.end for row in chunk))
                self._forward(chunk)
        prefix_cache.hold(self._device, self, 0)

    def _forward(self, rows: Sequence[_Row]) -> None:
        """Compute `rows` in one batch and keep their segments and scores."""
        batch = self._empty.like()
        batch.add([row.cached for row in rows])
        width = max(len(row.missing) for row in rows)
        ids = torch.tensor([row.missing + [0] * (width - len(row.missing)) for row in rows], device=self._device)
        counts = torch.tensor([len(row.missing) for row in rows], device=self._device)
        hidden = self._decoder.step(batch, ids, counts)
        for index, row in enumerate(rows):
            row.request.cost.scored_tokens += len(row.missing)
            row.request.cost.scored_tokens_reused += row.reused
            for span in row.spans:
                row.request.session.cache.put(span.key, batch.segment(index, span.start, span.end))
        self._read(rows, hidden)

    def _read(self, rows: Sequence[_Row], hidden: Tensor) -> None:
        """The scores of all steps that `rows` computed, from their hidden states [rows, width, size]."""
        places: list[tuple[int, int]] = []
        targets: list[int] = []
        for index, row in enumerate(rows):
            for span in row.spans:
                if span.segment:
                    places += [(index, span.start - row.reused + offset) for offset in span.segment.reads]
                    targets += span.segment.targets or [0] * len(span.segment.reads)
        if not places:
            return
        which = torch.tensor(places, device=self._device)
        states = hidden[which[:, 0], which[:, 1]]
        values = self._head(states, torch.tensor(targets, device=self._device)).tolist()
        if not math.isfinite(sum(values)):
            raise ModelError(f"{self._info.name} computes no scores; its weights may be damaged")
        self._keep_scores(rows, iter(values))

    def _keep_scores(self, rows: Sequence[_Row], values: Iterator[float]) -> None:
        for row in rows:
            session = row.request.session
            scores = session.scores
            for span in row.spans:
                if span.segment:
                    session.values[span.key] = tuple(islice(values, len(span.segment.reads)))
                    score = min(session.values[span.key])
                    if self._head.running and span.before in scores:
                        score = min(score, scores[span.before])
                    scores[span.key] = row.request.scores[row.place] = score
