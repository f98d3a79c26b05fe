"""Scorings (scores added to a run that has ended, with their bill); every raise of copies and the bill of every round,
so that any moment of a run can be shown; the domain of a run."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.add_column("runs", sa.Column("domain", sa.Text(), nullable=False, server_default="maths"))
    _scorings()
    _raises()
    op.create_table(
        "bills",
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        *_usage(),
        sa.PrimaryKeyConstraint("run_id", "seq", name="pk_bills"),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name="fk_bills_run_id", ondelete="CASCADE"),
        sqlite_with_rowid=False,
    )


def _usage() -> list[sa.Column[int] | sa.Column[float]]:
    counts = (
        "generated_tokens", "prompt_tokens", "prompt_tokens_reused", "scored_tokens", "scored_tokens_reused",
        "policy_calls", "scorer_calls",
    )  # fmt: skip
    return [
        *[sa.Column(name, sa.BigInteger(), nullable=False) for name in counts],
        *[sa.Column(name, sa.Float(), nullable=False) for name in ("flops_paper", "flops_all", "wall_s")],
    ]


def _scorings() -> None:
    op.create_table(
        "scorings",
        *[sa.Column(name, sa.Text(), nullable=False) for name in ("id", "run_id", "kind", "created_at", "scorer")],
        *[sa.Column(f"scorer_{name}", sa.BigInteger(), nullable=False) for name in ("parameters", "context_window")],
        *[sa.Column(f"scorer_{name}", sa.Text(), nullable=False) for name in ("digest", "dtype", "device", "template")],
        *_usage(),
        sa.PrimaryKeyConstraint("id", name="pk_scorings"),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name="fk_scorings_run_id", ondelete="CASCADE"),
    )
    op.create_index("ix_scorings_run_id", "scorings", ["run_id"])
    op.add_column("scores", sa.Column("n", sa.BigInteger(), nullable=True))
    op.add_column("scores", sa.Column("low", sa.Float(), nullable=True))
    op.add_column("scores", sa.Column("high", sa.Float(), nullable=True))
    # As SQL, because Alembic adds a column and its foreign key in two steps, of which SQLite knows only the first.
    op.execute("ALTER TABLE scores ADD COLUMN scoring TEXT REFERENCES scorings (id)")


def _raises() -> None:
    """The last raise of a node was kept with it; now each has a row."""
    op.create_table(
        "raises",
        sa.Column("run_id", sa.Text(), nullable=False),
        *[sa.Column(name, sa.BigInteger(), autoincrement=False, nullable=False) for name in ("seq", "node", "copies")],
        sa.PrimaryKeyConstraint("run_id", "seq", name="pk_raises"),
        sa.ForeignKeyConstraint(
            ["run_id", "node"], ["nodes.run_id", "nodes.id"], name="fk_raises_run_id_node", ondelete="CASCADE"
        ),
        sqlite_with_rowid=False,
    )
    op.execute(
        "INSERT INTO raises (run_id, seq, node, copies) "
        "SELECT run_id, revised_seq, id, copies FROM nodes WHERE revised_seq > seq"
    )
    op.drop_index("ix_nodes_run_id_revised_seq", "nodes")
    op.drop_column("nodes", "revised_seq")
    op.create_index("ix_nodes_run_id_seq", "nodes", ["run_id", "seq"])
