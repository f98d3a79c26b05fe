"""What a text begins with, asked so that an index of the column can answer it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Column, ColumnElement, Text, and_, literal
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement


class _Plain(FunctionElement[str]):
    """A text that is compared by its code points, which PostgreSQL does in the order of its locale otherwise."""

    name = "plain"
    type = Text()
    inherit_cache = True


@compiles(_Plain)
def _as_it_is(element: _Plain, compiler: SQLCompiler, **options: Any) -> str:
    return str(compiler.process(element.clauses, **options))


@compiles(_Plain, "postgresql")
def _by_code_points(element: _Plain, compiler: SQLCompiler, **options: Any) -> str:
    return f'({compiler.process(element.clauses, **options)} COLLATE "C")'


def begins(column: Column[Any], start: str) -> ColumnElement[bool]:
    """Whether a text begins with `start`, case and all; `start` is not empty."""
    after = start[:-1] + chr(ord(start[-1]) + 1)
    return and_(column >= _Plain(literal(start)), column < _Plain(literal(after)))
