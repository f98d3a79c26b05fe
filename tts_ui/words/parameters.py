"""A run's settings in words: as the form calls them, and what to call runs that stand side by side. Plain text."""

from __future__ import annotations

from collections.abc import Sequence

from engine.search.strategies import STRATEGIES
from engine.store import RunRecord

#: What the runs of a comparison are called, in this order, on trees, rows and lines alike.
LETTERS = "ABCD"

_NAMES = {
    "n": "N", "width": "M", "lookahead": "L", "exploration": "c", "select": "rule", "top_p": "top-p",
    "max_steps": "most steps", "max_tokens_total": "token budget", "finished": "finished beams:",
    "eligible_without_answer": "\u201cno answer\u201d may win:",
}  # fmt: skip

#: What does not tell two strategies apart: an unpaired comparison gives each run a seed of its own.
_NO_NAME = ("seed",)


def name(setting: str) -> str:
    """A parameter as the form calls it."""
    return _NAMES.get(setting) or words(setting)


def value(setting: object) -> str:
    if isinstance(setting, bool):
        return "yes" if setting else "no"
    return f"{setting:g}" if isinstance(setting, float) else str(setting)


def words(identifier: str) -> str:
    return identifier.replace("_", " ")


def title(strategy: str) -> str:
    """The strategy's name on screen; a run from elsewhere may have been made by one that is not known here."""
    return STRATEGIES[strategy].title if strategy in STRATEGIES else words(strategy)


def labels(records: Sequence[RunRecord]) -> list[str]:
    """A name for each run that tells it from the others: the strategy, and what its namesakes do otherwise."""
    return [_label(record, [other for other in records if other.strategy == record.strategy]) for record in records]


def _label(record: RunRecord, namesakes: Sequence[RunRecord]) -> str:
    plain = title(record.strategy)
    if len(namesakes) == 1:
        return plain
    facts = [_facts(other) for other in namesakes]
    own = _facts(record)
    telling = [text for key, text in own.items() if any(other.get(key) != text for other in facts)]
    return ", ".join([plain, *telling]) if telling else f"{plain}, run {record.id}"


def _facts(record: RunRecord) -> dict[str, str]:
    """What may differ between two runs of one strategy, in words."""
    models = " + ".join(model.name for model in (record.policy, record.scorer) if model)
    facts = {key: f"{name(key)} {value(v)}" for key, v in record.params.items() if key not in _NO_NAME}
    return {"models": models, **facts}
