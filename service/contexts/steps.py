"""One observation of a stream: predicted from the state before it, then learnt."""

from dataclasses import replace

from service.column_names import arrange, arrange_query
from service.contexts.cache import ReadoutCache
from service.contexts.learning import check_step, learn, widen
from service.contexts.records import LoadedContext, StreamStep
from service.contexts.requests import StepRequest
from service.contexts.shards import refuse_shards
from service.contexts.state import ContextState, answer
from service.contexts.tables import TableRows, encode_rows, schema_of, written
from service.inference.checks import Limits
from service.inference.distribution import check_wanted
from service.inference.predictor import Prediction
from service.inference.sizes import Array


def learn_step(
    loaded: LoadedContext, request: StepRequest, limits: Limits, readouts: ReadoutCache
) -> tuple[ContextState, StreamStep]:
    """Predict at the query, else at the x of the observation, then learn the observation.

    While the context is empty there is nothing to predict from: prediction and error are None, and it learns.

    Args:
        loaded: The context before.
        request: One observation, or one row with a target.
        limits: On its columns.
        readouts: Keeps the readouts of states.

    Returns:
        The state after it, which is not stored, and the step with the record before it.

    Raises:
        InvalidInput, PrecisionLoss, UnsupportedByModel, NumericOverflow: As for `learn` and `answer`.
        Conflict: The context has shards.
    """
    refuse_shards(loaded.record)
    runtime, before, new, schema = loaded.runtime, loaded.state, request.new, None
    if isinstance(new, TableRows):
        new, schema = encode_rows(schema_of(before.table_schema), new, runtime.manifest, limits)
    check_step(runtime.manifest, new, request.query)
    allow = request.allow_precision_loss
    after = learn(runtime, limits, before, new, "observation.", unnumbered=True, allow_precision_loss=allow)
    if schema is not None:
        after = replace(after, table_schema=written(schema))
    if before.is_empty:
        check_wanted(runtime.manifest, request.wanted)
        return after, StreamStep(None, None, loaded.record, schema)
    widened = widen(before, new.x.shape[1], after.levels, after.columns)

    def predict(query: Array) -> Prediction:
        arranged = arrange_query(widened.columns, query, new.columns)
        return answer(runtime, limits, widened, arranged, wanted=request.wanted, readouts=readouts)

    at_x = predict(new.x)
    error = arrange(after.columns, new)[0].y - at_x.prediction
    prediction = at_x if request.query is None else predict(request.query)
    return after, StreamStep(prediction, error, loaded.record, schema)
