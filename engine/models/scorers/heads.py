"""How a score is read from hidden states: a label's probability, two tokens compared, or how likely a text is."""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from engine.errors import ModelError
from engine.models.local.output_layer import output_layer
from engine.models.local.packed import packed_output
from engine.models.prompts.tokens import Tokens

#: For how many positions logits over the whole vocabulary are held at once.
_POSITIONS = 256


class Head(Protocol):
    """Values for hidden states [positions, width]; `targets` [positions] as `Segment.targets`.

    A step's score is the smallest value at its `reads` and, with `running`, at those of the steps before it. It is in
    [0, 1] unless another scorer makes a score of the values.
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


class LabelHead:
    """The probability of label 1, "right"; with `signed` (1 + p1 - p0) / 2, the same again if there are two labels."""

    running = False

    def __init__(self, score: nn.Module, *, signed: bool = False) -> None:
        self._score, self._signed = score, signed

    def __call__(self, hidden: Tensor, targets: Tensor) -> Tensor:
        labels = torch.softmax(self._score(hidden).float(), dim=-1)
        return (1 + labels[:, 1] - labels[:, 0]) / 2 if self._signed else labels[:, 1]


class LogProbabilityHead:
    """The natural logarithm of the probability that the model gives to each target, at temperature 1."""

    running = False

    def __init__(self, model: PreTrainedModel) -> None:
        self._layer = packed_output(model)

    def __call__(self, hidden: Tensor, targets: Tensor) -> Tensor:
        found = []
        for states, wanted in zip(torch.split(hidden, _POSITIONS), torch.split(targets, _POSITIONS), strict=True):
            logits = self._layer(states).float()
            found.append(torch.log_softmax(logits, dim=-1).gather(-1, wanted[:, None])[:, 0])
        return torch.cat(found)


class LikelihoodHead(LogProbabilityHead):
    """That probability itself; a step is as likely as the least likely token so far."""

    running = True

    def __call__(self, hidden: Tensor, targets: Tensor) -> Tensor:
        return super().__call__(hidden, targets).exp()


def verdict_tokens(tokens: Tokens, good: str, bad: str) -> tuple[int, int]:
    """The ids of the two tokens a judge answers with. Raises `ModelError` if one of them is not a single token."""
    ids = tokens.single(good), tokens.single(bad)
    if ids[0] is None or ids[1] is None:
        raise ModelError(f"the tokenizer has no single tokens {good!r} and {bad!r}; this judge cannot answer with them")
    return ids[0], ids[1]


def first_tokens(tokens: Tokens, good: str, bad: str) -> tuple[int, int]:
    """The ids with which two words begin, each for its word. Raises `ModelError` if they begin with the same token."""
    (right, *_), (wrong, *_) = (tokens.fill(word)[0] for word in (good, bad))
    if right == wrong:
        raise ModelError(
            f"to this tokenizer good = {good!r} and bad = {bad!r} begin with the same token, so they cannot be told "
            "apart; name two words that begin differently"
        )
    return right, wrong
