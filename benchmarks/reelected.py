"""Recorded runs read again under other rules: was the answer right?"""

from __future__ import annotations

from collections.abc import Iterable

from engine.search.selection import choose
from engine.store import RunRecord, Store


def right_by_rule(store: Store, records: Iterable[RunRecord], rules: Iterable[str]) -> dict[str, list[float]]:
    """1.0 or 0.0 for each run, in order, under each of `rules`."""
    right: dict[str, list[float]] = {rule: [] for rule in rules}
    for record in records:
        tree = store.tree(record.id)
        for rule, found in right.items():
            winner = choose(record.answers(tree, rule))
            found.append(float(bool(winner and winner.correct)))
    return right
