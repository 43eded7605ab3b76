"""What is stored. Times are seconds since 1970, UTC; `owner` is the id of the key that a row belongs to."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Double,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
)

METADATA = MetaData(
    naming_convention={"ix": "ix_%(table_name)s_%(column_0_N_name)s", "pk": "pk_%(table_name)s"},
)

CONTEXTS = Table(
    "contexts",
    METADATA,
    Column("id", String(40), primary_key=True),
    Column("owner", String(40), nullable=False),
    Column("model", String(100), nullable=False),
    Column("model_version", String(40), nullable=False),
    Column("decay", Double),  # what is left of an observation after one more; null forgets nothing
    Column("state", LargeBinary),  # as `portable` writes it; null is "nothing seen yet"
    Column("n_observations", BigInteger, nullable=False),
    Column("flat_y", Boolean),  # whether y comes as numbers rather than rows; null until the first observation
    Column("version", BigInteger, nullable=False),  # one more with every change
    Column("ttl", BigInteger, nullable=False),
    Column("created", Double, nullable=False),
    Column("updated", Double, nullable=False),
    Column("expires", Double, nullable=False),
    Index(None, "owner", "id"),
    Index(None, "expires"),
)

RECEIPTS = Table(
    "receipts",
    METADATA,
    Column("owner", String(40), nullable=False),
    Column("idempotency_key", String(200), nullable=False),
    Column("fingerprint", String(64), nullable=False),  # of the request that it was used for
    Column("answer", Text, nullable=False),
    Column("expires", Double, nullable=False),
    PrimaryKeyConstraint("owner", "idempotency_key"),
    Index(None, "expires"),
)
"""One row for each change that was asked for with an Idempotency-Key, written in the transaction of the change."""

KEYS = Table(
    "api_keys",
    METADATA,
    Column("id", String(40), primary_key=True),
    Column("name", String(100), nullable=False),
    Column("secret_sha256", String(64), nullable=False),
    Column("admin", Boolean, nullable=False),
    Column("rate_limit", Integer),  # requests a minute; null is the setting's
    Column("created", Double, nullable=False),
    Column("revoked", Double),
)

UNLOADED = Table(
    "unloaded_models",
    METADATA,
    Column("name", String(100), nullable=False),
    Column("version", String(40), nullable=False),
    PrimaryKeyConstraint("name", "version"),
)
"""Models that an administrator took out of service, for every process that shares the database."""
