"""Who started which run on a server that strangers share: a hash of the visitor's id, and nothing else of them."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    op.create_table(
        "started",
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("visitor", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("run_id", name="pk_started"),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name="fk_started_run_id", ondelete="CASCADE"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_started_visitor_run_id", "started", ["visitor", "run_id"])
