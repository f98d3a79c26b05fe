"""The first tables: runs, nodes, scores, decisions."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    _runs()
    _nodes()
    op.create_table(
        "scores",
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("node", sa.BigInteger(), nullable=False),
        sa.Column("scorer", sa.Text(), nullable=False),
        sa.Column("value", sa.Float(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("run_id", "seq", name="pk_scores"),
        _of_a_node("scores"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "decisions",
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("node", sa.BigInteger(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("numbers", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("run_id", "seq", name="pk_decisions"),
        _of_a_node("decisions"),
        sqlite_with_rowid=False,
    )


def _of_a_node(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["run_id", "node"], ["nodes.run_id", "nodes.id"], name=f"fk_{table}_run_id_node", ondelete="CASCADE"
    )


def _texts(*names: str, nullable: bool = False) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text(), nullable=nullable) for name in names]


def _counts(*names: str, nullable: bool = False) -> list[sa.Column[int]]:
    return [sa.Column(name, sa.BigInteger(), nullable=nullable) for name in names]


def _runs() -> None:
    op.create_table(
        "runs",
        *_texts("id", "created_at", "problem"),
        *_texts("reference_answer", nullable=True),
        *_texts("strategy"),
        sa.Column("params", sa.JSON(), nullable=False),
        *_texts("status"),
        *_texts("stop_reason", nullable=True),
        *_texts("origin"),
        *_texts("parent_run", nullable=True),
        *_counts("fork_node", nullable=True),
        *_texts("answer", nullable=True),
        sa.Column("correct", sa.Boolean(), nullable=True),
        *_texts("graded_by", "error", nullable=True),
        sa.Column("grades", sa.JSON(), nullable=True),
        *_texts("comparison_id", "sweep_id", nullable=True),
        *_texts("policy"),
        *_counts("policy_parameters", "policy_context_window"),
        *_texts("policy_digest", "policy_dtype", "policy_device", "policy_template"),
        *_texts("scorer", nullable=True),
        *_counts("scorer_parameters", "scorer_context_window", nullable=True),
        *_texts("scorer_digest", "scorer_dtype", "scorer_device", "scorer_template", nullable=True),
        *_counts("generated_tokens", "prompt_tokens", "prompt_tokens_reused", "scored_tokens", "scored_tokens_reused"),
        *_counts("policy_calls", "scorer_calls"),
        sa.Column("flops_paper", sa.Float(), nullable=False),
        sa.Column("flops_all", sa.Float(), nullable=False),
        sa.Column("wall_s", sa.Float(), nullable=False),
        *_texts("product_version", "owner_host"),
        *_counts("owner_pid"),
        *_texts("owner_started"),
        sa.Column("heartbeat", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_runs"),
    )
    for column in ("created_at", "status"):
        op.create_index(f"ix_runs_{column}", "runs", [column])


def _nodes() -> None:
    op.create_table(
        "nodes",
        *_texts("run_id"),
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        *_counts("parent", nullable=True),
        *_counts("depth"),
        *_texts("text"),
        sa.Column("token_ids", sa.JSON(), nullable=True),
        *_counts("tokens"),
        sa.Column("logprob", sa.Float(), nullable=True),
        *_texts("finish"),
        *_counts("copies", "first_copies"),
        *_texts("origin"),
        *_texts("answer", nullable=True),
        *_counts("seq", "revised_seq"),
        sa.PrimaryKeyConstraint("run_id", "id", name="pk_nodes"),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name="fk_nodes_run_id", ondelete="CASCADE"),
    )
    op.create_index("ix_nodes_run_id_revised_seq", "nodes", ["run_id", "revised_seq"])
