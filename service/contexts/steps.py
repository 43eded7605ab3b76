"""One step of a stream: predict, then learn."""

from collections.abc import Callable

from service.contexts.column_order import arrange
from service.contexts.context_record import LoadedContext
from service.errors import InvalidInput
from service.inference.artifact import Manifest
from service.inference.checks import missing_problems, share_problems_of_one
from service.inference.distribution import Wanted, check_wanted
from service.inference.predictor import Observations, Prediction
from service.inference.sizes import Array


def check_step(manifest: Manifest, new: Observations | None, query: Array | None) -> None:
    """See that the model takes a step's single rows; `learn` would name them by their place among several.

    Raises:
        InvalidInput: A cell is missing where the model takes none, or y is no share of classes.
    """
    problems = []
    if new is not None:
        problems += missing_problems(manifest, "observation.x", new.x[0])
        problems += share_problems_of_one(manifest, "observation.y", new.y)
    if query is not None:
        problems += missing_problems(manifest, "query", query[0])
    if problems:
        raise InvalidInput(*problems)


def predict_before(
    answer: Callable[[Array], Prediction], loaded: LoadedContext, new: Observations, query: Array | None, wanted: Wanted
) -> tuple[Prediction, Array] | tuple[None, None]:
    """Predict before learning, at the query and at the x of the observations.

    Args:
        answer: Answers queries from the context.
        loaded: The context.
        new: The observations that will be learnt.
        query: Where to predict; at their x if None.
        wanted: An interval and quantiles.

    Returns:
        The prediction at the query, and the error at the x; None where the context is empty.
    """
    if loaded.state.is_empty:
        check_wanted(loaded.runtime.manifest, wanted)
        return None, None
    at_x = answer(new.x)
    at_query = at_x if query is None else answer(query)
    return at_query, arrange(loaded.state.columns, new)[0].y - at_x.prediction
