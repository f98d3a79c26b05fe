"""The five tables. Columns carry the names of the run document (plus `run_id`), so that plain SQL and pandas work.

Only types that SQLite and PostgreSQL share are used. A change here needs a migration beside it; a test compares them.
"""

from __future__ import annotations

from typing import Any, ClassVar, cast

from sqlalchemy import JSON, BigInteger, Float, ForeignKey, ForeignKeyConstraint, Index, MetaData, Table, Text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

#: `null` in a JSON column is SQL's NULL, so that `WHERE token_ids IS NULL` says what it seems to say.
Json = JSON(none_as_null=True)


class Base(DeclarativeBase):
    """Token and parameter counts outgrow 32 bits, so every integer is a BIGINT."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        }
    )
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        int: BigInteger,
        float: Float,
        str: Text,
        dict[str, Any]: Json,
        list[int]: Json,
        list[str]: Json,
    }


class _Spent:
    """The columns of `Usage`."""

    generated_tokens: Mapped[int]
    prompt_tokens: Mapped[int]
    prompt_tokens_reused: Mapped[int]
    scored_tokens: Mapped[int]
    scored_tokens_reused: Mapped[int]
    policy_calls: Mapped[int]
    scorer_calls: Mapped[int]
    flops_paper: Mapped[float]
    flops_all: Mapped[float]
    wall_s: Mapped[float]


class RunRow(_Spent, Base):
    """One search: what was asked, of which models, what came out, what it cost, and which process is running it."""

    __tablename__ = "runs"

    id: Mapped[str] = mapped_column(primary_key=True)
    created_at: Mapped[str] = mapped_column(index=True)
    problem: Mapped[str]
    reference_answer: Mapped[str | None]
    strategy: Mapped[str]
    params: Mapped[dict[str, Any]]
    status: Mapped[str] = mapped_column(index=True)
    stop_reason: Mapped[str | None]
    origin: Mapped[str]
    parent_run: Mapped[str | None]
    fork_node: Mapped[int | None]
    answer: Mapped[str | None]
    correct: Mapped[bool | None]
    graded_by: Mapped[str | None]
    error: Mapped[str | None]
    #: `RunFinished.grades`: answer -> {"group", "correct", "rule"}; null until the run ends.
    grades: Mapped[dict[str, Any] | None]
    comparison_id: Mapped[str | None]
    sweep_id: Mapped[str | None]

    policy: Mapped[str]
    policy_parameters: Mapped[int]
    policy_context_window: Mapped[int]
    policy_digest: Mapped[str]
    policy_dtype: Mapped[str]
    policy_device: Mapped[str]
    policy_template: Mapped[str]
    scorer: Mapped[str | None]
    scorer_parameters: Mapped[int | None]
    scorer_context_window: Mapped[int | None]
    scorer_digest: Mapped[str | None]
    scorer_dtype: Mapped[str | None]
    scorer_device: Mapped[str | None]
    scorer_template: Mapped[str | None]

    product_version: Mapped[str]
    owner_host: Mapped[str]
    owner_pid: Mapped[int]
    #: When the owner process started, as its system tells it: a reused pid has another.
    owner_started: Mapped[str]
    #: Unix seconds of the owner's last sign of life.
    heartbeat: Mapped[float]


class ComparisonRow(_Spent, Base):
    """Runs asked side by side, in the order of `run_ids`; the usage is what was really spent for all of them."""

    __tablename__ = "comparisons"

    id: Mapped[str] = mapped_column(primary_key=True)
    created_at: Mapped[str]
    paired: Mapped[bool]
    budget: Mapped[int | None]
    run_ids: Mapped[list[str]]


class NodeRow(Base):
    """One step; node 0 is the problem itself. `seq` is where the step was seen first, `revised_seq` where last."""

    __tablename__ = "nodes"

    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True)
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    parent: Mapped[int | None]
    depth: Mapped[int]
    text: Mapped[str]
    token_ids: Mapped[list[int] | None]
    tokens: Mapped[int]
    logprob: Mapped[float | None]
    finish: Mapped[str]
    copies: Mapped[int]
    #: Copies at `seq`, so that a replay can show the node before identical draws raised them.
    first_copies: Mapped[int]
    origin: Mapped[str]
    answer: Mapped[str | None]
    seq: Mapped[int]
    revised_seq: Mapped[int]

    __table_args__ = (Index(None, "run_id", "revised_seq"),)


def _of_a_node() -> ForeignKeyConstraint:
    return ForeignKeyConstraint(["run_id", "node"], ["nodes.run_id", "nodes.id"], ondelete="CASCADE")


class ScoreRow(Base):
    """A scorer's value for a node."""

    __tablename__ = "scores"

    run_id: Mapped[str] = mapped_column(primary_key=True)
    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    node: Mapped[int]
    scorer: Mapped[str]
    value: Mapped[float]
    kind: Mapped[str]

    __table_args__ = (_of_a_node(), {"sqlite_with_rowid": False})


class DecisionRow(Base):
    """What the strategy did with a node, and the numbers it did it on (see `engine.search.events.REASONS`)."""

    __tablename__ = "decisions"

    run_id: Mapped[str] = mapped_column(primary_key=True)
    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    node: Mapped[int]
    action: Mapped[str]
    reason: Mapped[str]
    numbers: Mapped[dict[str, Any]]

    __table_args__ = (_of_a_node(), {"sqlite_with_rowid": False})


runs = cast(Table, RunRow.__table__)
comparisons = cast(Table, ComparisonRow.__table__)
nodes = cast(Table, NodeRow.__table__)
scores = cast(Table, ScoreRow.__table__)
decisions = cast(Table, DecisionRow.__table__)
