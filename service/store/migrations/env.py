"""What alembic runs to make the steps: over the connection that it was given, in its transaction."""

from alembic import context

from service.store.tables import METADATA

context.configure(connection=context.config.attributes["connection"], target_metadata=METADATA)
context.run_migrations()
