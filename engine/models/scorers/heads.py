"""How a score is read from hidden states: two tokens compared, or the probability of what was written."""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor
from transformers import PreTrainedModel

from engine.errors import ModelError
from engine.models.local.output_layer import output_layer
from engine.models.prompts.tokens import Tokens

#: For how many positions logits over the whole vocabulary are held at once.
_POSITIONS = 256


class Head(Protocol):
    """Values in [0, 1] for hidden states [positions, width]; `targets` [positions] as `Segment.targets`.

    A step's score is the smallest value at its `reads` and, with `running`, at those of the steps before it.
    """

    running: bool

    def __call__(self, hidden: Tensor, targets: Tensor) -> Tensor: ...


class TwoTokenHead:
    """P(good) of a causal language model that says good or bad: softmax over these two tokens' logits."""

    running = False

    def __init__(self, model: PreTrainedModel, good: int, bad: int) -> None:
        layer = output_layer(model)
        self._weight = (layer.weight[good].float() - layer.weight[bad].float()).detach()
        self._bias = 0.0 if layer.bias is None else float(layer.bias[good] - layer.bias[bad])

    def __call__(self, hidden: Tensor, targets: Tensor) -> Tensor:
        return torch.sigmoid(hidden.float() @ self._weight + self._bias)


class LikelihoodHead:
    """The probability the model gives to each target, at temperature 1."""

    running = True

    def __init__(self, model: PreTrainedModel) -> None:
        self._layer = output_layer(model)

    def __call__(self, hidden: Tensor, targets: Tensor) -> Tensor:
        found = []
        for states, wanted in zip(torch.split(hidden, _POSITIONS), torch.split(targets, _POSITIONS), strict=True):
            logits = self._layer(states).float()
            found.append(torch.log_softmax(logits, dim=-1).gather(-1, wanted[:, None])[:, 0].exp())
        return torch.cat(found)


def verdict_tokens(tokens: Tokens, good: str, bad: str) -> tuple[int, int]:
    """The ids of the two tokens a judge answers with. Raises `ModelError` if one of them is not a single token."""
    ids = tokens.single(good), tokens.single(bad)
    if ids[0] is None or ids[1] is None:
        raise ModelError(f"the tokenizer has no single tokens {good!r} and {bad!r}; this judge cannot answer with them")
    return ids[0], ids[1]
