"""The ways in which a judge may score the steps of a path from what was read; all from the same reading."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

from benchmarks.contrast.reading import Read, Step
from engine.models.scorers.contrast import contrast
from engine.search.tree import Tree

#: The score of the last step of a path.
Score = Callable[[Sequence[Step]], float]

CHUNKS = (8, 16, 32, 64)


def _sigmoid(nats: float) -> float:
    return (1 + math.tanh(nats / 2)) / 2


def _contrast(chunk: int) -> Score:
    return lambda path: _sigmoid(contrast([step.differences for step in path], chunk))


def _worst_chunk(path: Sequence[Step]) -> float:
    """Of the chunks of 16 that cover the step the lowest, instead of their mean."""
    read = [value for step in path for value in step.differences][::-1]
    chunks = range(0, len(path[-1].differences), 16)
    return _sigmoid(min(sum(read[place : place + 16]) / 16 for place in chunks))


def _mean(path: Sequence[Step]) -> float:
    """One chunk as long as the step."""
    return _sigmoid(sum(path[-1].differences) / len(path[-1].differences))


def _likelihood(path: Sequence[Step]) -> float:
    """The larger model alone, as the likelihood judge: its least sure token so far."""
    return math.exp(min(min(step.larger) for step in path))


def _chunk_likelihood(path: Sequence[Step]) -> float:
    """The larger model alone over the same chunks of 16: the geometric mean of a token's probability."""
    return math.exp(contrast([step.larger for step in path], 16))


SCORES: Mapping[str, Score] = {
    **{f"contrast, chunks of {chunk}": _contrast(chunk) for chunk in CHUNKS},
    "contrast, the worst chunk of 16": _worst_chunk,
    "contrast, whole steps": _mean,
    "likelihood over chunks of 16": _chunk_likelihood,
    "likelihood": _likelihood,
}


def score(tree: Tree, read: Read) -> None:
    """Note each of `SCORES` at every step of the tree that was read."""
    for node in tree.nodes[1:]:
        if node.id in read.steps:
            steps = [read.steps[each.id] for each in tree.path(node)]
            node.scores |= {name: of(steps) for name, of in SCORES.items()}
