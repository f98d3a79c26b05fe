"""Drawing tokens: one uniform number per row per token, from the row's own seed and nothing else.

The stream of a row is SplitMix64 (Steele, Lea, Flood 2014) of its seed, so it does not matter which batch a row
happens to be in. A token is the inverse of the cumulative distribution at that number.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from engine.models.local.sureness import sums

#: Of a token: its log-probability at temperature 1, untruncated, and the two sums over others (`sureness.sums`).
Sure = list[float]

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)

#: Temperatures below this are greedy: the division would overflow.
_GREEDY_BELOW = 1e-5

#: For how many draws random numbers are made at once.
_AHEAD = 16


def uniforms(seeds: NDArray[np.uint64], counters: NDArray[np.uint64]) -> NDArray[np.float32]:
    """Number `counters[i]` of the stream of `seeds[i]`, in [0, 1).

    23 bits, so a float32 holds it exactly and its product with a total stays below that total.
    """
    with np.errstate(over="ignore"):
        z = seeds + (counters + np.uint64(1)) * _GOLDEN
        z = (z ^ (z >> np.uint64(30))) * _MIX_1
        z = (z ^ (z >> np.uint64(27))) * _MIX_2
        z = z ^ (z >> np.uint64(31))
    numbers: NDArray[np.float32] = (z >> np.uint64(41)).astype(np.float32) * np.float32(2.0**-23)
    return numbers


class Dice:
    """How the rows of one batch draw: their seeds, their settings, and how often each has drawn.

    Built when rows join or leave, not for every token. `temperature` next to 0 takes the likeliest token; `top_p` below
    1 keeps the likeliest tokens up to that mass (Holtzman et al. 2020).
    """

    def __init__(
        self, seeds: Sequence[int], drawn: Sequence[int], temperature: Sequence[float], top_p: Sequence[float],
        device: torch.device,
    ) -> None:  # fmt: skip
        self._seeds, self._drawn = np.array(seeds, dtype=np.uint64), np.array(drawn, dtype=np.uint64)
        self._turn = 0
        self._numbers = torch.empty(0, device=device)
        greedy = [value < _GREEDY_BELOW for value in temperature]
        divisors = [1.0 if cold else value for value, cold in zip(temperature, greedy, strict=True)]
        self._temperature = torch.tensor(divisors, device=device)[:, None]
        self._greedy = torch.tensor(greedy, device=device) if any(greedy) else None
        self._top_p = torch.tensor(top_p, device=device)[:, None] if min(top_p, default=1.0) < 1 else None

    def draw(self, logits: Tensor, known: int) -> tuple[list[int], list[Sure]]:
        """One token per row from `logits` [rows, vocabulary], of which `known` exist, and what is read of it."""
        numbers = self._next_numbers()
        scaled = torch.softmax(logits / self._temperature, dim=-1)
        if self._top_p is not None:
            likely, order = scaled.sort(dim=-1, descending=True)
            kept = likely.cumsum(dim=-1) - likely < self._top_p
            scaled = torch.zeros_like(scaled).scatter(-1, order, likely * kept)
        mass = scaled.cumsum(dim=-1)
        tokens = torch.searchsorted(mass, numbers * mass[:, -1:], right=True)
        tokens = tokens.clamp_(max=logits.shape[-1] - 1)  # past the end only if the model computes NaNs
        if self._greedy is not None:
            tokens = torch.where(self._greedy[:, None], logits.argmax(dim=-1, keepdim=True), tokens)
        logprobs = torch.log_softmax(logits, dim=-1)
        sure = torch.cat([logprobs.gather(-1, tokens), *sums(logprobs, known)], dim=1)
        return tokens[:, 0].tolist(), sure.tolist()

    def _next_numbers(self) -> Tensor:
        """The next number of every row, [rows, 1]; computed for several draws at a time."""
        turn = self._turn % _AHEAD
        if turn == 0:
            ahead = self._drawn + np.uint64(self._turn) + np.arange(_AHEAD, dtype=np.uint64)[:, None]
            self._numbers = torch.from_numpy(uniforms(self._seeds, ahead)).to(self._temperature.device)
        self._turn += 1
        return self._numbers[turn][:, None]
