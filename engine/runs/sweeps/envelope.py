"""The compute-optimal envelope: the best accuracy that any of the measured configurations reaches within a budget.

Chosen and measured on the same problems it flatters itself: the best of many noisy means is above its own truth. Chosen
on one half of the problems and measured on the other, both ways round, it does not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

import numpy as np

from engine.runs.statistics.accuracies import accuracies
from engine.runs.sweeps.curves import Axis, Point
from engine.runs.sweeps.measured import Configuration
from engine.search.interval import Interval


@dataclass(frozen=True, slots=True)
class Best:
    """From this budget on, these are the best: one configuration or, chosen on halves, those of the two halves."""

    budget: float
    accuracy: Interval
    chosen: tuple[Configuration, ...]


def flattering(points: Sequence[Point], axis: Axis) -> list[Best]:
    """The highest mean at each budget, on the problems it was chosen on."""
    best: list[Best] = []
    for point in sorted(points, key=lambda point: (point.costs[axis], -point.accuracy.mean)):
        if not best or point.accuracy.mean > best[-1].accuracy.mean:
            best.append(Best(point.costs[axis], point.accuracy, (point.configuration,)))
    return best


def halved(points: Sequence[Point], axis: Axis) -> list[Best]:
    """At each budget the best on one half of the problems, measured on the other half, and the other way round.

    Only problems that all points have in common count. Ties go to the cheaper configuration.
    """
    shared = sorted(set.intersection(*(set(point.problems) for point in points))) if points else []
    if len(shared) < 2:
        return []
    known = [dict(zip(point.problems, point.right, strict=True)) for point in points]
    right = np.array([[values[name] for name in shared] for values in known])  # [points, problems]
    half = np.array([sha256(name.encode()).digest()[0] % 2 == 0 for name in shared])
    if half.all() or not half.any():
        half = np.arange(len(shared)) % 2 == 0
    costs = np.array([point.costs[axis] for point in points])
    order = np.argsort(costs, kind="stable")
    found: list[tuple[float, tuple[int, ...]]] = []
    for at, budget in enumerate(costs[order]):
        afforded = order[: at + 1]
        chosen = tuple(int(afforded[np.argmax(right[afforded][:, part].mean(axis=1))]) for part in (half, ~half))
        if found and found[-1][0] == budget:
            found.pop()
        if not found or found[-1][1] != chosen:
            found.append((float(budget), chosen))
    values = np.array([np.where(half, right[second], right[first]) for _, (first, second) in found]).T
    return [
        Best(budget, interval, tuple(dict.fromkeys(points[place].configuration for place in chosen)))
        for (budget, chosen), interval in zip(found, accuracies(values), strict=True)
    ]
