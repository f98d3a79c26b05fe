"""A comparison as it is recorded: runs asked side by side, and what they really cost together."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row

from engine.search.events import Usage
from engine.store.rows import USAGE, usage_values
from engine.store.statements import Values


@dataclass(frozen=True, slots=True)
class ComparisonRecord:
    """One row of `comparisons`.

    `paired`: the runs share their samples (each is charged as if it were alone). `shared` is what was really spent for
    all of them; `budget` the generated tokens that each might spend, None where there was no limit or not one for all.
    """

    id: str
    created_at: str
    paired: bool
    budget: int | None
    shared: Usage
    run_ids: tuple[str, ...]


def comparison_values(record: ComparisonRecord) -> Values:
    return {
        "id": record.id,
        "created_at": record.created_at,
        "paired": record.paired,
        "budget": record.budget,
        "run_ids": json.dumps(record.run_ids),
        **usage_values(record.shared),
    }


def comparison_record(row: Row[Any]) -> ComparisonRecord:
    """A full row of `comparisons`, typed."""
    shared = Usage(**{name: getattr(row, name) for name in USAGE})
    return ComparisonRecord(row.id, row.created_at, row.paired, row.budget, shared, tuple(row.run_ids))
