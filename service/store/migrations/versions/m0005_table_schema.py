"""Schemas of the tables whose rows contexts have observed."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Make the step."""
    op.add_column("contexts", sa.Column("table_schema", sa.Text))


def downgrade() -> None:
    """Take the step back."""
    op.drop_column("contexts", "table_schema")
