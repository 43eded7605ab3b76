"""The use of each key, by day."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Make the step."""
    op.create_table(
        "key_usage",
        sa.Column("key_id", sa.String(40), nullable=False),
        sa.Column("day", sa.Integer(), nullable=False),
        sa.Column("requests", sa.BigInteger(), nullable=False),
        sa.Column("refused", sa.BigInteger(), nullable=False),
        sa.Column("observations", sa.BigInteger(), nullable=False),
        sa.Column("queries", sa.BigInteger(), nullable=False),
        sa.Column("compute_seconds", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("key_id", "day", name="pk_key_usage"),
    )


def downgrade() -> None:
    """Take the step back."""
    op.drop_table("key_usage")
