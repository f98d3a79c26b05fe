"""Taking fields out of records of others: what is missing or of another kind is refused with its place."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from engine.errors import InvalidInput
from engine.store.records import FIELDS

Record = Mapping[str, Any]


def wrong(place: str, what: str) -> InvalidInput:
    return InvalidInput("FILE", f"{place}: {what}")


def text(record: Record, names: tuple[str, ...] | str, place: str) -> str:
    """The first of `names` that is there: a text that is not blank."""
    names = (names,) if isinstance(names, str) else names
    name = next((name for name in names if record.get(name) is not None), names[0])
    value = record.get(name)
    if not isinstance(value, str) or not value.strip():
        raise wrong(f"{place}, {name}", "a text is missing here")
    return value


def maybe_text(record: Record, *names: str) -> str | None:
    """The first of `names` that is there and says something, as text; a number counts as its digits."""
    for name in names:
        value = record.get(name)
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            return str(value)
        if isinstance(value, str) and value.strip():
            return value
    return None


def besides(record: Record, *known: str) -> dict[str, Any]:
    """What a record says besides the fields that an importer understands."""
    return {name: value for name, value in record.items() if name not in known}


def kept(fields: Record, place: str) -> dict[str, str]:
    """Parameters of a run that keep what its record says besides, so that it can be written again. They are kept as
    JSON, since some of what others write (NaN, NUL) has no place in a database."""
    try:
        return {FIELDS: json.dumps(fields)} if fields else {}
    except RecursionError as error:
        raise wrong(place, "it is nested too deeply") from error


def maybe_bool(record: Record, *names: str) -> bool | None:
    return next((value for name in names if isinstance(value := record.get(name), bool)), None)


def listed(value: object, place: str) -> list[Any]:
    if not isinstance(value, list):
        raise wrong(place, "a list is missing here")
    return value


def mapped(value: object, place: str) -> Record:
    if not isinstance(value, Mapping):
        raise wrong(place, "an object is missing here")
    return value


def named(value: object, place: str) -> str | int | None:
    """What names another entry: a text or a whole number; None where there is none."""
    if isinstance(value, bool) or not (value is None or isinstance(value, (str, int))):
        raise wrong(place, "a name or a number is missing here")
    return value


def count(value: object) -> int:
    """A count of tokens and the like; 0 for what is not one."""
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0
