"""Names of the columns of contexts."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Make the step."""
    op.add_column("contexts", sa.Column("column_names", sa.Text))


def downgrade() -> None:
    """Take the step back."""
    op.drop_column("contexts", "column_names")
