"""Causal softmax attention in three matrix operations, for training on CPU.

The library's fused kernel has a slow backward pass on CPU and its plain version makes fp32 copies; this one scales and
masks inside the first product and stays in bf16. It assumes right-padded rows without a padding mask.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS

NAME = "builtin_lean"


def _later_positions(length: int, dtype: torch.dtype, device: torch.device) -> torch.Tensor:
    mask = torch.full((length, length), float("-inf"), dtype=dtype, device=device)
    return mask.triu(1)


def lean_attention(
    module: nn.Module, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor,
    attention_mask: torch.Tensor | None, scaling: float, dropout: float = 0.0, **unused: Any,
) -> tuple[torch.Tensor, None]:  # fmt: skip
    """Tensors are (batch, heads, length, width); there are as many key heads as query heads."""
    batch, heads, length, width = query.shape
    q, k, v = (t.to(value.dtype).reshape(batch * heads, length, width) for t in (query, key, value))
    mask = _later_positions(length, value.dtype, value.device)
    weights = torch.baddbmm(mask, q, k.transpose(1, 2), alpha=scaling).softmax(-1, dtype=value.dtype)
    mixed = torch.bmm(weights, v).view(batch, heads, length, width)
    return mixed.transpose(1, 2).contiguous(), None


ALL_ATTENTION_FUNCTIONS.register(NAME, lean_attention)
