"""Comparisons: runs side by side, and what they actually cost together."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_COUNTS = (
    "generated_tokens", "prompt_tokens", "prompt_tokens_reused", "scored_tokens", "scored_tokens_reused",
    "policy_calls", "scorer_calls",
)  # fmt: skip


def upgrade() -> None:
    op.create_table(
        "comparisons",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("created_at", sa.Text(), nullable=False),
        sa.Column("paired", sa.Boolean(), nullable=False),
        sa.Column("budget", sa.BigInteger(), nullable=True),
        sa.Column("run_ids", sa.JSON(), nullable=False),
        *[sa.Column(name, sa.BigInteger(), nullable=False) for name in _COUNTS],
        *[sa.Column(name, sa.Float(), nullable=False) for name in ("flops_paper", "flops_all", "wall_s")],
        sa.PrimaryKeyConstraint("id", name="pk_comparisons"),
    )
