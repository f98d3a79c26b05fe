"""Runs and comparisons as rows of a list, in words; the page's script writes them as text, never as HTML."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

from engine.search.params import PARAMETERS
from engine.store import RunRecord
from engine.store.listing import Choices, Listed, ListedComparison
from engine.store.sweep_records import SweepRecord
from tts_ui.web.runs.asked import NO_JUDGE
from tts_ui.words import numbers, parameters
from tts_ui.words.interface import say
from tts_ui.words.results import no_answer, run_outcome
from tts_ui.words.texts import short

#: Characters of a problem and of an answer in a row.
_PROBLEM, _ANSWER = 160, 40
#: The settings beside a strategy's name.
_SETTINGS = ("n", "width")


def run_row(listed: Listed, *, mine: bool) -> dict[str, Any]:
    """A run; only those whose it is are offered to change it."""
    record = listed.record
    return _told(record) | {
        "address": f"./?run={record.id}",
        "settings": _settings(record),
        "models": record.policy.name,
        "judge": record.scorer.name if record.scorer else "",
        "tokens": numbers.count(_counted(record, record.usage.generated_tokens)),
        "time": numbers.seconds(_counted(record, record.usage.wall_s)),
        "origin": record.origin,
        "tags": listed.tags,
        "note": record.note or "",
        "compared": f"./compare?runs={','.join(listed.compared)}" if len(listed.compared) > 1 else "",
        "beside": len(listed.compared) - 1,
        "deleted": record.deleted_at is not None,
        "mine": mine,
        "deletable": mine and record.origin != "example" and record.status != "running",
    }


def comparison_row(listed: ListedComparison) -> dict[str, Any]:
    """A comparison; it has an address as long as two of its runs are there."""
    present, named = listed.runs, listed.record.run_ids
    labels = parameters.labels(present)
    address = f"./compare?runs={','.join(record.id for record in present)}" if len(present) > 1 else ""
    gone = len(named) - len(present)
    return {
        "id": listed.record.id,
        "when": _minute(listed.record.created_at),
        "problem": _problem(present[0]) if present else "",
        "address": address,
        "runs": [_told(record) | {"title": label} for record, label in zip(present, labels, strict=True)],
        "gone": say("runs_page.gone", n=gone) if gone else "",
        "paired": say("runs_page.paired" if listed.record.paired else "runs_page.unpaired"),
        "tokens": numbers.count(listed.record.shared.generated_tokens),
    }


def choices_row(choices: Choices, sweeps: Sequence[SweepRecord]) -> dict[str, list[tuple[str, str]]]:
    """What each menu offers: a value of the address, and what it is called."""
    return {
        "strategy": [(name, parameters.title(name)) for name in choices.strategies],
        "models": [(name, name) for name in choices.models],
        "judge": [(name or NO_JUDGE, name or say("runs_page.no_judge")) for name in choices.judges],
        "origin": [(name, _origin(name)) for name in choices.origins],
        "tag": [(name, name) for name in choices.tags],
        "sweep": [(sweep.id, sweep.name) for sweep in sweeps],
    }


def _origin(name: str) -> str:
    return say(f"runs_page.origin_{name}") if name in _ORIGINS else name


#: The origins that have a text.
_ORIGINS = ("search", "fork", "import", "example")


def _told(record: RunRecord) -> dict[str, Any]:
    """What a run's row and its place in a comparison's have in common."""
    outcome = run_outcome(record) or ("" if record.status in ("running", "failed") else no_answer())
    return {
        "id": record.id,
        "when": _minute(record.created_at),
        "problem": _problem(record),
        "strategy": parameters.title(record.strategy),
        "status": say(f"runs_page.{record.status}") if record.status != "done" else "",
        "answer": short(record.answer, _ANSWER) if record.answer is not None else "",
        "outcome": outcome if record.correct is not False or record.answer is not None else no_answer(),
        "correct": record.correct,
        "running": record.status == "running",
    }


Number = TypeVar("Number", int, float)


def _counted(record: RunRecord, value: Number) -> Number | None:
    """A number of a run's bill; a zero in that of an imported run was never counted."""
    return value if value or record.origin != "import" else None


def _problem(record: RunRecord) -> str:
    return short(" ".join(record.problem[: 4 * _PROBLEM].split()), _PROBLEM)


def _settings(record: RunRecord) -> str:
    said = [
        f"{PARAMETERS[name].in_line} {parameters.value(record.params[name])}"
        for name in _SETTINGS if name in record.params
    ]  # fmt: skip
    return ", ".join(said)


def _minute(created_at: str) -> str:
    """An ISO date as far as its minute."""
    return created_at[:16].replace("T", " ")
