"""How far streams are read by `gdssm ingest`."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Make the step."""
    op.create_table(
        "ingest_offsets",
        sa.Column("owner", sa.String(40), nullable=False),
        sa.Column("consumer", sa.String(100), nullable=False),
        sa.Column("stream", sa.String(500), nullable=False),
        sa.Column("position", sa.String(100)),
        sa.Column("entries", sa.BigInteger(), nullable=False),
        sa.Column("refused", sa.BigInteger(), nullable=False),
        sa.Column("table_schema", sa.Text()),
        sa.Column("updated", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("owner", "consumer", "stream", name="pk_ingest_offsets"),
    )


def downgrade() -> None:
    """Take the step back."""
    op.drop_table("ingest_offsets")
