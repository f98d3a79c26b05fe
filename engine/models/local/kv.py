"""The KV cache of a ragged batch, and one model step over it.

Rows are independent: each has its own length, joins and leaves at any time, and is filled by gathering the cached
segments of its path. All layers live in one tensor, so joining, leaving and gathering are single operations.
transformers only sees the `Cache` interface: `update` writes each row's new positions after those it has.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from itertools import groupby
from typing import Any

import torch
from torch import Tensor
from transformers import Cache, PretrainedConfig
from transformers.cache_utils import CacheLayerMixin

from engine.errors import ModelError
from engine.models.local.decode_attention import NAME as ATTENTION

#: Columns added beyond what is needed when a buffer grows, so that it seldom grows while decoding: at least this
#: many, and this share of a long one. A batch that rows join gets spare rows, too, as a share of its rows.
_SLACK, _SLACK_SHARE = 64, 8
_ROW_SLACK_SHARE = 4


class KVBatch:
    """KV of `len(self)` rows: `buffer` is [layers, 2, rows, heads, columns, head_dim], `lengths` the filled columns.

    The buffer may have more rows than are in use: a row that leaves is replaced by the last one, so that leaving costs
    one row and not a copy of the batch.
    """

    def __init__(self, config: PretrainedConfig, dtype: torch.dtype, device: torch.device) -> None:
        heads = getattr(config, "num_key_value_heads", None) or config.num_attention_heads
        head_dim = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
        self.buffer = torch.zeros(config.num_hidden_layers, 2, 0, heads, 0, head_dim, dtype=dtype, device=device)
        self.lengths = torch.zeros(0, dtype=torch.long, device=device)

    def __len__(self) -> int:
        return len(self.lengths)

    @property
    def position(self) -> int:
        """Bytes of one position of one row."""
        layers, kinds, _, heads, _, head_dim = self.buffer.shape
        return layers * kinds * heads * head_dim * self.buffer.element_size()

    def size(self, rows: int, columns: int) -> int:
        """Bytes it takes once it has room for that many rows and columns; while it grows it takes its old ones, too."""
        return math.prod(self._grown(rows, columns)) * self.position

    def like(self) -> KVBatch:
        """An empty batch of the same model."""
        empty = object.__new__(KVBatch)
        empty.buffer = self.buffer[:, :, :0, :, :0].clone()
        empty.lengths = self.lengths[:0].clone()
        return empty

    def reserve(self, columns: int, rows: int = 0) -> None:
        """Make room for `columns` positions per row, and for `rows` rows if that is more than there are."""
        self._make_room(max(rows, len(self)), columns)

    def _make_room(self, rows: int, columns: int) -> None:
        """Grow to at least `rows` and `columns`, copying what is filled once.

        Unused columns are zero or left over from another row, never undefined: attention reads them with weight 0.
        """
        layers, kinds, _, heads, _, head_dim = self.buffer.shape
        have_rows, have_columns = self._grown(rows, columns)
        if (have_rows, have_columns) == (self.buffer.shape[2], self.buffer.shape[4]):
            return
        grown = self.buffer.new_zeros(layers, kinds, have_rows, heads, have_columns, head_dim)
        if len(self):
            filled = int(self.lengths.max())
            grown[:, :, : len(self), :, :filled] = self.buffer[:, :, : len(self), :, :filled]
        self.buffer = grown

    def _grown(self, rows: int, columns: int) -> tuple[int, int]:
        """The buffer's rows and columns once it has room for these. Spare rows are not copied to longer columns."""
        have_rows, have_columns = self.buffer.shape[2], self.buffer.shape[4]
        spare = rows + rows // _ROW_SLACK_SHARE
        if columns > have_columns:
            have_columns = columns + max(_SLACK, columns // _SLACK_SHARE)
            have_rows = min(have_rows, spare)
        if rows > have_rows:
            have_rows = rows if not have_rows else spare
        return have_rows, have_columns

    def add(self, segments: Sequence[Sequence[Tensor]]) -> None:
        """Append one row for each list of segments ([layers, 2, heads, positions, head_dim] each), joined in order."""
        rows = [torch.cat(list(parts), dim=3) if parts else None for parts in segments]
        lengths = [0 if row is None else row.shape[3] for row in rows]
        first = self._append_rows(lengths)
        for index, row in enumerate(rows, start=first):
            if row is not None:
                self.buffer[:, :, index, :, : row.shape[3]] = row

    def add_copies(self, other: KVBatch, rows: Sequence[int]) -> None:
        """Append copies of `rows` of another batch (a row may repeat: many draws below one parent)."""
        lengths = other.lengths.tolist()
        first = self._append_rows([lengths[row] for row in rows])
        for source, copies in groupby(enumerate(rows, start=first), key=lambda each: each[1]):
            to, length = [place for place, _ in copies], lengths[source]
            self.buffer[:, :, to[0] : to[-1] + 1, :, :length] = other.buffer[:, :, source, None, :, :length]

    def _append_rows(self, lengths: Sequence[int]) -> int:
        first = len(self)
        self._make_room(first + len(lengths), max(lengths, default=0) + 1)
        self.lengths = torch.cat([self.lengths, torch.tensor(lengths, dtype=torch.long, device=self.lengths.device)])
        return first

    def drop(self, gone: Collection[int]) -> list[int]:
        """Drop rows; returns the remaining ones, by their old numbers, in their new order."""
        order = list(range(len(self)))
        left = len(order) - len(gone)
        movers = [row for row in order[left:] if row not in gone]
        holes = [row for row in order[:left] if row in gone]
        if holes:
            to, source = (torch.tensor(rows, device=self.buffer.device) for rows in (holes, movers))
            self.lengths[to] = self.lengths[source]
            for hole, mover, length in zip(holes, movers, self.lengths[to].tolist(), strict=True):
                self.buffer[:, :, hole, :, :length] = self.buffer[:, :, mover, :, :length]
                order[hole] = mover
        self.lengths = self.lengths[:left].clone()
        if not left:
            self.buffer = self.buffer[:, :, :0, :, :0].clone()  # do not hold a large batch's memory for the next one
        return order[:left]

    def segment(self, row: int, start: int, end: int) -> Tensor:
        """A copy of positions [start, end) of a row, for a prefix cache."""
        return self.buffer[:, :, row, :, start:end].clone()


class _Layer(CacheLayerMixin):
    """One layer of a `KVBatch`, as transformers wants to see it."""

    is_sliding = False

    def __init__(self, view: Tensor, index: tuple[Tensor, Tensor], columns: int) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._view, self._index, self._columns = view, index, columns
        self.is_initialized = True

    def lazy_initialization(self, key_states: Tensor, value_states: Tensor) -> None:
        pass

    def update(self, key_states: Tensor, value_states: Tensor, *args: Any, **kwargs: Any) -> tuple[Tensor, Tensor]:
        rows, positions = self._index
        self._view[0][rows, :, positions] = key_states.transpose(1, 2)
        self._view[1][rows, :, positions] = value_states.transpose(1, 2)
        return self._view[0, :, :, : self._columns], self._view[1, :, :, : self._columns]

    def get_seq_length(self) -> int:
        return self._columns

    def get_mask_sizes(self, query_length: int) -> tuple[int, int]:
        return self._columns, 0

    def get_max_length(self) -> int:
        return -1


#: Decoders of Llama's shape, whose layers are called one by one: for a small model the bookkeeping of `forward` around
#: them (masks it need not make, outputs it need not capture) is a fifth of a step.
_PLAIN = frozenset({"LlamaModel", "MistralModel", "Qwen2Model", "Qwen3Model"})


class Decoder:
    """A transformers model without its head, run over the rows of a `KVBatch`, with our attention."""

    def __init__(self, model: Any) -> None:
        self._model = model
        self._windows = _windows(model.config)
        self._plain = type(model).__name__ in _PLAIN
        if self._plain:
            model.set_attn_implementation(ATTENTION)

    def step(self, kv: KVBatch, ids: Tensor, counts: Tensor | None = None) -> Tensor:
        """Run the next tokens of every row and add them to `kv`; returns the last hidden states of `ids`.

        Args:
            ids: [rows, width] token ids, padded on the right with anything.
            counts: [rows] how many of each row's ids are real; None if all are.
        """
        rows, width = ids.shape
        columns = int(kv.lengths.max()) + width
        kv.reserve(columns)
        if width == 1:  # whole rows are contiguous in memory, which is worth more than leaving columns out
            columns = kv.buffer.shape[4]
        positions = kv.lengths[:, None] + torch.arange(width, device=ids.device)
        masks = {window: _mask(positions, columns, window, kv.buffer.dtype) for window in set(self._windows)}
        index = (torch.arange(rows, device=ids.device)[:, None], positions)
        cache = Cache(layers=[_Layer(layer, index, columns) for layer in kv.buffer[:, :, :rows]])
        hidden = self._run(ids, masks, position_ids=positions, past_key_values=cache, use_cache=True)
        kv.lengths = kv.lengths + (width if counts is None else counts)
        return hidden

    def _run(self, ids: Tensor, masks: Mapping[int | None, Tensor], **known: Any) -> Tensor:
        model = self._model
        if not self._plain:
            mask: Any = next(iter(masks.values()))
            if len(masks) > 1:
                mask = {"full_attention": masks[None], "sliding_attention": next(m for w, m in masks.items() if w)}
            return model(input_ids=ids, attention_mask=mask, **known).last_hidden_state  # type: ignore[no-any-return]
        hidden = model.embed_tokens(ids)
        rotary = model.rotary_emb(hidden, known["position_ids"])
        for layer, window in zip(model.layers, self._windows, strict=True):
            hidden = layer(hidden, attention_mask=masks[window], position_embeddings=rotary, **known)
        return model.norm(hidden)  # type: ignore[no-any-return]


def _windows(config: PretrainedConfig) -> list[int | None]:
    """For each layer the positions it attends to, its own included; None if it attends to all before it."""
    window = getattr(config, "sliding_window", None)
    kinds = getattr(config, "layer_types", None)
    kinds = kinds or ["sliding_attention" if window else "full_attention"] * config.num_hidden_layers
    if other := set(kinds) - {"full_attention", "sliding_attention"}:
        raise ModelError(f"{config.model_type}: layers with {min(other)} are not supported by the local back end")
    return [window if kind == "sliding_attention" else None for kind in kinds]


def _mask(positions: Tensor, columns: int, window: int | None, dtype: torch.dtype) -> Tensor:
    """What is added to the attention scores [rows, 1, width, columns]: 0 where a position sees a column, else -inf."""
    column = torch.arange(columns, device=positions.device)
    visible = column <= positions[:, :, None]
    if window is not None:
        visible &= column > positions[:, :, None] - window
    mask = torch.zeros(visible.shape, dtype=dtype, device=positions.device)
    return mask.masked_fill_(~visible, float("-inf"))[:, None]
