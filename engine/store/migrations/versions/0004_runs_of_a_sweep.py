"""An index on the sweep of a run: a sweep that resumes asks for the runs of each of its cells."""

from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_index("ix_runs_sweep_id", "runs", ["sweep_id"])
