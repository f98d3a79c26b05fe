"""Drawing tokens: one uniform number a row and token, from the row's own seed and nothing else.

The stream of a row is SplitMix64 (Steele, Lea, Flood 2014) of its seed, so it does not matter which batch a row
happens to be in. A token is the inverse of the cumulative distribution at that number.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)

#: Temperatures below this are greedy: the division would overflow.
_GREEDY_BELOW = 1e-5


def uniforms(seeds: NDArray[np.uint64], counters: NDArray[np.uint64]) -> NDArray[np.float32]:
    """Number `counters[i]` of the stream of `seeds[i]`, in [0, 1).

    23 bits, so that a float32 holds it exactly and its product with a total stays below that total.
    """
    with np.errstate(over="ignore"):
        z = seeds + (counters + np.uint64(1)) * _GOLDEN
        z = (z ^ (z >> np.uint64(30))) * _MIX_1
        z = (z ^ (z >> np.uint64(27))) * _MIX_2
        z = z ^ (z >> np.uint64(31))
    return (z >> np.uint64(41)).astype(np.float32) * np.float32(2.0**-23)


def sample(logits: Tensor, temperature: Tensor, top_p: Tensor | None, numbers: Tensor) -> tuple[Tensor, Tensor]:
    """Draw one token a row.

    Args:
        logits: [rows, vocabulary], float32.
        temperature: [rows]; 0 (or next to it) takes the likeliest token.
        top_p: [rows] or None where no row truncates: keep the likeliest tokens up to this mass (Holtzman et al. 2020).
        numbers: [rows] uniform in [0, 1).

    Returns:
        tokens [rows] and their log-probabilities [rows] at temperature 1, untruncated.
    """
    raw = torch.log_softmax(logits, dim=-1)
    greedy = temperature < _GREEDY_BELOW
    scaled = torch.softmax(raw / torch.where(greedy, 1.0, temperature)[:, None], dim=-1)
    if top_p is not None:
        likely, order = scaled.sort(dim=-1, descending=True)
        kept = likely.cumsum(dim=-1) - likely < top_p[:, None]
        scaled = torch.zeros_like(scaled).scatter(-1, order, likely * kept)
    mass = scaled.cumsum(dim=-1)
    drawn = torch.searchsorted(mass, (numbers * mass[:, -1])[:, None], right=True)[:, 0]
    drawn = drawn.clamp(max=logits.shape[-1] - 1)
    tokens = torch.where(greedy, raw.argmax(dim=-1), drawn)
    return tokens, raw.gather(-1, tokens[:, None])[:, 0]
