"""Where contexts are kept: one row each, taken out and put back within one transaction."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, TypeVar

from sqlalchemy import Connection, Row
from sqlalchemy.exc import IntegrityError

from service.column_names import names_from
from service.contexts import idempotency, statements
from service.contexts.context_cache import ContextCache, LoadedContext
from service.contexts.context_record import UNCONDITIONAL, Change, ContextRecord
from service.contexts.decay_setting import AUTO
from service.contexts.serialization import canonical_state, read, state_of_archive, write
from service.contexts.state import ContextState
from service.errors import Conflict, InvalidInput, Problem, QuotaExceeded, UnknownContext, VersionMismatch
from service.inference.predictor import Predictor
from service.inference.runtime import Runtime
from service.store.database import Database
from service.store.ids import new_id

Answer = TypeVar("Answer")

ID = re.compile(r"[0-9a-f]{32}")
KEY = re.compile(r"[ -~]{1,200}")
UNTOUCHED = 0.05
"""Reading keeps a context for its ttl anew; that is written down when it moves the end by this share of the ttl."""


SHOWN = ("decay", "memory_length", "n_observations", "inputs", "outputs", "columns")
"""What a record repeats of a memory."""


class ContextRepository:
    """Finds, adds, stores and keeps the contexts of owners.

    Args:
        database: Where they live.
        predictor: Has the models.
        max_contexts: Most that one owner may keep.
        ttl: Seconds that a context is kept after its last use, unless it says otherwise.
        clock: Tells the seconds since 1970.
    """

    def __init__(
        self, database: Database, predictor: Predictor, max_contexts: int, ttl: int, clock: Callable[[], float]
    ) -> None:
        self._database = database
        self._predictor = predictor
        self._max_contexts = max_contexts
        self._ttl = ttl
        self._clock = clock
        self._cache = ContextCache()

    def once(
        self,
        owner: str,
        change: Change,
        request: Mapping[str, object],
        make: Callable[[Connection], Answer],
    ) -> Answer:
        """Make a change in one transaction; if it was made under this key before, answer as then.

        Args:
            owner: Whose key it is.
            change: Has the key, if any.
            request: All that tells this change from another.
            make: Makes it, and answers what JSON can hold.

        Raises:
            Conflict: The key was used for another change.
        """
        key = change.idempotency_key
        if key is None:
            with self._database.transaction() as connection:
                return make(connection)
        if not KEY.fullmatch(key):
            raise InvalidInput(Problem("idempotency-key", "must be 1 to 200 printable ASCII characters."))
        receipt = idempotency.IdempotencyKey(owner, key, idempotency.fingerprint(request), self._clock())
        try:
            return self._under(receipt, make)
        except IntegrityError:  # another one with this key was faster: what was done here is undone, and found there
            return self._under(receipt, make)

    def look(self, owner: str, context_id: str) -> LoadedContext:
        """Read a context; it may change at once."""
        with self._database.reading() as connection:
            held = self._unchanged(owner, context_id, connection.scalar)
            if held is not None:
                return held
            row = self._find(connection, owner, context_id, whole=True)
        held = self._load(row)
        self._cache.keep(held)
        return held

    def find_cached(self, owner: str, context_id: str) -> LoadedContext | None:
        """Do what `look` does, if nothing has to be waited for, and if the context needs not be touched; else None."""
        held = self._unchanged(owner, context_id, self._database.read_nonblocking)
        return None if held is None or self._is_due(held.record) else held

    def hold(
        self, connection: Connection, owner: str, context_id: str, change: Change = UNCONDITIONAL
    ) -> LoadedContext:
        """Take a context out: until the end of the transaction nobody else changes it.

        Raises:
            UnknownContext: The owner has none of that name, or its time is over.
            VersionMismatch: It has another version.
            UnknownModel: Its model is not served any more.
            Conflict: Another model is served in its name.
        """
        kept = self._cache.get(context_id)
        row = self._find(connection, owner, context_id, whole=kept is None, lock=True)
        _check_version(row, change)
        if kept is None:
            return self._load(row)
        if (kept.record.version, kept.record.updated) == (row.version, row.updated) and self._is_served(kept):
            return replace(kept, record=record_of(row))
        return self._load(self._find(connection, owner, context_id, whole=True))

    def record(self, owner: str, context_id: str) -> ContextRecord:
        """Read what is known of a context.

        Raises:
            UnknownContext: The owner has none of that name, or its time is over.
        """
        with self._database.reading() as connection:
            return record_of(self._find(connection, owner, context_id))

    def remove(self, connection: Connection, owner: str, context_id: str, change: Change) -> None:
        """Forget a context.

        Raises:
            UnknownContext: The owner has none of that name, or its time is over.
            VersionMismatch: It has another version.
        """
        _check_version(self._find(connection, owner, context_id, lock=True), change)
        statements.remove(connection, context_id)

    def add(
        self, connection: Connection, owner: str, runtime: Runtime, memory: ContextState, ttl: int | None
    ) -> ContextRecord:
        """Put a new context there.

        Raises:
            QuotaExceeded: The owner keeps too many.
        """
        now, ttl, memory = self._clock(), ttl or self._ttl, canonical_state(memory)
        if statements.count(connection, owner, now, self._max_contexts) >= self._max_contexts:
            raise QuotaExceeded(
                f"One key may keep at most {self._max_contexts} contexts (GDSSM_MAX_CONTEXTS). Delete one, or give "
                "them a shorter ttl."
            )
        record = ContextRecord(
            id=new_id(now),
            model=runtime.manifest.name,
            model_version=runtime.manifest.version,
            version=1,
            ttl=ttl,
            created=now,
            updated=now,
            expires=now + ttl,
            **_shown(memory),
        )
        statements.add(connection, owner=owner, memory=write(runtime.manifest, memory), **_columns(vars(record)))
        self._cache.keep(LoadedContext(record, memory, runtime))
        return record

    def store(self, connection: Connection, held: LoadedContext, memory: ContextState) -> ContextRecord:
        """Put a context back with what it has learnt."""
        now, before, memory = self._clock(), held.record, canonical_state(memory)
        new = {"version": before.version + 1, "updated": now, "expires": now + before.ttl, **_shown(memory)}
        statements.change(connection, before.id, memory=write(held.runtime.manifest, memory), **_columns(new))
        after = replace(before, **new)
        self._cache.keep(replace(held, record=after, memory=memory))  # of no use to anybody if this is undone
        return after

    def touch(self, record: ContextRecord) -> ContextRecord:
        """Start the ttl of a context again after it was read, unless that has to wait for another writer.

        Not every time is written down.
        """
        if not self._is_due(record):
            return record
        expires = self._clock() + record.ttl
        made = self._database.write_at_once(lambda connection: statements.touch(connection, record.id, expires))
        return replace(record, expires=expires) if made else record

    def sweep(self) -> int:
        """Remove contexts and receipts whose time is over; returns how many contexts."""
        now = self._clock()
        with self._database.transaction() as connection:
            idempotency.sweep(connection, now)
            return statements.sweep(connection, now)

    def _is_due(self, record: ContextRecord) -> bool:
        return self._clock() + record.ttl - record.expires > UNTOUCHED * record.ttl

    def _under(self, receipt: idempotency.IdempotencyKey, make: Callable[[Connection], Answer]) -> Answer:
        with self._database.transaction() as connection:
            answered = idempotency.find(connection, receipt)
            if answered is not None:
                found: Answer = json.loads(answered)
                return found
            answer = make(connection)
            idempotency.keep(connection, receipt, json.dumps(answer))
            return answer

    def _find(
        self, connection: Connection, owner: str, context_id: str, *, whole: bool = False, lock: bool = False
    ) -> Row[Any]:
        row = None
        if ID.fullmatch(context_id):  # anything else need not even be a text to a database
            row = statements.find(connection, owner, context_id, self._clock(), whole=whole, lock=lock)
        if row is None:
            raise UnknownContext(context_id)
        return row

    def _unchanged(self, owner: str, context_id: str, scalar: statements.Scalar) -> LoadedContext | None:
        """Find a context among those last used here, if the database says that it is still as it was then.

        Whoever changes it gives it another version, anywhere. So one row is looked at, by its key; what is long about
        a context is neither fetched nor read nor checked again.
        """
        held = self._cache.get(context_id)
        if held is None:
            return None
        was = held.record
        now = self._clock()
        expires = statements.expires_unchanged(scalar, owner, context_id, now, version=was.version, updated=was.updated)
        if expires is None or not self._is_served(held):
            return None
        if expires != was.expires:
            held = replace(held, record=replace(was, expires=expires))
            self._cache.keep(held)
        return held

    def _is_served(self, held: LoadedContext) -> bool:
        return held.runtime is self._predictor.runtime(held.record.model, held.record.model_version)

    def _load(self, row: Row[Any]) -> LoadedContext:
        runtime = self._predictor.runtime(row.model, row.model_version)
        try:
            memory = state_of_archive(read(row.memory), runtime.manifest)
        except InvalidInput as error:
            raise Conflict(
                f"The context was made with another file of model {row.model} {row.model_version} than is served now: "
                f"{error} Whoever runs the service can put the old file back, or give the new one a version of its own."
            ) from error
        return LoadedContext(record_of(row), memory, runtime)


def record_of(row: Row[Any]) -> ContextRecord:
    """Read a row of the table."""
    names = ContextRecord.__dataclass_fields__.keys() - {"memory_length", "columns"}
    read = {name: getattr(row, name) for name in names}
    read["columns"] = names_from(getattr(row, "column_names", None))
    is_auto = row.decay is not None and row.decay <= 0
    return ContextRecord(**read | {"decay": AUTO, "memory_length": -row.decay} if is_auto else read)


def _shown(memory: ContextState) -> dict[str, Any]:
    """What a record repeats of a memory."""
    return {name: getattr(memory, name) for name in SHOWN}


def _columns(values: Mapping[str, Any]) -> dict[str, Any]:
    """Write what a record says as columns of the table: the memory length of decay auto stands in its place."""
    written = {name: value for name, value in values.items() if name not in {"memory_length", "columns"}}
    length = values["memory_length"]
    return written | {"column_names": values["columns"].as_json()} | ({} if length is None else {"decay": -length})


def _check_version(row: Row[Any], change: Change) -> None:
    if change.if_version not in {None, row.version}:
        raise VersionMismatch(
            f"The context has version {row.version}; this change is for version {change.if_version}. Look at it again, "
            "and send the change with the version that it has then."
        )
