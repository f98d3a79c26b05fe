"""Draws and the nodes they lead to: what makes two draws one node, where their randomness comes from, and steps that a
tree begins with instead of drawing them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from engine.search.events import Finish, NodeOrigin
from engine.search.policy import Step
from engine.search.tree import Node

#: Node = (run, parent, token ids); a draw that the budget cut short is a different node from one that ended there.
Identity = tuple[int, tuple[int, ...] | str, Finish]


@dataclass(frozen=True, slots=True)
class Planted:
    """A step that a tree begins with, and who wrote it first."""

    step: Step
    origin: NodeOrigin


def draw_seed(run_seed: int, path: Sequence[Node], index: int) -> int:
    """64 bits from the run's seed, the path to the parent and the draw's index below it, and from nothing else."""
    digest = hashlib.blake2b(f"{run_seed}:{index}".encode(), digest_size=8)
    for node in path:
        digest.update(repr(node.token_ids or node.text).encode())
    return int.from_bytes(digest.digest(), "little")


def chance(run_seed: int, index: int) -> float:
    """A number in [0, 1) from the run's seed and `index` alone: for what a strategy itself leaves to chance."""
    digest = hashlib.blake2b(f"{run_seed}:chance:{index}".encode(), digest_size=8).digest()
    return (int.from_bytes(digest, "little") >> 11) / 2**53
