"""Where an imported run comes from, and what looked wrong with its file."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    for name in ("warning", "source", "source_format"):
        op.add_column("runs", sa.Column(name, sa.Text(), nullable=True))
