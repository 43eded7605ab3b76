"""Frames whose columns stand in another order, for contexts that were found again: the names are the context's."""

from collections.abc import Callable, Iterator
from typing import Any

import anyio
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from gdssm_client import AsyncClient, Client
from gdssm_client.contexts import Context
from gdssm_client.errors import InvalidInput
from gdssm_client.schemas import ColumnsAnswer
from gdssm_client.sklearn import GDSSMRegressor

FRAME = pd.DataFrame({"size": [50.0, 70, 90, 60, 85], "rooms": [3.0, 2, 4, 2, 1], "age": [1.0, 5, 2, 8, 3]})
PRICE = pd.Series([100.0, 140, 180, 125, 160], name="price")
QUERY = pd.DataFrame({"age": [2.0, 4], "size": [55.0, 80], "rooms": [2.0, 4]})


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    with Client() as client:
        yield client


FOUND: dict[str, Callable[[Client, Context], Context]] = {
    "the same object": lambda _, context: context,
    "by its id": lambda client, context: client.contexts.get(context.record.id),
    "in a list": lambda client, context: next(
        each for each in client.contexts.list(limit=1000) if each.record.id == context.record.id
    ),
    "from an export": lambda client, context: client.contexts.load(context.export()),
}


def made(client: Client, **options: Any) -> Context:  # noqa: ANN401
    context = client.contexts.create("linear", **options)
    context.observe(FRAME[:3], PRICE[:3])
    return context


@pytest.mark.parametrize("find", FOUND.values(), ids=FOUND)
@pytest.mark.parametrize(
    "kind", [pd.DataFrame, pl.from_pandas, pa.Table.from_pandas], ids=["pandas", "polars", "arrow"]
)
def test_columns_are_matched_by_context_names(
    client: Client, find: Callable[[Client, Context], Context], kind: Callable[[pd.DataFrame], Any]
) -> None:
    context = find(client, made(client))
    context.observe(kind(FRAME[3:][["age", "rooms", "size"]].reset_index(drop=True)), PRICE[3:].to_numpy())
    plain = client.contexts.create("linear")
    plain.observe(FRAME.to_numpy(), PRICE.to_numpy())
    expected = plain.predict(QUERY[["size", "rooms", "age"]].to_numpy()).prediction
    np.testing.assert_allclose(np.asarray(context.predict(kind(QUERY)).prediction), expected, rtol=1e-9)
    np.testing.assert_allclose(context.predict(QUERY[list(FRAME)].to_numpy()).prediction, expected, rtol=1e-9)
    assert context.record.columns == ColumnsAnswer(x=("size", "rooms", "age"), y=("price",))


@pytest.mark.parametrize("find", FOUND.values(), ids=FOUND)
def test_missing_and_unknown_columns_are_refused_by_name(
    client: Client, find: Callable[[Client, Context], Context]
) -> None:
    context = find(client, made(client))
    for frame, message in (
        (QUERY[["size", "age"]], "has no 'rooms'"),
        (QUERY.assign(floor=1.0), "has 'floor' in addition"),
        (QUERY.rename(columns={"age": "year"}), "has no 'age' and has 'year' in addition"),
    ):
        with pytest.raises(InvalidInput, match=message):
            context.predict(frame)
        with pytest.raises(InvalidInput, match=message):
            context.observe(frame, [1.0, 2.0])
    with pytest.raises(InvalidInput, match=r"columns\.y: has no 'price' and has 'rent' in addition"):
        context.observe(FRAME, PRICE.rename("rent"))
    assert context.refresh().n_observations == 3


def test_predictions_have_the_name_of_y(client: Client) -> None:
    context = made(client)
    for each in (context, client.contexts.get(context.record.id), client.contexts.load(context.export())):
        assert each.predict(QUERY).prediction.name == "price"


def test_create_accepts_column_names(client: Client) -> None:
    context = client.contexts.create("linear", columns={"x": ["age", "rooms", "size"], "y": ["price"]})
    context.observe(FRAME, PRICE)
    assert context.record.columns == ColumnsAnswer(x=("age", "rooms", "size"), y=("price",))
    straight = client.contexts.create("linear")
    straight.observe(FRAME, PRICE)
    np.testing.assert_allclose(context.predict(QUERY).prediction, straight.predict(QUERY).prediction, rtol=1e-9)


def test_arrays_are_matched_by_position(client: Client) -> None:
    context = client.contexts.create("linear")
    context.observe(FRAME.to_numpy(), PRICE.rename(None))
    assert context.record.columns is None
    context.observe(FRAME, pl.Series(PRICE.tolist()))
    assert context.record.columns == ColumnsAnswer(x=("size", "rooms", "age"), y=None)


def test_merge_refuses_other_column_names(client: Client) -> None:
    context, other = made(client), client.contexts.create("linear")
    other.observe(FRAME[["age", "rooms", "size"]], PRICE)
    with pytest.raises(InvalidInput, match="the columns of x are named 'size', 'rooms', 'age' in this context"):
        context.merge(other.record.id)


@pytest.mark.slow
def test_async_client_matches_columns_by_name() -> None:
    async def use() -> tuple[Any, Any]:
        async with AsyncClient() as client:
            context = await client.contexts.create("linear")
            await context.observe(FRAME, PRICE)
            again = await client.contexts.get(context.record.id)
            return (await again.predict(QUERY)).prediction, (await context.predict(QUERY[list(FRAME)])).prediction

    found, expected = anyio.run(use)
    np.testing.assert_array_equal(found, expected)


def test_an_estimator_refuses_columns_in_another_order() -> None:
    estimator = GDSSMRegressor("linear").fit(FRAME, PRICE)
    for frame in (FRAME[["age", "rooms", "size"]], FRAME.rename(columns={"age": "year"}), FRAME[["size", "rooms"]]):
        with pytest.raises(ValueError, match="eature"):
            estimator.partial_fit(frame, PRICE)
        with pytest.raises(ValueError, match="eature"):
            estimator.predict(frame)
    assert estimator.n_observations_ == len(FRAME)
