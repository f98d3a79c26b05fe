"""A run as its document: what `import` reads again."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from engine.characters import escaped
from engine.search.events import Event
from engine.store.document import comparison_document, document
from engine.store.records import ComparisonRecord, RunRecord


def render(record: RunRecord, events: Sequence[Event]) -> bytes:
    return _written(document(record, events))


def comparison(record: ComparisonRecord, runs: Iterable[tuple[RunRecord, Sequence[Event]]]) -> bytes:
    """A comparison as its document."""
    return _written(comparison_document(record, runs))


def _written(whole: dict[str, Any]) -> bytes:
    return f"{escaped(json.dumps(whole, ensure_ascii=False, allow_nan=False, indent=2))}\n".encode()
