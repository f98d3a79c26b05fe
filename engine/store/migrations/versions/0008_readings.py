"""How sure the policy was of each step: two floats from the distributions it was drawn from."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    for name in ("confidence", "certainty"):
        op.add_column("nodes", sa.Column(name, sa.Float(), nullable=True))
