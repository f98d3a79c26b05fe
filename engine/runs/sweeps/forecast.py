"""What runs will cost, from recorded runs of the same models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row

from engine.models.catalogue.catalogue import Catalogue
from engine.runs.sweeps.cells import Cell
from engine.store import Store


@dataclass(frozen=True, slots=True)
class Cost:
    """What runs are expected to cost, as they are charged; None where no recorded run says."""

    generated_tokens: float | None = None
    scored_tokens: float | None = None
    flops: float | None = None
    seconds: float | None = None


def forecast(store: Store, catalogue: Catalogue, left: Mapping[Cell, int]) -> Cost:
    """The cost of so many more runs under each cell; nothing is known where one has no recorded run to go by.

    Runs cost what recorded ones with the same policy, judge, strategy and N did, or those with the nearest N in
    proportion. The time follows from the FLOPs a second of earlier sweeps on this machine.
    """
    recorded = store.mean_costs()
    generated = scored = flops = 0.0
    for cell, runs in left.items():
        alike = _alike(recorded, catalogue, cell)
        if alike is None:
            return Cost()
        times = runs * cell.params.n / (alike.n or cell.params.n)
        generated += times * float(alike.generated_tokens)
        scored += times * float(alike.scored_tokens)
        flops += times * float(alike.flops_all)
    pace = store.pace()
    return Cost(generated, scored, flops or None, flops / pace if pace and flops else None)


def _alike(rows: Sequence[Row[Any]], catalogue: Catalogue, cell: Cell) -> Row[Any] | None:
    """The recorded runs to go by, all with one N, as a row of means."""
    judge = catalogue.scorer(cell.models, cell.scorer) if cell.params.method.scored else None
    asked = (catalogue.entry(cell.models).policy.label, judge.label if judge else None, cell.params.strategy)
    found = [row for row in rows if (row.policy, row.scorer, row.strategy) == asked]
    return min(found, key=lambda row: abs((row.n or cell.params.n) - cell.params.n), default=None)
