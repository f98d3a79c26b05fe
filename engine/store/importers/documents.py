"""Our own documents: a run (`export --format json`, `solve --json`) and a comparison (`compare --json`).

They keep their ids and everything in them; what is derived (a node's status, the answers) is derived anew.
"""

from __future__ import annotations

from collections.abc import Iterator

from engine.errors import InvalidInput
from engine.store.checked import ComparisonDocument, checked_comparison
from engine.store.importers.conversion import Ready
from engine.store.importers.fields import Record, maybe_text, wrong
from engine.store.records import ComparisonRecord

NAME = "tts-ui document"


def recognises(record: Record) -> bool:
    return str(record.get("format", "")).startswith("tts-ui.")


def runs(record: Record, place: str) -> Iterator[Ready]:
    match record["format"]:
        case "tts-ui.run":
            yield Ready(record)
        case "tts-ui.comparison":
            yield from _comparison(record, place)
        case "tts-ui.runs":
            raise wrong(place, "a list of runs has no trees; export each with `tts-ui export RUN --format json`")
        case other:
            raise wrong(place, f"a document of the format {other!r} holds no run")


def _comparison(record: Record, place: str) -> Iterator[Ready]:
    try:
        parsed = checked_comparison(record)
    except InvalidInput as error:
        raise wrong(place, error.message) from error
    comparison = _record(parsed)
    yield from (Ready(document, comparison) for document in parsed.runs)


def _record(parsed: ComparisonDocument) -> ComparisonRecord:
    """The document says neither when the comparison was made nor whether its runs shared samples; both follow from its
    runs: those that share cost less together than each for itself."""
    asked: list[Record | None] = [run.get("run") if isinstance(run.get("run"), dict) else {} for run in parsed.runs]
    spent: list[Record | None] = [run.get("usage") if isinstance(run.get("usage"), dict) else {} for run in parsed.runs]
    apart = sum(tokens for usage in spent if isinstance(tokens := (usage or {}).get("generated_tokens"), int))
    return ComparisonRecord(
        id=parsed.id,
        created_at=min(maybe_text(run or {}, "created_at") or "" for run in asked),
        paired=parsed.shared.generated_tokens < apart,
        budget=parsed.budget,
        shared=parsed.shared,
        run_ids=tuple(maybe_text(run or {}, "id") or "" for run in asked),
    )
