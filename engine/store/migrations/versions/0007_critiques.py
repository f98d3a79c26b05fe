"""What a judge that writes wrote before it judged, beside its score."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.add_column("scores", sa.Column("critique", sa.Text(), nullable=True))
