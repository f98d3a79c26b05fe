"""Tags, notes and deletion that can be undone; one index for lists of runs in any order and under any filter."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.add_column("runs", sa.Column("note", sa.Text(), nullable=True))
    op.add_column("runs", sa.Column("deleted_at", sa.Float(), nullable=True))
    op.create_table(
        "tags",
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("tag", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name="fk_tags_run_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run_id", "tag", name="pk_tags"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_tags_tag", "tags", ["tag"])
    op.drop_index("ix_runs_created_at", "runs")
    op.create_index(
        "ix_runs_listed", "runs",
        ["created_at", "id", "deleted_at", "status", "correct", "strategy", "policy", "scorer", "origin",
         "comparison_id", "generated_tokens", "wall_s"],
    )  # fmt: skip
    deleted = sa.text("deleted_at IS NOT NULL")  # a list of the others has a better index
    op.create_index("ix_runs_deleted_at", "runs", ["deleted_at"], sqlite_where=deleted, postgresql_where=deleted)
