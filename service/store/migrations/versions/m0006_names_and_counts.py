"""Names, labels and counts of contexts.

The table of contexts is written again: its new columns stand before the long one, so that a list does not read that,
and PostgreSQL leaves room in its pages. An earlier version would add contexts without counting them; the step keeps it
from starting on the database.
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

KEPT = (
    "id, owner, model, model_version, decay, n_observations, inputs, outputs, version, ttl, created, updated, expires, "
    "memory, column_names, table_schema"
)
HAS_NAME = sa.text("name IS NOT NULL")


def upgrade() -> None:
    """Make the step."""
    for index in ("owner_id", "owner_expires", "expires"):
        op.drop_index(f"ix_contexts_{index}", "contexts")
    _write_again(sa.Column("name", sa.String(200)), sa.Column("labels", sa.Text()))
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER TABLE contexts SET (fillfactor = 50)")
    _copy()
    op.create_index("ix_contexts_owner_id_expires", "contexts", ["owner", "id", "expires"])
    op.create_index("ix_contexts_expires", "contexts", ["expires"])
    op.create_index(
        "ix_contexts_owner_name",
        "contexts",
        ["owner", "name"],
        unique=True,
        sqlite_where=HAS_NAME,
        postgresql_where=HAS_NAME,
    )
    op.create_table(
        "context_labels",
        sa.Column("owner", sa.String(40), nullable=False),
        sa.Column("label", sa.String(300), nullable=False),
        sa.Column("context_id", sa.String(40), nullable=False),
        sa.PrimaryKeyConstraint("owner", "label", "context_id", name="pk_context_labels"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "context_counts",
        sa.Column("owner", sa.String(40), nullable=False),
        sa.Column("slot", sa.String(1), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("owner", "slot", name="pk_context_counts"),
        sqlite_with_rowid=False,
    )
    op.execute(
        "INSERT INTO context_counts (owner, slot, count) "
        "SELECT owner, substr(id, 32, 1), count(*) FROM contexts GROUP BY owner, substr(id, 32, 1)"
    )


def downgrade() -> None:
    """Take the step back."""
    op.drop_table("context_counts")
    op.drop_table("context_labels")
    for index in ("owner_id_expires", "expires", "owner_name"):
        op.drop_index(f"ix_contexts_{index}", "contexts")
    _write_again()
    _copy()
    op.create_index("ix_contexts_owner_id", "contexts", ["owner", "id"])
    op.create_index("ix_contexts_owner_expires", "contexts", ["owner", "expires"])
    op.create_index("ix_contexts_expires", "contexts", ["expires"])


def _write_again(*columns: sa.Column[str]) -> None:
    """Make an empty table of contexts with further columns before the state; the earlier one is `contexts_before`."""
    op.rename_table("contexts", "contexts_before")
    if op.get_bind().dialect.name == "postgresql":  # its name is an index's, which no two may have
        op.drop_constraint("pk_contexts", "contexts_before")
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
        *columns,
        sa.Column("memory", sa.LargeBinary(), nullable=False),
        sa.Column("column_names", sa.Text()),
        sa.Column("table_schema", sa.Text()),
        sa.PrimaryKeyConstraint("id", name="pk_contexts"),
    )


def _copy() -> None:
    """Copy the rows, and drop the earlier table."""
    op.execute(f"INSERT INTO contexts ({KEPT}) SELECT {KEPT} FROM contexts_before")  # noqa: S608  (constant names)
    op.drop_table("contexts_before")
