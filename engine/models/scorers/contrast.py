"""Contrast: how much likelier a larger model finds what was written than a smaller one, in chunks of fixed length.

No training: log p_large - log p_small, as in arXiv 2606.01682. There chunks of one length are compared, since averages
over steps of different length favour some lengths. Here a step is read as whole chunks of `chunk` tokens of the larger
model, laid from the step's last token backwards until it is covered; the first of them reaches into the steps before,
so a short step is judged by as many tokens as a chunk has. (Where the solution begins there is nothing to reach into:
what is missing counts as neutral.) The step's score is sigmoid(d), with d the mean of log p_large - log p_small over
these tokens, in nats per token: 0.5 where both models find the text equally likely, rising with d, always in 0..1.

The two models need not have the same tokenizer. Each reads the text in its own tokens and its own chat template. Within
a step, where both see the same characters, a token has the characters from its first to the next token's first, the
smaller model's log-probabilities are spread evenly over the characters of each of its tokens, and each token of the
larger model is set against the sum over its own characters. Tokens that begin at the same character (those of the blank
line before a step, or of one character's bytes) are taken together, as one that is as long as they all. So nothing is
counted twice or left out: over a whole solution the differences add up to that of the two models' log-probabilities.

What the tokens of a step say depends on nothing that comes later, and both models keep prefixes. `scored_tokens` are
the positions of both models together, FLOPs are 2 x parameters x positions of each, added.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Hashable, Sequence
from itertools import groupby
from operator import itemgetter

import numpy as np

from engine.models.scorers.formats import fingerprint, refuse_empty
from engine.models.scorers.local import LocalScorer
from engine.search.cost import ScorerCost
from engine.search.events import ModelInfo
from engine.search.tree import Node


class ContrastScorer:
    """Two models in this process; the values of their heads are the log-probabilities of what was written."""

    def __init__(self, name: str, larger: LocalScorer, smaller: LocalScorer, chunk: int) -> None:
        self.larger, self.smaller, self.chunk = larger, smaller, chunk
        both = larger.info, smaller.info
        self.info = ModelInfo(
            name=name,
            parameters=sum(each.parameters for each in both),
            context_window=min(each.context_window for each in both),
            digest=fingerprint(*(each.digest for each in both)),
            dtype=larger.info.dtype,
            device=larger.info.device,
            template=fingerprint("contrast", str(chunk), *(each.template for each in both)),
        )

    def prompt_tokens(self, problem: str) -> int:
        return self.larger.prompt_tokens(problem) + self.smaller.prompt_tokens(problem)

    def positions_about(self, steps: Sequence[int]) -> int:
        """Both models read every step."""
        return 2 * sum(steps)

    def session(self, problem: str) -> ContrastSession:
        return ContrastSession(self, problem)

    def close(self) -> None:
        self.larger.close()
        self.smaller.close()


class ContrastSession:
    """One run's sessions of both models, and for each step the differences at the larger model's tokens, in nats."""

    def __init__(self, scorer: ContrastScorer, problem: str) -> None:
        self._scorer = scorer
        self.larger, self.smaller = scorer.larger.session(problem), scorer.smaller.session(problem)
        self.differences: dict[Hashable, list[float]] = {}

    async def score(self, paths: Sequence[Sequence[Node]], cost: ScorerCost) -> list[float | None]:
        """As `ScorerSession.score`. A path must fit the windows of both models."""
        if not paths:
            return []
        refuse_empty(paths)
        cost.calls += 1
        large, small = bills = ScorerCost(), ScorerCost()
        try:
            read = await asyncio.gather(self.larger.score(paths, large), self.smaller.score(paths, small))
        finally:
            cost.scored_tokens += sum(each.scored_tokens for each in bills)
            cost.scored_tokens_reused += sum(each.scored_tokens_reused for each in bills)
            for scorer, bill in ((self._scorer.larger, large), (self._scorer.smaller, small)):
                cost.flops += 2.0 * scorer.info.parameters * bill.scored_tokens
        return [None if None in both else self._score(path) for path, *both in zip(paths, *read, strict=True)]

    def _score(self, path: Sequence[Node]) -> float:
        for index, node in enumerate(path):
            if node.id not in self.differences:
                self.differences[node.id] = self._differences(node, path[index - 1] if index else None)
        nats = contrast([self.differences[node.id] for node in path], self._scorer.chunk)
        return (1 + math.tanh(nats / 2)) / 2  # the sigmoid, which does not overflow

    def _differences(self, node: Node, before: Node | None) -> list[float]:
        said = node.text, before.text if before else None
        ours, theirs = (each.format.segment(*said) for each in (self._scorer.larger, self._scorer.smaller))
        values = self.smaller.values[node.id]
        expected = redistributed(theirs.starts, values, ours.starts, len(node.text.strip()))
        return [found - other for found, other in zip(self.larger.values[node.id], expected, strict=True)]

    def positions(self, path: Sequence[Node], scored: int) -> tuple[int, int]:
        both = [session.positions(path, scored) for session in (self.larger, self.smaller)]
        return sum(computed for computed, _ in both), sum(reused for _, reused in both)

    def close(self) -> None:
        self.larger.close()
        self.smaller.close()


def contrast(steps: Sequence[Sequence[float]], chunk: int) -> float:
    """The mean difference over the whole chunks that cover the last step, in nats per token; `steps` are a path's."""
    positions = math.ceil(len(steps[-1]) / chunk) * chunk
    read: list[float] = []
    for step in reversed(steps):
        read += step[::-1]
        if len(read) >= positions:
            break
    return sum(read[:positions]) / positions


def redistributed(starts: Sequence[int], values: Sequence[float], others: Sequence[int], length: int) -> list[float]:
    """`values` of tokens that begin at the characters `starts` of a text, summed over the characters of other tokens,
    which begin at `others`. The first tokens of both are taken to begin with the text.
    """
    edges, sums = _groups(starts, values, length)
    their_edges, counts = _groups(others, [1.0] * len(others), length)
    parts = np.diff(np.interp(their_edges, edges, np.cumsum([0.0, *sums])))
    return [float(part / count) for part, count in zip(parts, counts, strict=True) for _ in range(int(count))]


def _groups(starts: Sequence[int], values: Sequence[float], length: int) -> tuple[list[int], list[float]]:
    """Tokens that begin at the same character, as one: the edges between the groups, and the sum of each."""
    placed = zip([0 if start == starts[0] else start for start in starts], values, strict=True)
    groups = [(start, sum(value for _, value in group)) for start, group in groupby(placed, key=itemgetter(0))]
    return [*(start for start, _ in groups), length], [total for _, total in groups]
