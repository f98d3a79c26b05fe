"""What a policy's own numbers say of a completion, and the votes that follow from them: no model is asked.

Two floats are recorded with every step (`StepSampled.confidence` and `certainty`, nats a token), and its tokens:

- `confidence` (DeepConf, arXiv 2508.15260): of a token the mean of -log p over the k likeliest tokens, C = -(1/k) sum_j
  log p_j with k = 20. It is large where the policy puts all on one token, so larger means surer. A completion's is the
  mean over its tokens; the tail's is that of its last 2,048; the bottom's is the mean of its lowest tenth of windows.
- `certainty` (Self-Certainty, arXiv 2502.18581): KL(uniform || p) = -(1/V) sum_j log(V p_j), the mean over the tokens.
- its length in tokens: draws are taken side by side, a token each at a time, so the shortest finish first
  (arXiv 2512.02008).

Windows are whole steps here, since that is what is recorded: the tail is the last steps that hold 2,048 tokens, and a
completion's lowest windows are its lowest steps. A step that a fork took over without its numbers (a person wrote it,
or another policy) is left out; any other step without them makes the completion one that cannot be read.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

from engine.search.tree import Node

#: DeepConf: the likeliest tokens whose log-probabilities make a token's confidence, and the tokens of a tail.
TOP_K, TAIL_TOKENS = 20, 2048
#: DeepConf: the share of windows, the lowest, whose mean stands for the completion.
BOTTOM_SHARE = 0.1
#: Self-Certainty: the power p of Borda votes (N - rank + 1)^p.
BORDA_POWER = 0.5
#: k of the k that finish first, or last, as a share of N: the study tries every k; a quarter is ours.
FINISHERS_SHARE = 0.25

#: The steps of a completion and one value for it, None where it cannot be known.
Reading = Callable[[Sequence[Node]], float | None]


def _own(path: Sequence[Node]) -> list[Node]:
    """The steps but for those that a fork took over without their numbers."""
    return [node for node in path if node.confidence is not None or not _planted(node)]


def _planted(node: Node) -> bool:
    return any(decision.reason == "planted" for decision in node.decisions)


def _mean(steps: Sequence[Node], values: Sequence[float | None]) -> float | None:
    """The mean over all tokens of `steps`, from the means over those of each."""
    known = [(value, step.tokens) for step, value in zip(steps, values, strict=True) if value is not None]
    tokens = sum(count for _, count in known)
    return sum(value * count for value, count in known) / tokens if tokens and len(known) == len(steps) else None


def confidence(path: Sequence[Node]) -> float | None:
    steps = _own(path)
    return _mean(steps, [step.confidence for step in steps])


def tail_confidence(path: Sequence[Node]) -> float | None:
    """Over the last steps that hold `TAIL_TOKENS` tokens, whole ones: all of a completion that is shorter."""
    steps, tail, tokens = _own(path), list[Node](), 0
    for step in reversed(steps):
        if tokens >= TAIL_TOKENS:
            break
        tail.append(step)
        tokens += step.tokens
    return _mean(tail, [step.confidence for step in tail])


def bottom_confidence(path: Sequence[Node]) -> float | None:
    """The mean of the lowest tenth of the steps, one at least; a bare EOS is no step."""
    steps = _own(path)
    known = [step.confidence for step in steps if step.text.strip()] or [step.confidence for step in steps]
    values = sorted(value for value in known if value is not None)
    lowest = values[: math.ceil(BOTTOM_SHARE * len(values))]
    return sum(lowest) / len(lowest) if lowest and len(values) == len(known) else None


def certainty(path: Sequence[Node]) -> float | None:
    steps = _own(path)
    return _mean(steps, [step.certainty for step in steps])


def length(path: Sequence[Node]) -> float | None:
    """Its tokens; None where a step's were not counted (an imported run)."""
    return float(sum(node.tokens for node in path)) if path and all(node.tokens for node in path) else None


READINGS: Mapping[str, Reading] = {
    "confidence": confidence,
    "tail_confidence": tail_confidence,
    "bottom_confidence": bottom_confidence,
    "certainty": certainty,
    "length": length,
}


def borda(values: Sequence[float | None], draws: Sequence[int]) -> list[float]:
    """What the draws of each completion weigh together: (N - rank + 1)^p each, rank 1 for the largest of the `values`.

    N are the draws that have a value. Draws of one value share what their ranks give, so the order in which they came
    plays no part.
    """
    places = sum(count for value, count in zip(values, draws, strict=True) if value is not None)
    return _shared(values, draws, [(places - place) ** BORDA_POWER for place in range(places)], largest_first=True)


def finishers(values: Sequence[float | None], draws: Sequence[int], *, first: bool) -> list[float]:
    """How many of the draws of each completion are among the k shortest (or longest), k a share of all, one at least.

    Draws as long as the last one that comes in share the places that are left.
    """
    places = sum(count for value, count in zip(values, draws, strict=True) if value is not None)
    k = max(1, round(FINISHERS_SHARE * places))
    return _shared(values, draws, [float(place < k) for place in range(places)], largest_first=not first)


def _shared(
    values: Sequence[float | None], draws: Sequence[int], by_place: Sequence[float], *, largest_first: bool
) -> list[float]:
    """What each completion's draws get of the weights `by_place`, when all draws stand in a row by their value; equal
    ones share. Those without a value get nothing."""
    weights, place = [0.0] * len(values), 0
    for value in sorted({value for value in values if value is not None}, reverse=largest_first):
        equal = [index for index, other in enumerate(values) if other == value]
        count = sum(draws[index] for index in equal)
        each = sum(by_place[place : place + count]) / count
        for index in equal:
            weights[index] = each * draws[index]
        place += count
    return weights
