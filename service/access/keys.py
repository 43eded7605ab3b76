"""API keys, shown once when they are created, and stored as hashes.

A key is `gdssm_<id>_<secret>`. The id names its owner and is not secret; the secret has 256 random bits and is hashed
by one round of SHA-256. Slow hashes protect passwords that can be guessed, which 256 random bits cannot; a slow hash
would delay every request and let attackers exhaust the processor.
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
NAME_LENGTH_LIMIT = 100


@dataclass(frozen=True)
class Caller:
    """The holder of one key; without authentication all requests have one caller."""

    key_id: str
    """Owner of the contexts that the caller creates; empty without authentication."""
    admin: bool
    """Whether the caller may load and unload models."""
    rate_limit: int | None = None
    """Requests a minute; None is the setting's limit."""


ANONYMOUS = Caller("", admin=True)
"""The caller without authentication."""


@dataclass(frozen=True)
class Key:
    """The record of a key, without its secret."""

    id: str
    """Owner of the contexts that are created with it."""
    name: str
    secret_sha256: str
    admin: bool
    rate_limit: int | None
    """Requests a minute; None is the setting's limit."""
    created: float
    """Seconds since 1970."""
    revoked: float | None


class Keys:
    """The table of keys in a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def create(self, name: str, *, admin: bool = False, rate_limit: int | None = None) -> str:
        """Create a key; only its hash is stored.

        Args:
            name: A label of the key.
            admin: Whether it may load and unload models.
            rate_limit: Requests a minute to one process; None is GDSSM_RATE_LIMIT.

        Returns:
            The key; it cannot be read again.

        Raises:
            InvalidInput: The name is empty, too long, or not printable.
        """
        if not (0 < len(name) <= NAME_LENGTH_LIMIT and name.isprintable()):
            raise InvalidInput(
                Problem("name", f"must be 1 to {NAME_LENGTH_LIMIT} printable characters; this is {name[:60]!r}.")
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
        """List all keys, revoked ones too, oldest first."""
        with self._database.reading() as connection:
            rows = connection.execute(select(KEYS).order_by(KEYS.c.created, KEYS.c.id)).mappings()
            return tuple(map(_key, rows))

    def in_force(self) -> dict[str, Key]:
        """Get the keys that are not revoked, by id."""
        with self._database.reading() as connection:
            rows = connection.execute(select(KEYS).where(KEYS.c.revoked.is_(None))).mappings()
            return {row["id"]: _key(row) for row in rows}

    def revoke(self, key_id: str) -> None:
        """Revoke a key; its contexts stay until they expire.

        Raises:
            InvalidInput: No valid key has this id.
        """
        found = update(KEYS).where(KEYS.c.id == key_id, KEYS.c.revoked.is_(None)).values(revoked=time.time())
        with self._database.transaction() as connection:
            if connection.execute(found).rowcount == 0:
                raise InvalidInput(
                    Problem("ID", f"no valid key has the id {key_id[:60]!r}. `keys list` shows the ids.")
                )


def id_of(key: str) -> str:
    """Read the id of a key that `Keys.create` returned."""
    return key.split("_")[1]


def hash_of(secret: str) -> str:
    """Hash a secret."""
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).hexdigest()


def _key(row: RowMapping) -> Key:
    return Key(**row)
