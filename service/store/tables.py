"""The tables. Times are seconds since 1970, UTC; `owner` is the id of the key that a row belongs to."""

from sqlalchemy import (
    DDL,
    BigInteger,
    Boolean,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    event,
    text,
)

METADATA = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
    },
)

CONTEXTS = Table(
    "contexts",
    METADATA,
    Column("id", String(40), primary_key=True),
    Column("owner", String(40), nullable=False),
    Column("model", String(100), nullable=False),
    Column("model_version", String(40), nullable=False),
    # Factor on a weight after one more observation; null forgets nothing; for decay "auto" minus the memory length;
    # of a context with n shards, which forgets nothing, 1 + n. The shards are rows whose owner is "shards:" and its id.
    Column("decay", Double),
    Column("n_observations", BigInteger, nullable=False),
    Column("inputs", Integer),  # D; null until the first observation, where the model does not fix it
    Column("outputs", Integer),  # K; null until the first observation
    Column("version", BigInteger, nullable=False),  # one more with every change
    Column("ttl", BigInteger, nullable=False),
    Column("created", Double, nullable=False),
    Column("updated", Double, nullable=False),
    Column("expires", Double, nullable=False),
    Column("name", String(200)),
    Column("labels", Text),  # as JSON; null where there are none
    # After the columns of a list, because it is long: the tensors, and the fields that no other column has.
    Column("memory", LargeBinary, key="state", nullable=False),
    Column("column_names", Text),  # of x and y, as JSON; null where there are none
    Column("table_schema", Text),  # of rows of tables, as JSON; null where there is none
    # With `expires`, so that a list passes expired contexts without reading their rows.
    Index(None, "owner", "id", "expires"),
    Index(None, "expires"),
    Index(
        None,
        "owner",
        "name",
        unique=True,
        sqlite_where=text("name IS NOT NULL"),
        postgresql_where=text("name IS NOT NULL"),
    ),
)
"""No index has a column that changes with every observation: PostgreSQL then updates a row within its page (HOT)."""

FILL_FACTOR = 50
"""Percent of a page that PostgreSQL fills with new contexts; the rest takes their next versions."""
event.listen(
    CONTEXTS,
    "after_create",
    DDL(f"ALTER TABLE contexts SET (fillfactor = {FILL_FACTOR})").execute_if(dialect="postgresql"),  # type: ignore[no-untyped-call]
)

CONTEXT_LABELS = Table(
    "context_labels",
    METADATA,
    Column("owner", String(40), nullable=False),
    Column("label", String(300), nullable=False),  # key:value
    Column("context_id", String(40), nullable=False),
    PrimaryKeyConstraint("owner", "label", "context_id"),
    sqlite_with_rowid=False,
)
"""The labels of contexts once more, to find contexts by them; written in the transaction of the context."""

CONTEXT_COUNTS = Table(
    "context_counts",
    METADATA,
    Column("owner", String(40), nullable=False),
    Column("slot", String(1), nullable=False),  # the last digit of the ids that are counted
    Column("count", BigInteger, nullable=False),
    PrimaryKeyConstraint("owner", "slot"),
    sqlite_with_rowid=False,
)
"""The number of contexts of an owner, in 16 rows, of which transactions that run at once lock different ones."""

IDEMPOTENCY_KEYS = Table(
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
"""One row for each change with an Idempotency-Key, written in the transaction of the change."""

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

KEY_USAGE = Table(
    "key_usage",
    METADATA,
    Column("key_id", String(40), nullable=False),
    Column("day", Integer, nullable=False),  # since 1970, UTC
    Column("requests", BigInteger, nullable=False),
    Column("refused", BigInteger, nullable=False),  # requests that were answered with an error
    Column("observations", BigInteger, nullable=False),
    Column("queries", BigInteger, nullable=False),
    Column("compute_seconds", Double, nullable=False),
    PrimaryKeyConstraint("key_id", "day"),
)
"""The use of each key, added up by day."""

UNLOADED = Table(
    "unloaded_models",
    METADATA,
    Column("name", String(100), nullable=False),
    Column("version", String(40), nullable=False),
    PrimaryKeyConstraint("name", "version"),
)
"""Models that an administrator disabled, for every process that shares the database."""

EVALUATIONS = Table(
    "evaluations",
    METADATA,
    Column("id", String(40), primary_key=True),
    Column("owner", String(40), nullable=False),
    Column("status", String(10), nullable=False),
    Column("total", Integer, nullable=False),  # results that there will be
    Column("reason", Text),  # why it failed
    Column("runner", String(40)),  # the process that works on it
    Column("heartbeat", Double, nullable=False),  # its last sign of life
    Column("created", Double, nullable=False),
    Column("finished", Double),
    Column("expires", Double, nullable=False),
    Column("models", Text, nullable=False),
    Column("request", Text, nullable=False),
    Index(None, "owner", "id"),
    Index(None, "status", "heartbeat"),
    Index(None, "expires"),
)

EVALUATION_RESULTS = Table(
    "evaluation_results",
    METADATA,
    Column("evaluation_id", String(40), ForeignKey("evaluations.id", ondelete="CASCADE"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("result", Text, nullable=False),
    PrimaryKeyConstraint("evaluation_id", "number"),
)

INGEST_OFFSETS = Table(
    "ingest_offsets",
    METADATA,
    Column("owner", String(40), nullable=False),
    Column("consumer", String(100), nullable=False),
    Column("stream", String(500), nullable=False),
    Column("position", String(100)),  # of the last entry that was read; null at the beginning
    Column("entries", BigInteger, nullable=False),
    Column("refused", BigInteger, nullable=False),  # entries from which nothing was learnt
    Column("table_schema", Text),  # of the rows, as JSON; null until one was readable
    Column("updated", Double, nullable=False),
    PrimaryKeyConstraint("owner", "consumer", "stream"),
)
"""How far `gdssm ingest` has read each stream, written in the transaction of the observations."""
