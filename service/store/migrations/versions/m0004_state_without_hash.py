"""States of contexts without the header and the hash of an export.

No table changes: rows of both forms are read, and each is rewritten with its next change. The step keeps an earlier
version, which reads only the old form, from starting on the database.
"""

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Change no table."""


def downgrade() -> None:
    """Change no table."""
