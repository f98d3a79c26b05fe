"""The decode loop of a model on this machine: continuous batching over a prefix cache.

One worker thread decodes a token at a time for the rows of all searches, as many at once as their memory holds; the
others wait. A row enters by computing what the prefix cache lacks of its parent's path (usually one token: the parent's
last) and leaves as its draw ends. Text is appended at token level: nothing is re-templated or re-tokenised between
steps, so a prompt is computed once per run. Policies draw steps with it, and judges that write their critiques.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections import Counter
from collections.abc import Hashable, Iterator, Sequence
from itertools import count

import torch
from torch import Tensor
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from engine.errors import ModelError
from engine.models.local import prefix_cache
from engine.models.local.dice import Dice, Sure
from engine.models.local.draws import Request, Row, Waiting, latest, rows_at_once
from engine.models.local.kv import Decoder, KVBatch
from engine.models.local.memory import gigabytes
from engine.models.local.packed import packed_output
from engine.models.local.sureness import sureness
from engine.models.local.vocabulary import Vocabulary
from engine.models.local.worker import Worker
from engine.search.events import ModelInfo
from engine.search.policy import Step
from engine.search.tree import Node

#: The key of a session's prompt in its prefix cache.
PROMPT: Hashable = "prompt"

#: Shares of the memory for running rows: the batch, which grows by making a copy, and the paths on their way into it,
#: which are joined from segments.
_BATCH, _PREFILL = 0.44, 0.06
#: Numbers a row takes for each token of the vocabulary while one is drawn: logits, shares, their sums.
_DRAWING = 5
#: Padded positions that cost as much as one more pass over the model.
_PASS = 64


class DecodeLoop:
    """One model's loop; `role` is what the model is to its searches. Everything below `turn` runs in its thread."""

    def __init__(self, model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, info: ModelInfo, role: str) -> None:
        self.info, self._model = info, model
        self._decoder = Decoder(model.base_model)
        self._head = packed_output(model)
        self._device = model.device
        self.vocabulary = Vocabulary(model, tokenizer)
        self._pieces: dict[int, str] = {}
        self._batch = KVBatch(model.config, model.dtype, model.device)
        self.position = self._batch.position
        self.rows: list[Row] = []
        self.most_rows, self.shared_rows = rows_at_once(self._device.type)
        self._numbers = count()
        self._dice: Dice | None = None  # for all rows; None when it must be rebuilt
        self._requests: list[Request] = []
        self._waiting = Waiting()
        self.worker: Worker[Request] = Worker(f"{role} {info.name}", info.parameters, self.turn, self.abort)

    def text(self, ids: Sequence[int]) -> str:
        return self.vocabulary.text(ids)

    def turn(self, new: list[Request]) -> bool:
        """Admit rows, then decode one token for every row; True while rows are left."""
        self._requests += new
        for request in new:
            for row in request.rows:
                row.number = next(self._numbers)
            self._waiting.add(request)
        self._drop_cancelled()
        self._admit()
        if self.rows:
            self._make_way()
        if self.rows:
            ids = torch.tensor([[row.ids[-1]] for row in self.rows], device=self._device)
            hidden = self._decoder.step(self._batch, ids)
            self._dice = self._dice or self._new_dice(self.rows)
            self._take_tokens(self.rows, self._dice, self._head(hidden[:, -1]))
        if not self.rows:
            prefix_cache.hold(self._device, self, 0)
        return bool(self.rows or self._waiting)

    def abort(self, error: BaseException) -> None:
        for request in self._requests:
            request.fail(error)
        self._requests, self.rows, self._dice = [], [], None
        self._waiting.clear()
        self._batch = self._batch.like()
        prefix_cache.hold(self._device, self, 0)

    # --- who is decoded ----------------------------------------------------------------------------------------------

    def _admit(self) -> None:
        """Let waiting rows in, as many as fit.

        Each time costs a pass over the model, so few rows are not let in alone while others run, unless their request
        has none running.
        """
        if not self._waiting:
            return
        running = Counter(row.request for row in self.rows)
        newcomer, waiting = self._waiting.newcomer(running), len(self._waiting)
        sessions = self._waiting.sessions().union(row.request.session for row in self.rows)
        most = self.most_rows if len(sessions) == 1 else min(self.most_rows, self.shared_rows)
        rows = self._waiting.take(most - len(self.rows), running)
        fitting = self._fitting(max((row.columns for row in rows), default=0)) - len(self.rows)
        fitting = min(len(rows), max(fitting, 0 if self.rows else 1))
        if fitting < min(waiting, len(self.rows) // 4) and not newcomer:
            fitting = 0
        self._waiting.put_back(rows[fitting:])
        if rows := rows[:fitting]:
            self._hold(len(self.rows) + len(rows), max(row.columns for row in rows))
            for alike in self._alike(rows):
                self._enter(alike)

    def _fitting(self, columns: int) -> int:
        """How many rows of that many columns the memory for running rows holds."""
        most = prefix_cache.allowance(self._device, self) * _BATCH
        drawing = self.vocabulary.size * _DRAWING * 4
        sizes = range(1, self.most_rows + 1)
        return bisect_right(sizes, most, key=lambda rows: self._batch.size(rows, columns) + rows * drawing)

    def _hold(self, rows: int, columns: int) -> None:
        held, grown = int(self._batch.buffer.nbytes), self._batch.size(rows, columns)
        prefix_cache.hold(self._device, self, held if grown == held else held + grown)
        self._batch.reserve(columns, rows)
        prefix_cache.hold(self._device, self, grown)

    def _make_way(self) -> None:
        """Before the batch grows: rows that would not fit wait again. The last one left fails where memory ends."""
        columns = max(row.columns for row in self.rows)
        if columns <= self._batch.buffer.shape[4]:
            return
        if len(self.rows) > (fitting := max(1, self._fitting(columns))):
            gone = latest(self.rows, len(self.rows) - fitting)
            self._drop({self.rows.index(row) for row in gone})
            for row in gone:
                row.start_again()
            self._waiting.put_back(gone)
            columns = max(row.columns for row in self.rows)
        if columns > (most := prefix_cache.longest_path(self._device, self.position)):
            self._refuse(next(row for row in self.rows if row.columns == columns), most)
            if self.rows:
                self._make_way()
        else:
            self._hold(len(self.rows), columns)

    def _refuse(self, row: Row, most: int) -> None:
        row.request.fail(
            ModelError(
                f"a path of more than {most} tokens needs more memory than there is for keys and values "
                f"({gigabytes(3 * most * self.position)}); lower max_tokens, or set a larger cache_gb for the pair"
            )
        )
        row.request.cancelled = True
        self._drop_cancelled()

    def _alike(self, rows: Sequence[Row]) -> Iterator[list[Row]]:
        """Rows that enter together: those that lack about as much of their paths, because all are padded to the longest
        (a prompt, beside rows that lack one token); and no more paths than there is memory for."""
        most = prefix_cache.allowance(self._device, self) * _PREFILL
        lacking = {row: row.base - sum(segment.shape[3] for segment in self._cached(row)) for row in rows}
        together: list[Row] = []
        parents: set[tuple[int, int]] = set()
        longest = padding = 0
        for row in sorted(rows, key=lambda row: lacking[row]):
            parent = (id(row.request.session), row.parent)
            if together:
                padding += len(parents) * (lacking[row] - lacking[together[-1]])
            paths, columns = len(parents | {parent}), max(longest, row.base)
            if together and (padding > _PASS or paths * columns * self.position > most):
                yield together
                together, parents, longest, padding = [], set(), 0, 0
            together.append(row)
            parents.add(parent)
            longest = max(longest, row.base)
        if together:
            yield together

    def _cached(self, row: Row) -> list[Tensor]:
        return row.request.session.cache.longest([PROMPT, *(key_of(node) for node in row.draw.path)])

    def _enter(self, rows: Sequence[Row]) -> None:
        """Compute what is missing of each distinct parent's path, then give every draw a row below it."""
        parents: dict[tuple[int, int], Row] = {}
        for row in rows:
            parents.setdefault((id(row.request.session), row.parent), row)
        prefill = self._batch.like()
        last = self._prefill(prefill, list(parents.values()))
        place = {key: index for index, key in enumerate(parents)}
        sources = [place[id(row.request.session), row.parent] for row in rows]
        self._batch.add_copies(prefill, sources)
        self.rows += rows
        self._dice = None
        for row, source in zip(rows, sources, strict=True):
            row.verdict = float(row.request.head(last[source, None])) if row.request.head else None
        logits = self._head(last)[torch.tensor(sources, device=self._device)]
        self._take_tokens(rows, self._new_dice(rows), logits)

    # --- what a row goes through -------------------------------------------------------------------------------------

    def _prefill(self, batch: KVBatch, parents: list[Row]) -> Tensor:
        """Fill `batch` with the paths of `parents`, one row each; returns the hidden states of the last tokens."""
        missing, cached = [], []
        for row in parents:
            session, path = row.request.session, row.draw.path
            segments = self._cached(row)
            tokens = [*session.prompt, *(token for node in path for token in node.token_ids or ())]
            reused = sum(segment.shape[3] for segment in segments)
            missing.append(tokens[reused:])
            cached.append(segments)
            self._charge(row, len(tokens) - reused, reused)
        batch.add(cached)
        width = max(map(len, missing))
        ids = torch.tensor([tokens + [0] * (width - len(tokens)) for tokens in missing], device=self._device)
        counts = torch.tensor([len(tokens) for tokens in missing], device=self._device)
        hidden = self._decoder.step(batch, ids, counts)
        last = hidden[torch.arange(len(parents), device=self._device), counts - 1]
        for index, (row, segments) in enumerate(zip(parents, cached, strict=True)):
            self._remember_path(batch, index, row, len(segments))
        return last

    def _charge(self, row: Row, computed: int, reused: int) -> None:
        """Charge a request for a parent's path once; later only for what the cache has dropped meanwhile.

        The last token of a sampled step is computed here for the first time, as part of decoding.
        """
        again = row.parent in row.request.read
        row.request.read.add(row.parent)
        row.request.cost.prompt_tokens += computed - (1 if again or row.draw.path else 0)
        row.request.cost.prompt_tokens_reused += 0 if again else reused

    def _remember_path(self, batch: KVBatch, index: int, row: Row, known: int) -> None:
        """Keep the segments that `_prefill` had to compute. A segment ends before its step's last token."""
        session, end = row.request.session, len(row.request.session.prompt) - 1
        spans: list[tuple[Hashable, int, int]] = [(PROMPT, 0, end)]
        for node in row.draw.path:
            spans.append((key_of(node), end, end + node.tokens))
            end += node.tokens
        for key, start, stop in spans[known:]:
            session.cache.put(key, batch.segment(index, start, stop))

    def _take_tokens(self, rows: Sequence[Row], dice: Dice, logits: Tensor) -> None:
        """Sample a token for each of `rows`, then retire those that ended."""
        tokens, sure = dice.draw(self.vocabulary.known(logits).float(), self.vocabulary.count)
        if not math.isfinite(sum(logprob for logprob, *_ in sure)):
            raise ModelError(f"{self.info.name} computes no probabilities; its weights may be damaged")
        drawn = zip(rows, tokens, sure, strict=True)
        for row, token, numbers in sorted(drawn, key=lambda each: each[0].number):  # a budget pays in draw order
            self._take(row, token, numbers)
        self._retire()

    def _new_dice(self, rows: Sequence[Row]) -> Dice:
        sampling = [row.request.sampling for row in rows]
        return Dice(
            [row.draw.seed for row in rows],
            [len(row.ids) for row in rows],
            [each.temperature for each in sampling],
            [each.top_p for each in sampling],
            self._device,
        )

    def _take(self, row: Row, token: int, sure: Sure) -> None:
        if not row.request.pays(row):
            row.finish = "budget"
            return
        row.ids.append(token)
        row.sure.append(sure)
        if token in self.vocabulary.eos:
            row.finish = "eos"
            return
        piece = self.piece(token)
        row.text += piece
        full = len(row.ids) >= row.room
        # A blank line before any text ends nothing.
        completed = any(stop[-1] in piece and stop in row.text.lstrip() for stop in row.stops)
        if completed and not full:
            row.finish = "step"
        elif len(row.ids) >= row.limit:
            row.finish = "length"

    def piece(self, token: int) -> str:
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
            if kept := row.request.kept(row):
                start = row.base - 1
                segment = self._batch.segment(index, start, start + len(kept))
                row.request.session.cache.put((row.parent, tuple(kept)), segment)
        for index in ended:
            self.rows[index].request.unfinished -= 1
        over = dict.fromkeys(self.rows[index].request for index in ended if not self.rows[index].request.unfinished)
        self._drop(set(ended))
        for request in over:
            self._requests.remove(request)
            request.settle()
            request.resolve([self._step(row) for row in request.rows])

    def _step(self, row: Row) -> Step:
        assert row.finish is not None
        tokens = len(row.ids)
        logprob, likeliest, whole = map(sum, zip(*row.sure, strict=True)) if tokens else (0.0, math.nan, math.nan)
        sure = sureness(likeliest / max(1, tokens), whole / max(1, tokens), self.vocabulary.count)
        return Step(self.text(row.ids), tuple(row.ids), tokens, logprob, row.finish, *sure)

    def _drop_cancelled(self) -> None:
        if any(request.cancelled for request in self._requests):
            self._requests = [request for request in self._requests if not request.cancelled]
            self._waiting.drop_cancelled()
            self._drop({index for index, row in enumerate(self.rows) if row.request.cancelled})

    def _drop(self, gone: set[int]) -> None:
        self.rows = [self.rows[index] for index in self._batch.drop(gone)]
        self._dice = None


def key_of(node: Node) -> Hashable:
    """The key of a step in its session's prefix cache."""
    return (node.parent, node.token_ids)
