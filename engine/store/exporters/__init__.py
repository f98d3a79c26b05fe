"""A run as a file for other programs and other people: one module a format, each with a `render`.

They are built from lists of what is told (fields of the run document, columns, labels): nothing that says where a run
was made gets into a file. A new format is a module here and a line in `FORMATS`, and what the pages
say of it, `share.format_NAME`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib import import_module

from engine.errors import InvalidInput
from engine.search.events import Event
from engine.store.records import RunRecord


@dataclass(frozen=True, slots=True)
class Format:
    """`module` is where its `render` is; imported when it is used, as some bring a library along."""

    media_type: str
    module: str
    says: str


FORMATS: dict[str, Format] = {
    "json": Format("application/json", "run_json", "the whole run, for programs"),
    "csv": Format("text/csv; charset=utf-8", "steps_csv", "a table, one row a step"),
    "graphml": Format("application/graphml+xml", "graphml", "the tree, for graph programs"),
    "svg": Format("image/svg+xml", "tree_svg", "a drawing of the tree, sharp at any size"),
    "png": Format("image/png", "tree_png", "a picture of the tree"),
}

#: Files of step labels, of one run or of many.
LABELS: dict[str, Format] = {
    "prm800k": Format("application/x-ndjson", "prm800k", "the labels, step by step with the alternatives"),
    "processbench": Format("application/x-ndjson", "processbench", "the labels, the first wrong step of each solution"),
    "trl": Format("application/x-ndjson", "trl", "the labels, for TRL's PRM trainer"),
}


def render_labels(format: str, runs: Iterable[tuple[RunRecord, Sequence[Event]]], labels: str | None = None) -> bytes:
    """Runs, as `Store.read` returns them, in one of `LABELS`; those without a label are left out.

    `labels` names whose labels are written; it may be left out where a run has those of one person only. Raises
    `InvalidInput` where there is nothing to write.
    """
    from engine.store.exporters.step_labels import labelled, written

    records = import_module(f"{__name__}.{LABELS[format].module}").records
    found = written(record for run in runs if (mine := labelled(*run, labels)) is not None for record in records(mine))
    if not found:
        whose = f" by {labels!r}" if labels else ""
        raise InvalidInput("labels", f"there are no labels{whose} that make a {format} record; label steps first")
    return found


def render(format: str, record: RunRecord, events: Sequence[Event]) -> bytes:
    """A run, as `Store.read` returns it, in one of `FORMATS`."""
    rendered: bytes = import_module(f"{__name__}.{FORMATS[format].module}").render(record, events)
    return rendered
