"""API keys: made once, shown once, kept as a hash.

A key is `gdssm_<id>_<secret>`. The id says whose it is and is no secret; the secret is 256 random bits. One round of
SHA-256 keeps it: slow hashes protect passwords, which can be guessed, and 2²⁵⁶ secrets cannot. A slow hash here would
only cost every request its time and hand attackers a way to keep the service busy.
"""

import hashlib
import secrets
import time
from dataclasses import dataclass

from sqlalchemy import RowMapping, insert, select, update

from service.errors import InvalidInput, Problem
from service.store.database import Database
from service.store.tables import KEYS

PREFIX = "gdssm"
SECRET_BYTES = 32
LONGEST_NAME = 100


@dataclass(frozen=True)
class Key:
    """What is known of a key; not the key itself."""

    id: str
    """Owner of the contexts that are made with it."""
    name: str
    secret_sha256: str
    admin: bool
    rate_limit: int | None
    """Requests a minute; None is the setting's."""
    created: float
    """Seconds since 1970."""
    revoked: float | None


class Keys:
    """The register of keys in a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def create(self, name: str, *, admin: bool = False, rate_limit: int | None = None) -> str:
        """Make a key; only its hash is kept.

        Args:
            name: For people, to know it again.
            admin: Whether it may load and unload models.
            rate_limit: Requests a minute that it may make of one process; None is GDSSM_RATE_LIMIT.

        Returns:
            The key, in the one moment that it is known.

        Raises:
            InvalidInput: The name is empty, too long, or not printable.
        """
        if not (0 < len(name) <= LONGEST_NAME and name.isprintable()):
            raise InvalidInput(
                Problem("name", f"must be 1 to {LONGEST_NAME} printable characters; this is {name[:60]!r}.")
            )
        key_id, secret = secrets.token_hex(8), secrets.token_urlsafe(SECRET_BYTES)
        row = {
            "id": key_id,
            "name": name,
            "secret_sha256": hash_of(secret),
            "admin": admin,
            "rate_limit": rate_limit,
            "created": time.time(),
        }
        with self._database.transaction() as connection:
            connection.execute(insert(KEYS).values(row))
        return f"{PREFIX}_{key_id}_{secret}"

    def list(self) -> tuple[Key, ...]:
        """List every key that was ever made, oldest first."""
        with self._database.reading() as connection:
            rows = connection.execute(select(KEYS).order_by(KEYS.c.created, KEYS.c.id)).mappings()
            return tuple(map(_key, rows))

    def in_force(self) -> dict[str, Key]:
        """Find the keys that open, by id."""
        with self._database.reading() as connection:
            rows = connection.execute(select(KEYS).where(KEYS.c.revoked.is_(None))).mappings()
            return {row["id"]: _key(row) for row in rows}

    def revoke(self, key_id: str) -> None:
        """Make a key useless from now on; its contexts stay until their time is over.

        Raises:
            InvalidInput: No key in force has this id.
        """
        found = update(KEYS).where(KEYS.c.id == key_id, KEYS.c.revoked.is_(None)).values(revoked=time.time())
        with self._database.transaction() as connection:
            if connection.execute(found).rowcount == 0:
                raise InvalidInput(
                    Problem("ID", f"no key in force has the id {key_id[:60]!r}. `keys list` shows the ids.")
                )


def hash_of(secret: str) -> str:
    """Hash a secret for keeping and comparing."""
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).hexdigest()


def _key(row: RowMapping) -> Key:
    return Key(**row)
