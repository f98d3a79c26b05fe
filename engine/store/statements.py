"""Statements compiled once. Compiling from the cache at each call would cost a search more than the database does.

A short search is recorded in two or three transactions with caches gone cold in between, where SQLAlchemy's way from a
statement to the driver takes several times what SQLite needs for the rows. So the writer's few statements are
SQLAlchemy's own, turned into the driver's SQL when the database is opened; values reach the driver as they are (JSON
already as text).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, Dialect, Insert, Table, Update, insert
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql.compiler import SQLCompiler

from engine.store.shapes import Values


class Prepared:
    """One statement, for any number of rows."""

    def __init__(self, statement: Insert | Update, dialect: Dialect, columns: Sequence[str] | None = None) -> None:
        compiled = statement.compile(dialect=dialect, column_keys=columns)
        assert isinstance(compiled, SQLCompiler)
        self._sql = str(compiled)
        self._order: Sequence[str] | None = compiled.positiontup if compiled.positional else None

    def execute(self, connection: Connection, rows: Sequence[Values]) -> None:
        """Run the statement for each of `rows`; none is a no-op."""
        if not rows:
            return
        if self._order is None:
            connection.exec_driver_sql(self._sql, list(rows))
        else:
            connection.exec_driver_sql(self._sql, [tuple(row[name] for name in self._order) for row in rows])


class Inserting(Prepared):
    """An insert of all columns of `table`, whose rows are tuples in their order: steps and their scores come in such
    numbers that a dict for each costs more than the database does."""

    def __init__(self, table: Table, dialect: Dialect) -> None:
        self._columns = [column.name for column in table.columns]
        super().__init__(insert(table), dialect, self._columns)
        assert self._order is None or list(self._order) == self._columns

    def insert(self, connection: Connection, rows: Sequence[tuple[Any, ...]]) -> None:
        if self._order is None:
            self.execute(connection, [dict(zip(self._columns, row, strict=True)) for row in rows])
        elif rows:
            connection.exec_driver_sql(self._sql, list(rows))


def saving(table: Table, dialect: Dialect, changing: Iterable[str]) -> Prepared:
    """An insert of all columns of `table`; an existing row has its columns `changing` replaced."""
    statement = sqlite.insert(table) if dialect.name == "sqlite" else postgresql.insert(table)
    replaced = {name: statement.excluded[name] for name in changing}
    known = [column.name for column in table.primary_key]
    statement = statement.on_conflict_do_update(index_elements=known, set_=replaced)
    return Prepared(statement, dialect, [column.name for column in table.columns])
