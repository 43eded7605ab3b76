"""The rows of contexts: read, inserted and updated within a transaction of the caller."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import accumulate, groupby
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection, Row, Select, Text, bindparam, func, or_, select

from service.contexts.checked_versions import CheckedVersions
from service.contexts.record_repository import (
    BRIEF_LOCKED,
    EXPIRE_LATER,
    ID,
    OWNED,
    UPDATE,
    WITHOUT_STATE,
    C,
    RecordRepository,
    check_row,
)
from service.contexts.records import UNCONDITIONAL, Change, ContextRecord, LoadedContext, record_of, state_fields
from service.contexts.requests import ContextSpec
from service.contexts.serialization import ROW_FIELDS, canonical_state, restore, store
from service.contexts.shards import Totals, all_of, find_free, owner_of, plus, refuse_shards, totals_of
from service.errors import Conflict, InvalidInput, ServiceError, UnknownContext, UnknownModel
from service.inference.predictor import Predictor
from service.inference.runtime import Runtime
from service.lru_cache import LruCache
from service.states.context_state import ContextState, changed
from service.states.merge import join
from service.store.database import Database, chunks
from service.store.tables import CONTEXTS

WHOLE = select(*C).where(*OWNED)
WHOLE_LOCKED = WHOLE.with_for_update()
UNCHANGED = select(C.expires).where(*OWNED, C.version == bindparam("version"), C.updated == bindparam("updated"))
S = CONTEXTS.alias("shards").c
CHANGES = select(func.coalesce(func.sum(S.version), 0)).where(S.owner == bindparam("shards")).scalar_subquery()
UNCHANGED_SHARDS = select(C.expires).where(
    *OWNED, C.version + CHANGES == bindparam("version"), C.updated == bindparam("updated")
)
SOME = (C.owner == bindparam("owner"), C.id.in_(bindparam("these", expanding=True)), C.expires > bindparam("now"))
SOME_WHOLE = select(*C).where(*SOME)
ONE_ROW, HAS_SHARDS = or_(C.decay.is_(None), C.decay <= 1), C.decay > 1
SOME_BRIEF = select(C.id, C.version, C.updated, C.expires).where(*SOME, ONE_ROW).order_by(C.id)
SOME_BRIEF_LOCKED = SOME_BRIEF.with_for_update()
SOME_WITH_SHARDS = select(*WITHOUT_STATE).where(*SOME, HAS_SHARDS).order_by(C.id)
TURN = select(func.pg_advisory_xact_lock(func.hashtextextended(bindparam("context", type_=Text), 0)))


class ContextRepository(RecordRepository):
    """Loads and saves contexts by owner and id.

    Args:
        database: Has the rows.
        predictor: Has the models.
        max_contexts: Contexts that one owner may have.
        ttl: Seconds that a context is kept after its last use, unless it has its own.
        clock: Returns the seconds since 1970.
    """

    def __init__(
        self, database: Database, predictor: Predictor, max_contexts: int, ttl: int, clock: Callable[[], float]
    ) -> None:
        super().__init__(database, max_contexts, ttl, clock)
        self._predictor = predictor
        self._cache = LruCache[str, LoadedContext]()
        self._checked = CheckedVersions()
        database.subscribe(self._checked.hear)

    def load(self, owner: str, context_id: str, max_age: float = 0.0) -> LoadedContext:
        """Read a context.

        Args:
            owner: Of the context.
            context_id: Its id.
            max_age: Seconds since the last look at its row within which the row is not read again.

        Raises:
            UnknownContext: The owner has no such context, or it has expired.
            UnknownModel: Its model is not served any more.
            Conflict: The model that is served under its name has another state.
        """
        recent = self._recently_checked(owner, context_id, max_age)
        if recent is not None:
            return recent
        begun = self._checked.clock()
        with self._database.reading() as connection:
            loaded = self._load_joined(connection, owner, context_id)
        if max_age > 0:
            self._checked.note(owner, loaded.record, begun)
        return self._remember(loaded)

    def find_cached(self, owner: str, context_id: str, max_age: float = 0.0) -> LoadedContext | None:
        """Return a context if that needs no waiting and no update of its row; else None. See `load`."""
        loaded = self._recently_checked(owner, context_id, max_age)
        if loaded is None:
            begun = self._checked.clock()
            loaded = self._cached_if_unchanged(owner, context_id, self._database.read_nonblocking)
            if loaded is not None and max_age > 0:
                self._checked.note(owner, loaded.record, begun)
        return None if loaded is None or loaded.record.must_touch(self._clock()) else loaded

    def _recently_checked(self, owner: str, context_id: str, max_age: float) -> LoadedContext | None:
        """Return a cached context whose row was seen unchanged within the last seconds, and which has not expired."""
        if max_age <= 0:
            return None
        loaded = self._cache.get(context_id)
        if loaded is None or not self._checked.is_recent(owner, loaded.record, max_age):
            return None
        return loaded if loaded.record.expires > self._clock() and self._is_served(loaded) else None

    def load_for_update(
        self, connection: Connection, owner: str, context_id: str, change: Change = UNCONDITIONAL
    ) -> LoadedContext:
        """Read a context and lock its row until the end of the transaction.

        Raises:
            UnknownContext, UnknownModel, Conflict: As for `load`.
            VersionMismatch: It has another version than the change requires.
        """
        cached = self._cache.get(context_id)
        row = self._find(connection, owner, context_id, WHOLE_LOCKED if cached is None else BRIEF_LOCKED)
        check_row(row, change)
        refuse_shards(record_of(row))
        if cached is None:
            return self._restore(row)
        if self._is_current(cached, row):
            return replace(cached, record=record_of(row))
        return self._restore(self._find(connection, owner, context_id, WHOLE))

    def wait_for_turn(self, connection: Connection, context_id: str) -> None:
        """Wait for the other transactions that wait for their turn at a context; theirs ends with this transaction.

        The turn is no lock of the row, which transactions lock after they have claimed their keys. Shards have none.
        """
        cached = self._cache.get(context_id)
        if connection.dialect.name == "postgresql" and (cached is None or not cached.record.shards):
            connection.execute(TURN, {"context": f"observations of {context_id}"})

    def load_many_for_update(
        self, connection: Connection, wanted: Iterable[tuple[str, str]]
    ) -> dict[tuple[str, str], LoadedContext | ServiceError]:
        """Read contexts and lock their rows until the end of the transaction.

        The rows are locked in the order of owners and ids, so that no two transactions wait for each other.

        Args:
            connection: In the transaction.
            wanted: Owners and ids.

        Returns:
            The contexts, or for each that cannot be read the error of `load`.
        """
        return self._load_many(connection, wanted, SOME_BRIEF_LOCKED)

    def load_many(
        self, owner: str, ids: Iterable[str], max_age: float = 0.0
    ) -> dict[str, LoadedContext | ServiceError]:
        """Read contexts of an owner.

        Args:
            owner: Of the contexts.
            ids: Their ids.
            max_age: As for `load`.

        Returns:
            The contexts by id, or for each that cannot be read the error of `load`.
        """
        wanted, recent = {*ids}, dict[str, LoadedContext | ServiceError]()
        for context_id in wanted:
            loaded = self._recently_checked(owner, context_id, max_age)
            if loaded is not None:
                recent[context_id] = loaded
        unread = [(owner, context_id) for context_id in wanted - recent.keys()]
        if not unread:
            return recent
        begun = self._checked.clock()
        with self._database.reading() as connection:
            found = self._load_many(connection, unread, SOME_BRIEF)
        for one in found.values():
            if isinstance(one, LoadedContext):
                if max_age > 0:
                    self._checked.note(owner, one.record, begun)
                if self._cache.get(one.record.id) is not one:
                    self._remember(one)
        return recent | {context_id: one for (_, context_id), one in found.items()}

    def _load_many(
        self, connection: Connection, wanted: Iterable[tuple[str, str]], brief: Select[Any]
    ) -> dict[tuple[str, str], LoadedContext | ServiceError]:
        found: dict[tuple[str, str], LoadedContext | ServiceError] = {}
        for owner, pairs in groupby(sorted(set(wanted)), itemgetter(0)):
            ids = [context_id for _, context_id in pairs]
            for some in chunks([context_id for context_id in ids if ID.fullmatch(context_id)]):
                for context_id, loaded in self._load_some(connection, owner, some, brief):
                    found[owner, context_id] = loaded
            others = [context_id for context_id in ids if (owner, context_id) not in found]
            found |= {(owner, context_id): UnknownContext(context_id) for context_id in others}
            locked = brief is SOME_BRIEF_LOCKED
            for context_id, loaded in self._load_sharded(
                connection, owner, filter(ID.fullmatch, others), locked=locked
            ):
                found[owner, context_id] = loaded
        return found

    def _load_sharded(
        self, connection: Connection, owner: str, ids: Iterable[str], *, locked: bool
    ) -> Iterator[tuple[str, LoadedContext | ServiceError]]:
        """Read the contexts that have shards: for a change lock one shard of each, else join all."""
        for some in chunks(list(ids)):
            values = {"owner": owner, "now": self._clock(), "these": some}
            for first in connection.execute(SOME_WITH_SHARDS, values).all():
                try:
                    if locked:
                        yield first.id, self._load_shard(connection, record_of(first))
                    else:
                        yield first.id, self._load_joined(connection, owner, first.id)
                except ServiceError as error:
                    yield first.id, error

    def _load_joined(self, connection: Connection, owner: str, context_id: str) -> LoadedContext:
        loaded = self._cached_if_unchanged(owner, context_id, connection.scalar)
        if loaded is None:
            loaded = self._with_shards(connection, self._restore(self._find(connection, owner, context_id, WHOLE)))
        return loaded

    def _load_shard(self, connection: Connection, record: ContextRecord) -> LoadedContext:
        row = find_free(connection, record.id)
        if row is None:  # deleted meanwhile
            raise UnknownContext(record.id)
        cached, shard = self._cache.get(row.id), record_of(row)
        loaded = cached if cached is not None and self._is_current(cached, row) else self._restore(row)
        others = dict(totals_of(connection, [record.id], without=row.id)).get(record.id, Totals())
        total = plus(plus(record, others), Totals(shard.version, shard.n_observations))
        whole = self._cache.get(record.id)
        if whole is None or 2 * whole.record.version < total.version:
            first = connection.execute(select(*C).where(C.id == record.id)).first()
            if first is None:
                raise UnknownContext(record.id)
            whole = self._remember(self._with_shards(connection, self._restore(first)))
        return LoadedContext(total, loaded.state, loaded.runtime, shard, whole.state)

    def _with_shards(self, connection: Connection, first: LoadedContext) -> LoadedContext:
        """Join the state of a first row with those of the shards, if there are any, in their order."""
        if not first.record.shards:
            return first
        joined, record = first.state, first.record
        for row in all_of(connection, record.id):
            shard = self._restore(row)
            joined = join(first.runtime, joined, shard.state, allow_precision_loss=True)
            record = plus(record, Totals(row.version, row.n_observations))
        return LoadedContext(record, canonical_state(joined), first.runtime)

    def _load_some(
        self, connection: Connection, owner: str, ids: Sequence[str], brief: Select[Any]
    ) -> Iterator[tuple[str, LoadedContext | ServiceError]]:
        """Read contexts of an owner, of which only those that are not in the cache are read as a whole."""
        some, unread = {"owner": owner, "now": self._clock()}, []
        for row in connection.execute(brief, {**some, "these": ids}):
            cached = self._cache.get(row.id)
            try:
                if cached is not None and self._is_current(cached, row):
                    is_same = row.expires == cached.record.expires
                    yield (
                        row.id,
                        cached if is_same else replace(cached, record=changed(cached.record, expires=row.expires)),
                    )
                else:
                    unread.append(row.id)
            except UnknownModel as error:
                yield row.id, error
        if unread:
            for row in connection.execute(SOME_WHOLE, {**some, "these": unread}):
                try:
                    yield row.id, self._restore(row)
                except ServiceError as error:
                    yield row.id, error

    def add(
        self, connection: Connection, owner: str, runtime: Runtime, state: ContextState, spec: ContextSpec
    ) -> ContextRecord:
        """Insert a new context.

        Raises:
            QuotaExceeded: The owner has too many.
            NameTaken: The owner has one of that name.
        """
        state = canonical_state(state)
        record = self.insert(connection, owner, runtime, state, spec)
        self._remember(LoadedContext(record, state, runtime))
        return record

    def save(self, connection: Connection, loaded: LoadedContext, state: ContextState) -> ContextRecord:
        """Store the new state of a context as its next version."""
        after = self.next_version(loaded, state)
        self.save_many(connection, [after])
        return after.record

    def next_version(self, loaded: LoadedContext, state: ContextState) -> LoadedContext:
        """Make the next version of a context, which is not stored yet."""
        now, before, state = self._clock(), loaded.record, canonical_state(state)
        expires = before.end_after(now)
        new = {"version": before.version + 1, "updated": now, "expires": expires, **state_fields(state)}
        if loaded.shard is None:
            return LoadedContext(replace(before, **new), state, loaded.runtime)
        learnt = state.n_observations - loaded.state.n_observations
        shard = replace(
            loaded.shard, version=loaded.shard.version + 1, updated=now, n_observations=state.n_observations
        )
        record = replace(plus(before, Totals(1, learnt)), expires=expires)
        return replace(loaded, record=record, state=state, shard=shard)

    def next_versions(self, loaded: LoadedContext, state: ContextState, rows: Sequence[int]) -> list[LoadedContext]:
        """Make the versions of a context after observations that were learnt together, of which the last has the state.

        Args:
            loaded: The context before.
            state: After all of them, as storage rounds it.
            rows: How many observations each version has more than the one before.
        """
        now, before, count = self._clock(), loaded.record, loaded.record.n_observations
        new = {"updated": now, "expires": before.end_after(now)}
        return [
            LoadedContext(
                changed(before, version=before.version + 1 + i, n_observations=count, **new), state, loaded.runtime
            )
            for i, count in enumerate(count + total for total in accumulate(rows))
        ]

    def save_many(self, connection: Connection, contexts: Collection[LoadedContext]) -> None:
        """Store contexts after a change."""
        if contexts:
            connection.execute(UPDATE, [_changed_columns(loaded) for loaded in contexts])
        for loaded in contexts:
            record, shard = loaded.record, loaded.shard
            self._database.note_change(connection, record.id)
            if shard is None:
                self._remember(loaded)  # if the transaction fails, no row has this version
            else:
                self._remember(LoadedContext(shard, loaded.state, loaded.runtime))
                connection.execute(EXPIRE_LATER, {"this": record.id, "later": record.expires})

    def _cached_if_unchanged(
        self, owner: str, context_id: str, scalar: Callable[[Select[Any], Mapping[str, object]], Any]
    ) -> LoadedContext | None:
        """Return a cached context if its row has the same version still.

        `updated` distinguishes it from a context of the same version that came from a restored backup.

        Args:
            owner: Of the context.
            context_id: Its id.
            scalar: Reads the first value of a statement; None if there is none.
        """
        loaded = self._cache.get(context_id)
        if loaded is None:
            return None
        before = loaded.record
        row: dict[str, object] = {"this": context_id, "owner": owner, "now": self._clock()}
        row |= {"version": before.version, "updated": before.updated}
        if before.shards:
            expires = scalar(UNCHANGED_SHARDS, {**row, "shards": owner_of(context_id)})
        else:
            expires = scalar(UNCHANGED, row)
        if expires is None or not self._is_served(loaded):
            return None
        if expires == before.expires:
            return loaded
        return self._remember(replace(loaded, record=replace(before, expires=expires)))

    def _remember(self, loaded: LoadedContext) -> LoadedContext:
        self._cache.put(loaded.record.id, loaded, loaded.size)
        return loaded

    def _is_current(self, cached: LoadedContext, row: Row[Any]) -> bool:
        record = cached.record
        return (record.version, record.updated) == (row.version, row.updated) and self._is_served(cached)

    def _is_served(self, loaded: LoadedContext) -> bool:
        return loaded.runtime is self._predictor.runtime(loaded.record.model, loaded.record.model_version)

    def _restore(self, row: Row[Any]) -> LoadedContext:
        runtime, record = self._predictor.runtime(row.model, row.model_version), record_of(row)
        try:
            state = restore(row.state, runtime.manifest, {name: getattr(record, name) for name in ROW_FIELDS})
        except InvalidInput as error:
            raise Conflict(
                f"The context was made with another file of model {row.model} {row.model_version} than is served now: "
                f"{error} Restore the old file in GDSSM_MODELS, or give the new one another version."
            ) from error
        return LoadedContext(record, state, runtime)


def _changed_columns(loaded: LoadedContext) -> dict[str, Any]:
    record, state = loaded.shard or loaded.record, loaded.state
    length = state.memory_length
    return {
        "this": record.id,
        "version": record.version,
        "updated": record.updated,
        "expires": record.expires,
        "decay": state.decay if length is None else -length,
        "n_observations": state.n_observations,
        "inputs": state.inputs,
        "outputs": state.outputs,
        "column_names": state.columns.as_json(),
        "table_schema": state.table_schema,
        "state": store(state),
    }
