"""Sweeps with all that they were asked, and what each of their runs came to under every rule and smaller N."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.create_table(
        "sweeps",
        *[_text(name) for name in ("id", "name", "created_at", "status", "problem_set")],
        *[_count(name) for name in ("problems", "cells", "planned", "done")],
        *[sa.Column(name, sa.JSON(), nullable=False) for name in ("configuration", "questions")],
        sa.Column("elapsed_s", sa.Float(), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        _text("product_version"), _text("owner_host"), _count("owner_pid"), _text("owner_started"),
        sa.Column("heartbeat", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_sweeps"),
    )  # fmt: skip
    op.create_index("ix_sweeps_name", "sweeps", ["name"])
    op.create_table(
        "outcomes",
        _text("run_id"), _text("rule"), _count("n"), _text("sweep"),
        sa.Column("level", sa.Text(), nullable=True),
        sa.Column("accuracy", sa.Float(), nullable=False),
        sa.Column("pass_any", sa.Float(), nullable=True),
        sa.Column("drawn_right", sa.BigInteger(), nullable=True),
        sa.Column("drawn", sa.BigInteger(), nullable=True),
        sa.Column("scored", sa.Float(), nullable=True),
        sa.Column("judge_score", sa.Float(), nullable=True),
        sa.Column("agreement", sa.Float(), nullable=True),
        sa.PrimaryKeyConstraint("run_id", "rule", "n", name="pk_outcomes"),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name="fk_outcomes_run_id", ondelete="CASCADE"),
        sqlite_with_rowid=False,
    )  # fmt: skip
    op.create_index("ix_outcomes_sweep", "outcomes", ["sweep"])


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=False)


def _count(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), autoincrement=False, nullable=False)
