"""The first tables: contexts, receipts, keys, unloaded models."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the step."""
    op.create_table(
        "contexts",
        sa.Column("id", sa.String(40), nullable=False),
        sa.Column("owner", sa.String(40), nullable=False),
        sa.Column("model", sa.String(100), nullable=False),
        sa.Column("model_version", sa.String(40), nullable=False),
        sa.Column("decay", sa.Double()),
        sa.Column("n_observations", sa.BigInteger(), nullable=False),
        sa.Column("inputs", sa.Integer()),
        sa.Column("outputs", sa.Integer()),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("ttl", sa.BigInteger(), nullable=False),
        sa.Column("created", sa.Double(), nullable=False),
        sa.Column("updated", sa.Double(), nullable=False),
        sa.Column("expires", sa.Double(), nullable=False),
        sa.Column("memory", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_contexts"),
    )
    op.create_index("ix_contexts_owner_id", "contexts", ["owner", "id"])
    op.create_index("ix_contexts_owner_expires", "contexts", ["owner", "expires"])
    op.create_index("ix_contexts_expires", "contexts", ["expires"])
    op.create_table(
        "receipts",
        sa.Column("owner", sa.String(40), nullable=False),
        sa.Column("idempotency_key", sa.String(200), nullable=False),
        sa.Column("fingerprint", sa.String(64), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("expires", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("owner", "idempotency_key", name="pk_receipts"),
    )
    op.create_index("ix_receipts_expires", "receipts", ["expires"])
    op.create_table(
        "api_keys",
        sa.Column("id", sa.String(40), nullable=False),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("secret_sha256", sa.String(64), nullable=False),
        sa.Column("admin", sa.Boolean(), nullable=False),
        sa.Column("rate_limit", sa.Integer()),
        sa.Column("created", sa.Double(), nullable=False),
        sa.Column("revoked", sa.Double()),
        sa.PrimaryKeyConstraint("id", name="pk_api_keys"),
    )
    op.create_table(
        "unloaded_models",
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("version", sa.String(40), nullable=False),
        sa.PrimaryKeyConstraint("name", "version", name="pk_unloaded_models"),
    )


def downgrade() -> None:
    """Take it back."""
    for table in ("unloaded_models", "api_keys", "receipts", "contexts"):
        op.drop_table(table)
