"""What the two training loops share: optimizers, the learning-rate curve, batches of similar length, checkpoints.

Everything is counted in tokens, never in seconds, so a run can be repeated on another machine. Nothing here knows what
a policy or a PRM is.
"""

from __future__ import annotations

import math
import os
import random
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import torch
from torch import distributed, nn

T = TypeVar("T")
Row = tuple[list[int], list[int]]
"""Token ids and, for each of them, a label."""
NO_LABEL = -100


def device() -> torch.device:
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def autocast() -> torch.autocast:
    return torch.autocast(device().type, torch.bfloat16)


FUSE_FROM = 4_000_000
"""Runs of at least this many tokens are worth compiling, which takes a minute or so."""


def fuse(module: nn.Module, tokens: int) -> None:
    """Compile the forward pass for a run of this many tokens: a fifth to a quarter less time per token on a CPU."""
    if tokens >= FUSE_FROM and any(map(shutil.which, ("g++", "clang++"))):
        module.compile(dynamic=True)


def in_team() -> bool:
    """Whether several processes train this model together, each on its part of every batch."""
    return distributed.is_available() and distributed.is_initialized()


def leads() -> bool:
    """Whether this process reports and saves for its team."""
    return not in_team() or distributed.get_rank() == 0


def part_of(batch: list[T]) -> list[T]:
    """This process's part of a batch; every member has one, so all make the same number of updates."""
    if not in_team():
        return batch
    return batch[distributed.get_rank() :: distributed.get_world_size()] or batch[:1]


def put_together(found: dict[str, T]) -> dict[str, T]:
    """What all members of the team found."""
    if not in_team():
        return found
    parts: list[dict[str, T]] = [{}] * distributed.get_world_size()
    distributed.all_gather_object(parts, found)
    return {name: value for part in parts for name, value in part.items()}


def average_gradients(parameters: Sequence[nn.Parameter]) -> None:
    """The mean of the team's gradients, each the mean over its own part of the batch."""
    gradients = [p.grad for p in parameters if p.grad is not None]
    flat = torch.cat([gradient.flatten() for gradient in gradients])
    distributed.all_reduce(flat)
    flat /= distributed.get_world_size()
    sizes = [gradient.numel() for gradient in gradients]
    for gradient, mean in zip(gradients, torch.split(flat, sizes), strict=True):
        gradient.copy_(mean.view_as(gradient))


class Optimizers:
    """Muon for the matrices inside the layers, AdamW for everything else, one learning rate for both."""

    def __init__(self, named: Iterable[tuple[str, nn.Parameter]], learning_rate: float) -> None:
        parameters = [(name, p) for name, p in named if p.requires_grad]
        inner = [p for name, p in parameters if ".layers." in name and p.ndim == 2]
        outer = [p for name, p in parameters if not (".layers." in name and p.ndim == 2)]
        self.parameters = inner + outer
        self.learning_rate = learning_rate
        self.both: list[torch.optim.Optimizer] = [
            torch.optim.Muon(inner, lr=learning_rate, weight_decay=0.05, adjust_lr_fn="match_rms_adamw"),
            torch.optim.AdamW(outer, lr=learning_rate, betas=(0.9, 0.95), weight_decay=0.0),
        ]

    def step(self, share: float) -> None:
        """One update at this share of the full learning rate."""
        if in_team():
            average_gradients(self.parameters)
        nn.utils.clip_grad_norm_(self.parameters, 1.0)
        for optimizer in self.both:
            for group in optimizer.param_groups:
                group["lr"] = self.learning_rate * share
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)

    def state(self) -> list[dict[str, Any]]:
        return [optimizer.state_dict() for optimizer in self.both]

    def restore(self, states: Sequence[dict[str, Any]]) -> None:
        for optimizer, state in zip(self.both, states, strict=True):
            optimizer.load_state_dict(state)


def curve(seen: int, cycles: Sequence[int], warm_up: float = 0.02, shrink: float = 0.6) -> float:
    """Share of the full learning rate after `seen` tokens.

    Each cycle (given in tokens) is a short rise and a cosine down to 2 %; each starts lower than the one before.
    """
    for number, tokens in enumerate(cycles):
        if seen < tokens or number == len(cycles) - 1:
            done = min(1.0, seen / tokens)
            cosine = 0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * max(0.0, done - warm_up) / (1 - warm_up)))
            return shrink**number * (max(done / warm_up, 0.05) if done < warm_up else cosine)
        seen -= tokens
    raise ValueError("a run needs at least one cycle")


def batches(rows: Sequence[Row], tokens: int, seed: int) -> list[list[int]]:
    """Indices of rows in batches of similar length with at most `tokens` padded tokens each, in random order."""
    rng = random.Random(seed)
    order = sorted(range(len(rows)), key=lambda i: len(rows[i][0]) + 8 * rng.random())
    packed: list[list[int]] = [[]]
    longest = 0
    for i in order:
        longest = max(longest, len(rows[i][0]))
        if packed[-1] and longest * (len(packed[-1]) + 1) > tokens:
            packed.append([])
            longest = len(rows[i][0])
        packed[-1].append(i)
    rng.shuffle(packed)
    return packed


def pad(rows: Sequence[Sequence[int]], filler: int) -> torch.Tensor:
    """Right-padded; a causal model never looks at what follows, so no mask is needed."""
    longest = max(len(row) for row in rows)
    return torch.tensor([[*row, *[filler] * (longest - len(row))] for row in rows], device=device())


def save_state(path: Path, state: dict[str, Any]) -> None:
    """Write the whole file or nothing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    torch.save(state, partial)
    os.replace(partial, path)
