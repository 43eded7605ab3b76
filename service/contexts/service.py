"""Creates, updates, queries, merges and deletes contexts; every change is one transaction."""

import logging
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import replace
from typing import TypeVar

from service.column_names import ColumnNames, arrange, arrange_query
from service.contexts import serialization
from service.contexts.batch_service import ContextBatches
from service.contexts.batches import Run, learn_new, observe_many, run_here
from service.contexts.cache import ReadoutCache
from service.contexts.empty_contexts import empty_context
from service.contexts.idempotency import IdempotentTransaction, run_idempotent
from service.contexts.learning import check_step, learn, widen
from service.contexts.merge import join
from service.contexts.record_reader import ID
from service.contexts.records import (
    UNCONDITIONAL,
    Amendment,
    Change,
    ContextDetails,
    ContextRecord,
    LoadedContext,
    RecordPage,
    StreamStep,
)
from service.contexts.repository import ContextRepository
from service.contexts.requests import ANY_CONTEXT, ContextSpec, ObserveRequest, allowed, fields_of
from service.contexts.shards import check_can_shard
from service.contexts.state import answer
from service.contexts.tables import (
    PredictedTable,
    TableRows,
    encode_queries,
    encode_rows,
    merged_schema,
    parsed,
    query_of_row,
    schema_of,
    written,
)
from service.errors import (
    Conflict,
    InvalidInput,
    NumericOverflow,
    Problem,
    ServiceError,
    UnknownContext,
    UnknownModel,
    UnsupportedByModel,
)
from service.explaining.explanation import explain_state
from service.explaining.implicit_weights import implicit_weights_in
from service.explaining.terms import Explanation, Part
from service.inference.checks import Limits
from service.inference.distribution import NOTHING, Wanted, check_wanted
from service.inference.predictor import Observations, Prediction, Predictor
from service.inference.runtime import Runtime
from service.inference.sizes import Array
from service.store.database import Database
from service.tables.cells import Table
from service.tables.describing import Described, describe_columns
from service.tables.encoding import Findings
from service.tables.predicting import PredictedRows

Answer = TypeVar("Answer")

logger = logging.getLogger(__name__)


class ContextService:
    """The contexts of all owners.

    Every method that names a context raises UnknownContext if the owner has no such context, or if it has expired;
    every change raises VersionMismatch and Conflict as its conditions require; all raise DatabaseUnavailable.

    Args:
        database: Has the contexts.
        predictor: Has the models and the limits.
        max_contexts: Contexts that one owner may have.
        ttl: Seconds that a context is kept after its last use, unless it has its own.
        clock: Returns the seconds since 1970.
    """

    def __init__(
        self,
        database: Database,
        predictor: Predictor,
        max_contexts: int,
        ttl: int,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._database = database
        self._predictor = predictor
        self.repository = ContextRepository(database, predictor, max_contexts, ttl, clock)
        self._clock = clock
        self._readouts = ReadoutCache()
        self.batches = ContextBatches(self, database, predictor, clock, self._readouts)

    @property
    def limits(self) -> Limits:
        """Of one request."""
        return self._predictor.limits

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
        return result

    def observe_many(self, requests: Sequence[ObserveRequest]) -> list[ContextRecord | ServiceError]:
        """Learn further observations of many contexts in one transaction.

        Requests for one context are learnt in their order, each as its next version. A request that fails changes
        nothing, and the others are learnt; a key that was used by `observe` is answered as there.

        Returns:
            For each request the context after it, or the error that `observe` raises.

        Raises:
            DatabaseUnavailable: Nothing was learnt, or the message says that this is unknown.
        """
        with self._database.transaction() as connection:
            return observe_many(connection, self.repository, self.limits, requests, self._clock())

    def observe_waiting(
        self, context_id: str, take: Callable[[], Sequence[ObserveRequest]], run: Run = run_here
    ) -> list[ContextRecord | ServiceError]:
        """Learn the observations that wait for a context, as `observe_many` does, once no other transaction has it.

        Args:
            context_id: Of the context.
            take: Returns the requests; called when it is their turn, so that they may become more while they wait.
            run: Calls the function that learns the observations of one request, by its number.

        Raises:
            DatabaseUnavailable: Nothing was learnt, or the message says that this is unknown.
        """
        with self._database.transaction() as connection:
            self.repository.wait_for_turn(connection, context_id)
            return observe_many(connection, self.repository, self.limits, take(), self._clock(), run=run)

    def predict(
        self,
        owner: str,
        context_id: str,
        query: Array,
        parameters: Mapping[str, float] | None = None,
        wanted: Wanted = NOTHING,
        *,
        explain: Collection[Part] = (),
        columns: ColumnNames | None = None,
        max_age: float = 0.0,
    ) -> tuple[Prediction, ContextRecord, Explanation]:
        """Answer queries from what the context has seen; it does not change (but its ttl starts again).

        `columns` are the names of the columns of the queries, which are found by them if the context has names. Within
        `max_age` seconds after a look at the context's row, the answer may be that of the state at that time.

        Raises:
            InvalidInput: The queries do not fit, or the context is empty.
            UnsupportedByModel: There is no such explanation: contributions need the observations, which are not kept.
            NumericOverflow: The answer is beyond floating point.
        """
        loaded, explanation = self.repository.load(owner, context_id, max_age), Explanation()
        prediction = self.answer(loaded, query, parameters, wanted, columns=columns)
        if explain:
            explanation = explain_state(
                loaded.runtime, loaded.state, self.limits, parameters, wanted=wanted, explain=explain
            )
        return prediction, self.repository.touch(loaded.record), explanation

    def predict_rows(
        self,
        owner: str,
        context_id: str,
        table: Table,
        parameters: Mapping[str, float] | None = None,
        wanted: Wanted = NOTHING,
        *,
        keys: tuple[str, ...] = (),
        max_age: float = 0.0,
    ) -> PredictedTable:
        """Predict for rows of a table from what the context has seen, as `predict` does.

        Raises:
            InvalidInput: The context has observed arrays, or the table does not fit.
        """
        loaded, found = self.repository.load(owner, context_id, max_age), Findings()
        schema = schema_of(loaded.record.table_schema)
        rows = tuple(
            PredictedRows(chunk, self.answer(loaded, x, parameters, wanted))
            for chunk, x in encode_queries(schema, table, found, keys, self.limits)
        )
        return PredictedTable(rows, self.repository.touch(loaded.record), loaded.runtime.manifest, schema, found)

    def answer(
        self,
        loaded: LoadedContext,
        query: Array,
        parameters: Mapping[str, float] | None = None,
        wanted: Wanted = NOTHING,
        *,
        columns: ColumnNames | None = None,
    ) -> Prediction:
        """Answer queries from a context that was found, as `predict` does."""
        query = arrange_query(loaded.state.columns, query, columns)
        return answer(
            loaded.runtime, self.limits, loaded.state, query, parameters, wanted=wanted, readouts=self._readouts
        )

    def step(
        self,
        owner: str,
        context_id: str,
        new: Observations | TableRows | None,
        query: Array | None,
        wanted: Wanted = NOTHING,
        *,
        write: Callable[[StreamStep], Answer],
        key: str | None = None,
        allow_precision_loss: bool = False,
        columns: ColumnNames | None = None,
    ) -> Answer:
        """Predict (at the query, else at the x of the observation), then learn the observation, in one transaction.

        While the context is empty there is nothing to predict from: prediction and error are None, and it learns.

        Args:
            owner: Whose context and key it is.
            context_id: Of the context.
            new: One observation, to be learnt; one row, learnt if it has a target; None to predict only.
            query: (1, D); None to predict at the x of the observation.
            wanted: Intervals and quantiles of the prediction.
            write: Makes the answer, which JSON can hold if there is a key.
            key: Of the caller's requests and messages together: an observation that is sent again under it is learnt
                once, and answered as the first time.
            allow_precision_loss: As for `observe`.
            columns: Names of the columns of a query without an observation, which has its own.
        """
        prediction = error = schema = None
        if isinstance(new, TableRows):
            schema = schema_of(self.repository.record(owner, context_id).table_schema)
            query = query_of_row(schema, new, self.limits)
            new = new if query is None else None
        if new is None:
            if query is None:
                raise InvalidInput(Problem("", "A step has an observation, a query, or both. Send one."))
            loaded = self.repository.load(owner, context_id)
            check_step(loaded.runtime.manifest, None, query)
            if not loaded.state.is_empty:
                prediction = self.answer(loaded, query, wanted=wanted, columns=columns)
            return write(StreamStep(prediction, None, self.repository.touch(loaded.record), schema))

        allow = allowed(allow_precision_loss)
        request = {"step": context_id, **fields_of(new), "query": query, "wanted": wanted, **allow}
        with self._transaction(owner, Change(key), request, with_terms=False) as transaction:
            if transaction.is_replay:
                replayed: Answer = transaction.answer
                return replayed
            loaded = self.repository.load_for_update(transaction.connection, owner, context_id)
            runtime, before = loaded.runtime, loaded.state
            if isinstance(new, TableRows):
                new, schema = encode_rows(schema_of(before.table_schema), new, runtime.manifest, self.limits)
            check_step(runtime.manifest, new, query)
            after = learn(runtime, self.limits, before, new, "observation.", unnumbered=True, **allow)
            if schema is not None:
                after = replace(after, table_schema=written(schema))
            if before.is_empty:
                check_wanted(runtime.manifest, wanted)
            else:
                widened = replace(loaded, state=widen(before, new.x.shape[1], after.levels, after.columns))
                at_x = self.answer(widened, new.x, wanted=wanted, columns=new.columns)
                error = arrange(after.columns, new)[0].y - at_x.prediction
                prediction = at_x
                if query is not None:
                    prediction = self.answer(widened, query, wanted=wanted, columns=new.columns)
            record = self.repository.save(transaction.connection, loaded, after)
            transaction.answer = result = write(StreamStep(prediction, error, record, schema))
            return result

    def get(self, owner: str, context_id: str) -> ContextRecord:
        """Look a context up."""
        return self.repository.touch(self.repository.record(owner, context_id))

    def find_named(self, owner: str, name: str) -> ContextRecord | None:
        """Look a context up by its name; None if there is none."""
        found = self.repository.find_named(owner, name)
        return None if found is None else self.repository.touch(found)

    def get_named(self, owner: str, name: str) -> ContextRecord:
        """Look a context up by its name."""
        found = self.find_named(owner, name)
        if found is None:
            raise UnknownContext.named(name)
        return found

    def list(
        self, owner: str, limit: int, after: str | None = None, labels: Sequence[tuple[str, str]] = ()
    ) -> RecordPage:
        """List a caller's contexts that have all labels, oldest first.

        Raises:
            InvalidInput: `after` is not where a page ended.
        """
        if after is not None and not ID.fullmatch(after):
            raise InvalidInput(Problem("after", "is not where a page ended. Send the `after` of the page before."))
        records = self.repository.page(owner, limit + 1, after, labels)
        shown = tuple(records[:limit])
        return RecordPage(shown, shown[-1].id if len(records) > limit else None)

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

    def export(self, owner: str, context_id: str) -> tuple[bytes, ContextRecord]:
        """Export a context as bytes (see `serialization`)."""
        loaded = self.repository.load(owner, context_id)
        return serialization.export(loaded.runtime.manifest, loaded.state), self.repository.touch(loaded.record)

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

    def view(self, owner: str, context_id: str) -> ContextDetails:
        """Look a context up, with what its state shows, as far as its model is served."""
        try:
            loaded = self.repository.load(owner, context_id)
        except (UnknownModel, Conflict):
            record = self.get(owner, context_id)
            return ContextDetails(record, described=_described(record))
        weights = None
        with suppress(UnsupportedByModel, NumericOverflow):
            weights = None if loaded.state.is_empty else implicit_weights_in(loaded.runtime, loaded.state)
        digits = loaded.state.digits_left(loaded.runtime.manifest)
        return ContextDetails(self.repository.touch(loaded.record), weights, digits, _described(loaded.record))

    def sweep(self, stopped: Callable[[], bool] = lambda: False) -> int:
        """Remove what has expired, until `stopped` says to leave the rest; returns how many contexts."""
        removed = self.repository.sweep(stopped)
        if removed:
            logger.info("removed %d expired contexts", removed)
        return removed

    def _transaction(
        self, owner: str, change: Change, request: Mapping[str, object], *, with_terms: bool = True
    ) -> AbstractContextManager[IdempotentTransaction]:
        terms = {"if_version": change.if_version} if with_terms else {}
        return run_idempotent(self._database, owner, change.idempotency_key, {**request, **terms}, self._clock())

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


def _described(record: ContextRecord) -> tuple[Described, ...]:
    return () if record.table_schema is None else tuple(describe_columns(parsed(record.table_schema)))


def _check_alike(older: ContextRecord, newer: ContextRecord) -> None:
    for what in ("model", "model_version", "decay"):
        here, there = getattr(older, what), getattr(newer, what)
        if here != there:
            words = what.replace("_", " ")
            raise Conflict(f"This context has {words} {here}, the other {there}. Merge contexts that are alike.")
