"""How sure a policy is of a token, from the log-probabilities of all tokens (what it means: `engine.search.readings`).

While tokens are drawn only two sums are taken for each; a step's numbers follow from theirs when it ends. The sum over
the vocabulary is one pass over numbers that are there anyway. The k largest are found in blocks: they lie in the k
blocks whose largest number is largest, so that only these are sorted.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from engine.search.readings import TOP_K

#: Tokens of a block. Vocabularies of fewer than `_SMALL` tokens are sorted as they are, which takes less time.
_BLOCK, _SMALL = 64, 8192


def sums(logprobs: Tensor, known: int) -> tuple[Tensor, Tensor]:
    """Of each row of `logprobs` [rows, vocabulary] the sum of the k largest and the sum of all, [rows, 1] each.

    `known` is how many tokens of the vocabulary exist; the others have minus infinity and do not count.
    """
    existing = logprobs if known == logprobs.shape[-1] else logprobs.nan_to_num(neginf=0.0)
    return largest(logprobs, min(TOP_K, known)).sum(dim=-1, keepdim=True), existing.sum(dim=-1, keepdim=True)


def sureness(likeliest: float, whole: float, known: int) -> tuple[float | None, float | None]:
    """Confidence and certainty in nats from the mean over some tokens of both sums; None where one is not finite."""
    confidence, certainty = -likeliest / min(TOP_K, known), -whole / known - math.log(known)
    return confidence if math.isfinite(confidence) else None, certainty if math.isfinite(certainty) else None


def largest(numbers: Tensor, k: int) -> Tensor:
    """The `k` largest of each row of `numbers` [rows, many], in any order."""
    many = numbers.shape[-1]
    if many < max(_SMALL, k * _BLOCK):
        return numbers.topk(k, dim=-1, sorted=False).values
    whole = many // _BLOCK * _BLOCK
    blocks = numbers[:, :whole].unflatten(1, (-1, _BLOCK))
    best = blocks.amax(dim=-1).topk(k, dim=-1, sorted=False).indices
    found = blocks.gather(1, best[:, :, None].expand(-1, -1, _BLOCK)).flatten(1)
    return torch.cat([found, numbers[:, whole:]], dim=1).topk(k, dim=-1, sorted=False).values
