"""The tables. Columns carry the names of the run document (plus `run_id`), so that plain SQL and pandas work; most are
derived from the dataclasses they keep (`engine.store.records`). A change here needs a migration; a test compares them.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Constraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    MetaData,
    Table,
    Text,
    text,
)

from engine.store.records import COMPARISON, DECIDED, RUN, SAMPLED, SCORED, SCORING, USAGE
from engine.store.sweep_records import READ, SWEEP

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    }
)


def _run_id() -> Column[str]:
    """Part of a key, in tables whose rows are deleted with their run."""
    return Column("run_id", Text, ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True)


def _of_nodes(name: str, *columns: Column[Any] | Constraint) -> Table:
    """A table whose rows are about nodes and deleted with them."""
    falls = ForeignKeyConstraint(["run_id", "node"], ["nodes.run_id", "nodes.id"], ondelete="CASCADE")
    return Table(name, metadata, Column("run_id", Text, primary_key=True), *columns, falls, sqlite_with_rowid=False)


def _count(name: str, *, key: bool = False) -> Column[int]:
    return Column(name, BigInteger, primary_key=key, autoincrement=False, nullable=False)


#: What a list of runs is filtered and sorted by, in one index, newest last: a page of a hundred thousand runs, and how
#: many there are, are read from it alone, and never from rows that hold whole problems and answers.
LISTED = (
    "created_at", "id", "deleted_at", "status", "correct", "strategy", "policy", "scorer", "origin", "comparison_id",
    "generated_tokens", "wall_s",
)  # fmt: skip

_DELETED = text("deleted_at IS NOT NULL")

#: One search: what was asked, of which models, what came out, what it cost, and which process is running it.
runs = Table(
    "runs", metadata, *RUN.table_columns(keys=["id"], nullable=["grades"]), Index("ix_runs_listed", *LISTED),
    Index(None, "status"), Index(None, "sweep_id"),
    Index(None, "deleted_at", sqlite_where=_DELETED, postgresql_where=_DELETED),
)  # fmt: skip

#: What people call runs, to find them again.
tags = Table(
    "tags", metadata, _run_id(), Column("tag", Text, primary_key=True), Index(None, "tag"), sqlite_with_rowid=False
)

#: Who started a run on a server that strangers share: a hash of the visitor's id (`engine.store.started`).
started = Table(
    "started", metadata, _run_id(), Column("visitor", Text, nullable=False), Index(None, "visitor", "run_id"),
    sqlite_with_rowid=False,
)  # fmt: skip

#: What a run had cost after each round; `seq` is the last one of the round.
bills = Table("bills", metadata, _run_id(), _count("seq", key=True), *USAGE.table_columns(), sqlite_with_rowid=False)

#: Runs side by side, in the order of `run_ids`; the usage is what was actually spent on all of them.
comparisons = Table("comparisons", metadata, *COMPARISON.table_columns(keys=["id"]))

#: Steps; node 0 is the problem itself. `first_copies` are those at `seq`, before identical draws raised them.
nodes = Table(
    "nodes", metadata, _run_id(), *SAMPLED.table_columns(keys=["id"], nullable=["parent"]), _count("first_copies"),
    Index(None, "run_id", "seq"),
)  # fmt: skip

#: Every time an identical draw raised the copies of a node, and to how many.
raises = _of_nodes("raises", _count("seq", key=True), _count("node"), _count("copies"))

#: Scores that were added to a run that had ended: one row for each time, its bill included.
scorings = Table(
    "scorings", metadata, *SCORING.table_columns(keys=["id"]),
    ForeignKeyConstraint(["run_id"], ["runs.id"], ondelete="CASCADE"), Index(None, "run_id"),
)  # fmt: skip

#: Scorers' values for nodes.
scores = _of_nodes(
    "scores", *SCORED.table_columns(keys=["seq"]),
    ForeignKeyConstraint(["scoring"], ["scorings.id"]),
)  # fmt: skip

#: What the strategy did with a node, and the numbers behind it (see `engine.search.events.REASONS`).
decisions = _of_nodes("decisions", *DECIDED.table_columns(keys=["seq"]))

#: Sweeps, with all that they were asked (`runs.sweep_id` begins with a sweep's id).
sweeps = Table("sweeps", metadata, *SWEEP.table_columns(keys=["id"]), Index(None, "name"))

#: What the runs of sweeps came to under every rule and smaller N: all that is computed from sweeps is read from these.
outcomes = Table(
    "outcomes", metadata, *READ.table_columns(keys=["run_id", "rule", "n"]),
    ForeignKeyConstraint(["run_id"], ["runs.id"], ondelete="CASCADE"), Index(None, "sweep"), sqlite_with_rowid=False,
)  # fmt: skip
