"""Creates, updates, merges and deletes contexts; every change is one transaction."""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from contextvars import Context
from dataclasses import replace

from sqlalchemy import Connection

from service.column_names import NO_NAMES
from service.contexts import serialization
from service.contexts.batches import ContextBatches
from service.contexts.idempotency import IdempotentTransaction, run_idempotent
from service.contexts.observing import Result, learn_new, observe_many
from service.contexts.reading import ContextReader
from service.contexts.records import UNCONDITIONAL, Amendment, Change, ContextRecord
from service.contexts.repository import ContextRepository
from service.contexts.requests import ANY_CONTEXT, ContextSpec, ObserveRequest, allowed, empty_context
from service.contexts.shards import check_can_shard
from service.contexts.tables import TableRows, merged_schema
from service.errors import Conflict, InvalidInput, NameTaken, Problem, ServiceError, UnknownContext, UnknownModel
from service.inference.predictor import Observations, Predictor
from service.inference.runtime import Runtime
from service.states.merge import join
from service.store.database import Database

logger = logging.getLogger(__name__)

ATTEMPTS = 10
"""Times that a context may be deleted, and another one of its name created, before this is reported."""


class ContextService(ContextReader):
    """The contexts of all owners, read and changed.

    Every change raises VersionMismatch and Conflict as its conditions require, and the errors of `ContextReader`. The
    arguments are those of `ContextRepository`.
    """

    def __init__(
        self,
        database: Database,
        predictor: Predictor,
        max_contexts: int,
        ttl: int,
        clock: Callable[[], float] = time.time,
    ) -> None:
        super().__init__(ContextRepository(database, predictor, max_contexts, ttl, clock), predictor)
        self._database = database
        self._clock = clock
        self.batches = ContextBatches(self.repository, database, predictor, clock, self._readouts)

    def create(
        self,
        owner: str,
        spec: ContextSpec = ANY_CONTEXT,
        first: Observations | TableRows | None = None,
        change: Change = UNCONDITIONAL,
    ) -> ContextRecord:
        """Make a context, empty or with its first observations.

        Raises:
            UnknownModel: No such model.
            UnknownContext: `like` is none of the owner's.
            UnsupportedByModel: It has no state, cannot forget, or makes no features.
            InvalidInput: The first observations do not fit.
            QuotaExceeded: The owner keeps too many.
            NameTaken: The owner has a context of that name.
        """
        with self._transaction(owner, change, spec.fields(first)) as transaction:
            if transaction.is_replay:
                return ContextRecord.from_json(transaction.answer)
            like = None if spec.like is None else self.repository.load(owner, spec.like)
            runtime, state = empty_context(self._predictor, spec, like)
            if first is not None:
                state = learn_new(runtime, self.limits, state, first, "observations.")
            check_can_shard(runtime.manifest, state, spec.shards)
            transaction.answer = record = self.repository.add(transaction.connection, owner, runtime, state, spec)
            return record

    def create_or_return(self, owner: str, name: str, spec: ContextSpec = ANY_CONTEXT) -> tuple[ContextRecord, bool]:
        """Return the context of a name, and whether it was created; of several callers at once one creates it.

        An existing context takes the ttl and the labels, and must have the model, version, decay and names of columns
        that are given. The other fields of the spec are used only when it is created.

        Raises:
            Conflict: There is a context of that name with another model, version, decay or other names of columns.
            UnknownModel, UnknownContext, UnsupportedByModel, InvalidInput, QuotaExceeded: As for `create`.
        """
        for _ in range(ATTEMPTS):
            found = self.find_named(owner, name)
            if found is None:
                with suppress(NameTaken):
                    return self.create(owner, replace(spec, name=name)), True
                continue
            _check_same(found, spec)
            with suppress(UnknownContext):  # deleted meanwhile
                return self.amend(owner, found.id, Amendment(labels=spec.labels, ttl=spec.ttl)), False
        raise NameTaken(name)

    def observe(
        self,
        owner: str,
        context_id: str,
        new: Observations | TableRows,
        change: Change = UNCONDITIONAL,
        *,
        allow_precision_loss: bool = False,
    ) -> ContextRecord:
        """Learn further observations; negative weights take observations out again.

        Raises:
            InvalidInput: The observations do not fit.
            PrecisionLoss: They cost digits, which is not allowed, or cannot be taken out exactly.
            UnsupportedByModel: The model cannot take observations out.
            NumericOverflow: The state is beyond floating point.
        """
        request = ObserveRequest(owner, context_id, new, change, allow_precision_loss)
        (result,) = self.observe_many([request])
        if isinstance(result, ServiceError):
            raise result
        record: ContextRecord = result
        return record

    def observe_many(self, requests: Sequence[ObserveRequest]) -> list[Result]:
        """Learn further observations of many contexts in one transaction.

        Requests for one context are learnt in their order, each as its next version. A request that fails changes
        nothing, and the others are learnt; a key that was used by `observe` is answered as there.

        Returns:
            For each request the context after it (of a `StepRequest` its answer), or the error that `observe` raises.

        Raises:
            DatabaseUnavailable: Nothing was learnt, or the message says that this is unknown.
        """
        with self._database.transaction() as connection:
            return self._learn(connection, requests)

    def observe_waiting(
        self, context_id: str, take: Callable[[], tuple[Sequence[ObserveRequest], Sequence[Context]]]
    ) -> list[Result]:
        """Learn the observations that wait for a context, as `observe_many` does, once no other transaction has it.

        Args:
            context_id: Of the context.
            take: Returns the requests, and the context variables with which each is learnt; called when it is their
                turn, so that they may become more while they wait.

        Raises:
            DatabaseUnavailable: Nothing was learnt, or the message says that this is unknown.
        """
        with self._database.transaction() as connection:
            self.repository.wait_for_turn(connection, context_id)
            return self._learn(connection, *take())

    def amend(self, owner: str, context_id: str, amendment: Amendment, change: Change = UNCONDITIONAL) -> ContextRecord:
        """Change the name, the labels or the ttl of a context.

        Raises:
            NameTaken: The owner has another context of that name.
        """
        request = {"amend": context_id, **vars(amendment.checked())}
        with self._transaction(owner, change, request) as transaction:
            if transaction.is_replay:
                return ContextRecord.from_json(transaction.answer)
            before = self.repository.record_for_update(transaction.connection, owner, context_id, change)
            transaction.answer = record = self.repository.amend(transaction.connection, owner, before, amendment)
            return record

    def delete(self, owner: str, context_id: str, change: Change = UNCONDITIONAL) -> None:
        """Delete a context."""
        with self._transaction(owner, change, {"delete": context_id}) as transaction:
            if not transaction.is_replay:
                self.repository.delete(transaction.connection, owner, context_id, change)

    def merge(
        self,
        owner: str,
        context_id: str,
        other_id: str,
        change: Change = UNCONDITIONAL,
        *,
        allow_precision_loss: bool = False,
    ) -> ContextRecord:
        """Add the observations of another context of the same model, as if they came later; the other is unchanged.

        Raises:
            PrecisionLoss: The other costs this one its digits, which is not allowed.
            UnsupportedByModel: States of the model do not merge.
            InvalidInput: They were observed with different widths, or are one and the same.
            Conflict: They are of different models, versions or decays.
        """
        if context_id == other_id:
            raise InvalidInput(Problem("context", "is this context itself. Name another: nothing may count twice."))

        request = {"merge": context_id, "other": other_id, **allowed(allow_precision_loss)}
        with self._transaction(owner, change, request) as transaction:
            if transaction.is_replay:
                return ContextRecord.from_json(transaction.answer)
            conditions = {context_id: change, other_id: UNCONDITIONAL}
            # In the order of their ids, so that no two merges wait for each other.
            loaded = {
                name: self.repository.load_for_update(transaction.connection, owner, name, conditions[name])
                for name in sorted(conditions)
            }
            older, newer = loaded[context_id], loaded[other_id]
            _check_alike(older.record, newer.record)
            schema = merged_schema(older.record.table_schema, newer.record.table_schema)
            joined = join(older.runtime, older.state, newer.state, allow_precision_loss=allow_precision_loss)
            joined = replace(joined, table_schema=schema)
            transaction.answer = record = self.repository.save(transaction.connection, older, joined)
            return record

    def load(
        self, owner: str, portable_bytes: bytes, *, ttl: int | None = None, change: Change = UNCONDITIONAL
    ) -> ContextRecord:
        """Make a context of portable bytes.

        Raises:
            InvalidInput: They are not what `export` wrote, whole and unchanged, or over a limit.
            Conflict: They are of a model that is not served here.
            QuotaExceeded: The owner keeps too many.
        """
        archive = serialization.read(portable_bytes)
        header = archive.header
        with self._transaction(owner, change, {"load": header.sha256, "ttl": ttl}) as transaction:
            if transaction.is_replay:
                return ContextRecord.from_json(transaction.answer)
            runtime = self._model_of(header)
            state = serialization.state_of_archive(archive, runtime.manifest)
            serialization.check_imported(state, runtime.manifest, self.limits)
            transaction.answer = record = self.repository.add(
                transaction.connection, owner, runtime, state, ContextSpec(ttl=ttl)
            )
            return record

    def sweep(self, stopped: Callable[[], bool] = lambda: False) -> int:
        """Remove what has expired, until `stopped` says to leave the rest; returns how many contexts."""
        removed = self.repository.sweep(stopped)
        if removed:
            logger.info("removed %d expired contexts", removed)
        return removed

    def _learn(
        self, connection: Connection, requests: Sequence[ObserveRequest], variables: Sequence[Context] | None = None
    ) -> list[Result]:
        limits, now, readouts = self._predictor.limits, self._clock(), self._readouts
        return observe_many(connection, self.repository, limits, requests, now, variables=variables, readouts=readouts)

    def _transaction(
        self, owner: str, change: Change, request: Mapping[str, object]
    ) -> AbstractContextManager[IdempotentTransaction]:
        terms = {**request, "if_version": change.if_version}
        return run_idempotent(self._database, owner, change.idempotency_key, terms, self._clock())

    def _model_of(self, header: serialization.Header) -> Runtime:
        try:
            runtime = self._predictor.runtime(header.model, header.model_version)
        except UnknownModel as error:
            problem = f"The bytes are of model {header.model!r} {header.model_version!r}, which is not served here."
            raise Conflict(f"{problem} {error}") from error
        if runtime.manifest.sha256 != header.model_sha256:
            raise Conflict(
                f"The bytes are of another file of model {header.model} {header.model_version} than is served here "
                f"({header.model_sha256[:12]}…, not {runtime.manifest.sha256[:12]}…). Take them to the service they "
                "came from, or serve that file."
            )
        return runtime


def _check_alike(older: ContextRecord, newer: ContextRecord) -> None:
    for what in ("model", "model_version", "decay"):
        here, there = getattr(older, what), getattr(newer, what)
        if here != there:
            words = what.replace("_", " ")
            raise Conflict(f"This context has {words} {here}, the other {there}. Merge contexts that are alike.")


def _check_same(record: ContextRecord, spec: ContextSpec) -> None:
    given: dict[str, object] = {"model": spec.model, "model_version": spec.version, "decay": spec.decay}
    given["columns"] = None if spec.columns == NO_NAMES else spec.columns
    different = {field: value for field, value in given.items() if value not in (None, getattr(record, field))}
    if different:
        texts = [
            f"{field.replace('_', ' ')} {getattr(record, field)}, not {value}" for field, value in different.items()
        ]
        raise Conflict(
            f"The context named {record.name!r} ({record.id}) has {' and '.join(texts)}. Leave this out, choose "
            "another name, or delete that context first."
        )
