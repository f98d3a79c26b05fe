"""A run's settings in words: as the form calls them, and what to call runs that are side by side. Plain text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from engine.search.parameter import Parameter
from engine.search.params import PARAMETERS
from engine.search.strategies import STRATEGIES

if TYPE_CHECKING:  # the command line's help needs no SQL
    from engine.store import RunRecord

#: What the runs of a comparison are called, in this order, on trees, rows and lines alike.
LETTERS = "ABCD"

#: What does not tell two strategies apart: an unpaired comparison gives each run a seed of its own; and what the
#: record of an imported run says besides.
_NO_NAME = ("seed", "fields")


def name(setting: str) -> str:
    """A parameter as the form calls it, before its value; an imported run may have one that is not known here."""
    parameter = PARAMETERS.get(setting)
    return (parameter.fact or parameter.in_line) if parameter else words(setting)


def value(setting: object) -> str:
    if isinstance(setting, bool):
        return "yes" if setting else "no"
    return f"{setting:g}" if isinstance(setting, float) else str(setting)


def default(parameter: Parameter) -> str:
    """Its default in words."""
    unset = parameter.unset if parameter.default is None else value(parameter.default)
    return f"the policy's, else {unset}" if parameter.of_policy else unset


def table_rows() -> list[str]:
    """The parameters as rows of the table of options in docs/reference.md; `make options` prints them."""
    rows = []
    for parameter in PARAMETERS.values():
        told = parameter.help[:1].lower() + parameter.help[1:] if parameter.help[1:2].islower() else parameter.help
        kept = f"`{parameter.default}`" if parameter.choices and parameter.default else default(parameter)
        rows.append(f"| `--{parameter.name.replace('_', '-')}` | {told} | {kept} |")
    return rows


def words(identifier: str) -> str:
    return identifier.replace("_", " ")


def title(strategy: str) -> str:
    """The strategy's name on screen; an imported run may have been made by one that is not known here."""
    return STRATEGIES[strategy].title if strategy in STRATEGIES else words(strategy)


def labels(records: Sequence[RunRecord]) -> list[str]:
    """A name for each run that tells it from the others: the strategy, and how it differs from its namesakes."""
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


if __name__ == "__main__":
    print("\n".join(table_rows()))
