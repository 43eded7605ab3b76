"""The models that an administrator took out of service, for every process that shares the database."""

from collections.abc import Set as AbstractSet
from contextlib import suppress

from sqlalchemy import delete, insert, select
from sqlalchemy.exc import IntegrityError

from service.inference.artifact import ModelKey
from service.store.database import Database
from service.store.tables import UNLOADED


class DatabaseDisabledModels:
    """The table UNLOADED; implements `service.registry.disabled_models.DisabledModels`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def read(self) -> frozenset[ModelKey]:
        """Return all disabled models.

        Raises:
            DatabaseUnavailable: It does not answer.
        """
        with self._database.reading() as connection:
            rows = connection.execute(select(UNLOADED.c.name, UNLOADED.c.version))
            return frozenset((row.name, row.version) for row in rows)

    def add(self, keys: AbstractSet[ModelKey]) -> None:
        """Disable models; those that already are disabled are ignored.

        Raises:
            DatabaseUnavailable: It does not answer.
        """
        for name, version in sorted(keys):
            with suppress(IntegrityError), self._database.transaction() as connection:  # already disabled
                connection.execute(insert(UNLOADED).values(name=name, version=version))

    def remove(self, keys: AbstractSet[ModelKey]) -> None:
        """Enable models.

        Raises:
            DatabaseUnavailable: It does not answer.
        """
        with self._database.transaction() as connection:
            for name, version in sorted(keys):
                connection.execute(delete(UNLOADED).where(UNLOADED.c.name == name, UNLOADED.c.version == version))
