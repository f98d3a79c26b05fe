"""Attention of the next token of every row over a `KVBatch`, in two matrix products.

The library's kernel is made for long queries: for one query per row it takes twice the time on a CPU, and if query
heads share a key head it first copies the whole cache once for each of them.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import ALL_MASK_ATTENTION_FUNCTIONS, sdpa_mask
from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS

NAME = "ragged_decode"


def attention(
    module: nn.Module, query: Tensor, key: Tensor, value: Tensor, attention_mask: Tensor | None, scaling: float,
    **known: Any,
) -> tuple[Tensor, None]:  # fmt: skip
    """Softmax attention; more than one position per row, and masks made by the library, are left to the library.

    Args:
        query: [rows, heads, width, head_dim].
        key, value: [rows, key heads, columns, head_dim]; each serves `heads // key heads` query heads in order. The
            products are fastest where the rows follow each other in memory, unused columns included.
        attention_mask: [rows, 1, width, columns], floats that are added to the scores.
        scaling: what the scores are multiplied by.

    Returns [rows, width, heads, head_dim], and no weights.
    """
    rows, heads, width, head_dim = query.shape
    if width > 1 or attention_mask is None or not attention_mask.is_floating_point():
        return sdpa_attention_forward(module, query, key, value, attention_mask, scaling=scaling, **known)
    key_heads, columns = key.shape[1:3]
    queries = (query * scaling).view(rows * key_heads, heads // key_heads, head_dim)
    scores = torch.bmm(queries, key.flatten(0, 1).transpose(1, 2)).view(rows, key_heads, -1, columns)
    weights = (scores + attention_mask).softmax(-1, dtype=torch.float32).to(value.dtype)
    mixed = torch.bmm(weights.view(rows * key_heads, -1, columns), value.flatten(0, 1))
    return mixed.view(rows, 1, heads, head_dim), None


ALL_ATTENTION_FUNCTIONS.register(NAME, attention)
ALL_MASK_ATTENTION_FUNCTIONS.register(NAME, sdpa_mask)  # the model can still be called on its own
