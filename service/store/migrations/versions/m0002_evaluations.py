"""Evaluations and their results."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Make the step."""
    op.create_table(
        "evaluations",
        sa.Column("id", sa.String(40), nullable=False),
        sa.Column("owner", sa.String(40), nullable=False),
        sa.Column("status", sa.String(10), nullable=False),
        sa.Column("total", sa.Integer, nullable=False),
        sa.Column("reason", sa.Text),
        sa.Column("runner", sa.String(40)),
        sa.Column("heartbeat", sa.Double, nullable=False),
        sa.Column("created", sa.Double, nullable=False),
        sa.Column("finished", sa.Double),
        sa.Column("expires", sa.Double, nullable=False),
        sa.Column("models", sa.Text, nullable=False),
        sa.Column("request", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_evaluations"),
    )
    op.create_index("ix_evaluations_owner_id", "evaluations", ["owner", "id"])
    op.create_index("ix_evaluations_status_heartbeat", "evaluations", ["status", "heartbeat"])
    op.create_index("ix_evaluations_expires", "evaluations", ["expires"])
    op.create_table(
        "evaluation_results",
        sa.Column("evaluation_id", sa.String(40), nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("result", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("evaluation_id", "number", name="pk_evaluation_results"),
        sa.ForeignKeyConstraint(
            ["evaluation_id"],
            ["evaluations.id"],
            name="fk_evaluation_results_evaluation_id",
            ondelete="CASCADE",
        ),
    )


def downgrade() -> None:
    """Take the step back."""
    op.drop_table("evaluation_results")
    op.drop_table("evaluations")
