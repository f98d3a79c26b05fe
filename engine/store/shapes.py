"""How a dataclass is stored in a table's row and in the run document: derived from its fields, which are listed once.

A field is a column and an entry of the same name, unless the shape renames it or the field's metadata says that it is
not kept (`STORE_ONLY`, `UNRECORDED`). A field that is a dataclass itself is stored flat: usage in columns of its own
names, a model or an owner in columns that begin with the field's.

Texts are data and are stored as they are, with one exception. NUL (which PostgreSQL cannot hold) and lone surrogates
(which UTF-8 cannot) become U+FFFD, one for one, on every database alike: refusing them would lose a whole run for one
odd token, and the token ids keep what was really drawn. Numbers that are not finite are refused.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import asdict, dataclass, fields, is_dataclass
from math import isfinite
from operator import attrgetter
from types import NoneType, UnionType
from typing import Any, Generic, Literal, TypeVar, Union, get_args, get_origin, get_type_hints, overload

import orjson
from sqlalchemy import JSON, BigInteger, Boolean, Column, Float, Row, Text
from sqlalchemy.types import TypeEngine

from engine.errors import StoreError
from engine.search.events import Grade, ModelInfo, Usage

Values = dict[str, Any]
T = TypeVar("T")
Change = Callable[[Any], Any]

#: `null` in a JSON column is SQL's NULL, so that `WHERE token_ids IS NULL` means what it says.
_JSON = JSON(none_as_null=True)
_UNSTORABLE = re.compile(r"[\x00\ud800-\udfff]")
_AS_JSON_DOES = orjson.OPT_PASSTHROUGH_DATACLASS | orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_PASSTHROUGH_SUBCLASS
_encode = json.JSONEncoder(allow_nan=False, separators=(",", ":")).encode


@overload
def clean(text: str) -> str: ...
@overload
def clean(text: None) -> None: ...
def clean(text: str | None) -> str | None:
    """`text` as every database can hold it (see the module's docstring)."""
    if text is None or (text.isascii() and "\0" not in text):
        return text
    return _UNSTORABLE.sub("\ufffd", text)


def _same(value: Any) -> Any:
    return value


def _finite(value: float) -> float:
    if not isfinite(value):
        raise StoreError(f"{value} is not a finite number, so it cannot be recorded")
    return float(value)


def _json(content: Any) -> str:
    """What is recorded is mostly token ids and scores, by the million: orjson writes them. It turns NaN into null, and
    refuses integers above 64 bits and lone surrogates, so whatever has a null or is refused is left to `json`."""
    if type(content) not in (tuple, dict):
        content = dict(content)
    try:
        text = orjson.dumps(content, option=_AS_JSON_DOES)
        if b"null" not in text:
            return text.decode()
    except TypeError:
        pass
    try:
        return _encode(content)
    except (TypeError, ValueError) as error:
        raise StoreError(f"this cannot be recorded as JSON ({error}): {repr(content)[:200]}") from error


def _grades_json(grades: Mapping[str, Grade]) -> str:
    return _json({clean(answer): _GRADE.values(grade) for answer, grade in grades.items()})


def _grades(content: Mapping[str, Mapping[str, Any]] | None) -> dict[str, Grade]:
    return {answer: Grade(**grade) for answer, grade in (content or {}).items()}


@dataclass(frozen=True, slots=True)
class _Part:
    """A field in a column of its own: `put` turns the field's value into the column's, `take` turns it back."""

    field: str
    column: str
    type: TypeEngine[Any]
    nullable: bool
    put: Change
    take: Change


class Shape(Generic[T]):
    """The rows and document entries of one dataclass. `names` are those fields whose column has another name."""

    def __init__(self, of: type[T], names: Mapping[str, str] | None = None, *, optional: bool = False) -> None:
        assert is_dataclass(of)
        self._of, names, hints = of, names or {}, get_type_hints(of)
        self._parts: list[_Part] = []
        self._flat: dict[str, Shape[Any]] = {}
        self._listed = {f.name: names.get(f.name, f.name) for f in fields(of) if f.metadata.get("document", True)}
        for name in (f.name for f in fields(of) if f.metadata.get("column", True)):
            kind, nullable = _without_none(hints[name])
            if isinstance(kind, type) and is_dataclass(kind):
                inner = {f.name: _flat_name(name, kind, f.name) for f in fields(kind)}
                self._flat[name] = Shape(kind, inner, optional=optional or nullable)
            else:
                column, put, take = _stored(kind)
                self._parts.append(_Part(name, names.get(name, name), column, optional or nullable, put, take))
        self.columns = tuple(part.column for part in self._all())
        # Rows are made and read in great numbers, and most values are stored as they are.
        self._fields, self._own = [part.field for part in self._parts], [part.column for part in self._parts]
        self._of_item, self._of_row = attrgetter(*self._fields), attrgetter(*self._own)
        self._put = [(at, part.put) for at, part in enumerate(self._parts) if part.put is not _same]
        self._take = [(part.field, part.take) for part in self._parts if part.take is not _same]

    def table_columns(self, *, keys: Collection[str] = (), nullable: Collection[str] = ()) -> list[Column[Any]]:
        """New columns for a table; `keys` are its primary key, `nullable` those that may be null anyway."""
        return [
            Column(
                part.column, part.type, primary_key=part.column in keys, autoincrement=False,
                nullable=part.nullable or part.column in nullable,
            )
            for part in self._all()
        ]  # fmt: skip

    def row(self, item: T) -> tuple[Any, ...]:
        """The values that store `item`, in the order of `columns`."""
        row = list(self._of_item(item))
        for at, put in self._put:
            if (value := row[at]) is not None:
                row[at] = put(value)
        for field, shape in self._flat.items():
            inner = getattr(item, field)
            row += [None] * len(shape.columns) if inner is None else shape.row(inner)
        return tuple(row)

    def values(self, item: T) -> Values:
        """The row that stores `item`, by its columns."""
        return dict(zip(self.columns, self.row(item), strict=True))

    def read(self, row: Row[Any]) -> T:
        """The item that a row stores; `row` may have other columns too."""
        found: Values = dict(zip(self._fields, self._of_row(row), strict=True))
        for field, take in self._take:
            found[field] = take(found[field])
        for field, shape in self._flat.items():
            absent = getattr(row, shape.columns[0]) is None
            found[field] = None if absent else shape.read(row)
        return self._of(**found)

    def entry(self, item: T) -> dict[str, Any]:
        """What the run document says of `item`, in JSON types; of a model, only its name."""
        return {name: _plain(getattr(item, field)) for field, name in self._listed.items()}

    def known(self, entry: Mapping[str, Any]) -> dict[str, Any]:
        """The fields that a document's `entry` gives; anything else in it is ignored."""
        return {field: entry[name] for field, name in self._listed.items() if name in entry}

    def _all(self) -> list[_Part]:
        return [*self._parts, *(part for shape in self._flat.values() for part in shape._all())]


def _without_none(hint: Any) -> tuple[Any, bool]:
    if get_origin(hint) not in (Union, UnionType):
        return hint, False
    kinds = [kind for kind in get_args(hint) if kind is not NoneType]
    assert len(kinds) == 1, hint
    return kinds[0], True


def _flat_name(outer: str, kind: type, inner: str) -> str:
    if kind is Usage:
        return inner
    return outer if inner == "name" else f"{outer}_{inner}"


def _stored(kind: Any) -> tuple[TypeEngine[Any], Change, Change]:
    """A field's column type, and the ways in and out. Only types that SQLite and PostgreSQL share are used; token and
    parameter counts outgrow 32 bits, so every integer is a BIGINT."""
    plain: Mapping[Any, tuple[TypeEngine[Any], Change, Change]] = {
        str: (Text(), clean, _same),
        bool: (Boolean(), _same, _same),
        int: (BigInteger(), _same, _same),
        float: (Float(), _finite, _same),
        Mapping[str, Grade]: (_JSON, _grades_json, _grades),
    }
    if kind in plain:
        return plain[kind]
    if get_origin(kind) is Literal:
        return Text(), _same, _same
    if get_origin(kind) is tuple:
        return _JSON, _json, _tuple
    assert get_origin(kind) is Mapping, kind
    return _JSON, _json, _same


def _tuple(content: list[Any] | None) -> tuple[Any, ...] | None:
    return None if content is None else tuple(content)


def bill(usage: Usage) -> dict[str, int | float | None]:
    """A usage as a document gives it: FLOPs that are not known are null, not 0."""
    known = {"flops_paper": usage.flops_known, "flops_all": usage.flops_all_known}
    return {name: value if known.get(name, True) else None for name, value in asdict(usage).items()}


def _plain(value: Any) -> Any:
    if isinstance(value, ModelInfo):
        return value.name
    if isinstance(value, Usage):
        return bill(value)
    return dict(value) if isinstance(value, Mapping) else value


_GRADE = Shape(Grade)
