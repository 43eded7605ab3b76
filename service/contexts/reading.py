"""Looks contexts up and answers queries from them; they do not change, but that their ttl starts again."""

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace

from service.column_names import ColumnNames, arrange_query
from service.contexts import serialization
from service.contexts.record_repository import ID
from service.contexts.records import ContextDetails, ContextRecord, LoadedContext, RecordPage, StreamStep
from service.contexts.repository import ContextRepository
from service.contexts.tables import PredictedTable, TableRows, encode_queries, parsed, query_of_row, schema_of
from service.errors import (
    Conflict,
    InvalidInput,
    NumericOverflow,
    Problem,
    UnknownContext,
    UnknownModel,
    UnsupportedByModel,
)
from service.explaining.explanation import explain_state
from service.explaining.implicit_weights import implicit_weights_in
from service.explaining.terms import Explanation, Part
from service.inference.checks import Limits
from service.inference.distribution import NOTHING, Wanted
from service.inference.predictor import Prediction, Predictor
from service.inference.sizes import Array
from service.states.context_state import answer
from service.states.learning import check_step
from service.states.readouts import ReadoutCache
from service.tables.cells import Table
from service.tables.describing import Described, describe_columns
from service.tables.encoding import Findings
from service.tables.predicting import PredictedRows


class ContextReader:
    """The contexts of all owners.

    Every method that names a context raises UnknownContext if the owner has no such context, or if it has expired; all
    raise DatabaseUnavailable.

    Args:
        repository: Has the contexts.
        predictor: Has the models and the limits.
    """

    def __init__(self, repository: ContextRepository, predictor: Predictor) -> None:
        self.repository = repository
        self._predictor = predictor
        self._readouts = ReadoutCache()

    @property
    def limits(self) -> Limits:
        """Of one request."""
        return self._predictor.limits

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

    def predict_step(
        self,
        owner: str,
        context_id: str,
        query: Array,
        wanted: Wanted = NOTHING,
        *,
        columns: ColumnNames | None = None,
    ) -> StreamStep:
        """Predict at the query (1, D) of a message of a stream; the prediction is None while the context is empty.

        Raises:
            InvalidInput: The query does not fit.
            UnsupportedByModel: The model gives no interval.
            NumericOverflow: The answer is beyond floating point.
        """
        return self._step_at(self.repository.load(owner, context_id), query, wanted, columns)

    def predict_row_step(
        self, owner: str, context_id: str, row: TableRows, wanted: Wanted = NOTHING
    ) -> StreamStep | None:
        """Predict for a row without a target, as `predict_step`; None for one with a target, which is to be learnt.

        Raises:
            InvalidInput: The row does not fit, or the context has observed arrays.
        """
        loaded = self.repository.load(owner, context_id)
        schema = schema_of(loaded.record.table_schema)
        query = query_of_row(schema, row, self.limits)
        return None if query is None else replace(self._step_at(loaded, query, wanted), schema=schema)

    def _step_at(
        self, loaded: LoadedContext, query: Array, wanted: Wanted, columns: ColumnNames | None = None
    ) -> StreamStep:
        check_step(loaded.runtime.manifest, None, query)
        prediction = None if loaded.state.is_empty else self.answer(loaded, query, wanted=wanted, columns=columns)
        return StreamStep(prediction, None, self.repository.touch(loaded.record))

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

    def export(self, owner: str, context_id: str) -> tuple[bytes, ContextRecord]:
        """Export a context as bytes (see `serialization`)."""
        loaded = self.repository.load(owner, context_id)
        return serialization.export(loaded.runtime.manifest, loaded.state), self.repository.touch(loaded.record)


def _described(record: ContextRecord) -> tuple[Described, ...]:
    return () if record.table_schema is None else tuple(describe_columns(parsed(record.table_schema)))
