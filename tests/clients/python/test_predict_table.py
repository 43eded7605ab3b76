"""Predictions of tables by the client: frames, records and columns in, the same kind out."""

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import anyio
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from gdssm_client import AsyncClient, Client
from gdssm_client.errors import InvalidArgument, InvalidInput
from gdssm_client.sklearn import GDSSMRegressor
from tests.closeness import assert_close

N = 31
GENERATOR = np.random.default_rng(0)
FRAME = pd.DataFrame(
    {
        "size": GENERATOR.uniform(30, 150, N),
        "town": np.array(["Bern", "Basel", "Chur"])[GENERATOR.integers(0, 3, N)],
        "balcony": GENERATOR.random(N) < 0.5,
        "built": pd.Timestamp("2020-01-01") + pd.to_timedelta(GENERATOR.integers(0, 15000, N), unit="h"),
        "key": [f"house {i}" for i in range(N)],
    },
    index=[f"row {i}" for i in range(N)],
)
PRICE = 3 * FRAME["size"] + np.where(FRAME["town"] == "Bern", 50, 0) + GENERATOR.normal(size=N)
TABLE = FRAME.assign(price=PRICE.where(np.arange(N) < N - 3))
QUERIES = FRAME[-3:]


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    with Client() as client:
        yield client


@pytest.fixture(scope="module")
def expected() -> np.ndarray:
    known = TABLE["price"].notna()
    fitted = GDSSMRegressor().fit(FRAME.drop(columns="key")[known], TABLE["price"][known])
    return np.asarray(fitted.predict(QUERIES))


def test_a_frame_of_pandas_keeps_its_index(client: Client, expected: np.ndarray) -> None:
    found = client.predict_table(TABLE, target="price", interval=0.9, quantiles=[0.1, 0.5])
    assert found.prediction.index.tolist() == [*QUERIES.index]
    assert found.prediction.name == "price"
    assert_close(found.prediction.to_numpy(), expected, "prediction", rtol=1e-7)
    assert (found.lower < found.prediction).all()
    assert (found.prediction < found.upper).all()
    assert len(found.quantiles) == 2
    assert found.quantiles[1].index.tolist() == [*QUERIES.index]
    assert found.rows == (N - 3, N - 2, N - 1)
    assert (found.model, found.n_observations) == ("nonlinear", N - 3)
    kinds = ["number", "category", "yes_no", "time", "left_out", "target"]
    assert [(column.name, column.kind) for column in found.columns] == list(zip(TABLE, kinds, strict=True))


@pytest.mark.parametrize(
    ("convert", "kind"),
    [
        (lambda frame: frame, pd.Series),
        (pl.from_pandas, pl.Series),
        (pa.Table.from_pandas, pa.ChunkedArray),
        (lambda frame: frame.astype(object).where(frame.notna(), None).to_dict("records"), list),
        (lambda frame: frame.to_dict("list"), list),
        (lambda frame: {name: frame[name].to_numpy() for name in frame}, list),
        (lambda frame: {name: frame[name] for name in frame}, list),
    ],
)
def test_every_kind_of_table_gives_the_same_prediction(
    client: Client, expected: np.ndarray, convert: Callable[[pd.DataFrame], Any], kind: type
) -> None:
    known = TABLE[TABLE["price"].notna()]
    for table, query in ((TABLE, None), (known, QUERIES)):
        found = client.predict_table(convert(table), None if query is None else convert(query), target="price")
        assert isinstance(found.prediction, kind)
        numbers = found.prediction.to_numpy() if hasattr(found.prediction, "to_numpy") else found.prediction
        assert_close(np.asarray(numbers), expected, "prediction", rtol=1e-7)
        assert found.rows == ((0, 1, 2) if query is not None else (N - 3, N - 2, N - 1))


@pytest.mark.parametrize(
    ("convert", "names"),
    [
        (lambda frame: frame, lambda found: [*found.columns]),
        (pl.from_pandas, lambda found: found.columns),
        (pa.Table.from_pandas, lambda found: found.column_names),
        (lambda frame: frame.to_dict("list"), lambda found: ["Basel", "Bern", "Chur"]),  # noqa: ARG005
    ],
)
def test_classes_and_their_probabilities(client: Client, convert: Any, names: Any) -> None:  # noqa: ANN401
    known = FRAME.assign(price=PRICE).drop(columns="key")
    found = client.predict_table(convert(known), convert(known[:3].drop(columns="town")), target="town")
    assert found.model == "classifier"
    assert found.classes == ("Basel", "Bern", "Chur")
    labels = found.prediction.to_pylist() if isinstance(found.prediction, pa.ChunkedArray) else [*found.prediction]
    assert {*labels} <= {"Basel", "Bern", "Chur"}
    assert names(found.probabilities) == ["Basel", "Bern", "Chur"]
    shares = (
        found.probabilities
        if isinstance(found.probabilities, list)
        else np.column_stack([np.asarray(found.probabilities[name]) for name in found.classes])
    )
    assert_close(np.sum(shares, axis=1), np.ones(3), "sums", rtol=1e-9)
    assert [found.classes[place] for place in np.argmax(shares, axis=1)] == labels


def test_options_reach_the_service(client: Client) -> None:
    table = TABLE.assign(zip=8000 + np.arange(N) % 3, share=1.0, number=np.arange(N))
    found = client.predict_table(
        table,
        target="price",
        features=["size", "town", "zip", "built", "key", "number"],
        ignore=["built"],
        keys=["key", "number"],
        weight="share",
        kinds={"zip": "category"},
        missing=["Chur"],
        model="linear",
        version="2.0.0",
    )
    assert (found.model, found.version) == ("linear", "2.0.0")
    assert found.keys == {"key": [f"house {i}" for i in (28, 29, 30)], "number": [28, 29, 30]}
    kinds = {column.name: column.kind for column in found.columns}
    assert kinds["zip"] == "category"
    assert kinds["built"] == kinds["key"] == "left_out"
    assert kinds["share"] == "weight"
    assert "Chur" not in str(found.columns)
    again = client.predict_table(TABLE.assign(zip=8000, share=1, number=1), target="price", schema=found.schema)
    assert again.schema == found.schema
    numbered = TABLE.assign(price=TABLE["price"] // 200)
    assert client.predict_table(numbered, target="price", task="classification").classes[0] == "0"
    commas = {"a": ["1,500", "2,500", "3,500", "4,500"], "y": [1, 2, 3, None]}
    assert client.predict_table(commas, target="y", decimal=",").prediction[0] < 4.5
    rates = client.predict_table(
        TABLE[["size", "price"]], target="price", model="gd-8", parameters={"learning_rate": 1e-9}
    )
    assert abs(rates.prediction).max() < 1


def test_cells_of_python_become_json(client: Client) -> None:
    records = [{"a": Decimal(i), "b": np.int64(i % 2), "c": np.float32(i), 3: i % 3 == 0} for i in range(9)]
    table = [{**record, "y": 2.0 * i} for i, record in enumerate(records)]
    found = client.predict_table([*table, {"a": 4, "b": float("nan"), "c": None}], target="y")
    assert [column.name for column in found.columns] == ["a", "b", "c", "3", "y"]
    assert found.rows == (9,)


def test_findings_are_returned(client: Client) -> None:
    query = QUERIES.assign(town="Genf")
    found = client.predict_table(FRAME.assign(price=PRICE), query, target="price")
    (finding,) = (one for one in found.findings if one.column == "town")
    assert (finding.what, finding.cells, finding.example, finding.place) == ("new_level", 3, "Genf", "query[0]")


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([[1, 2]], "rows must be a frame, a list of records or a mapping of columns; this is of type list."),
        (np.zeros((2, 2)), "rows must be a frame, a list of records or a mapping of columns; this is of type ndarray."),
        ("size", "rows must be a frame, a list of records or a mapping of columns; this is of type str."),
        ({"a": [1], "b": [1, 2]}, r"rows has columns of different lengths: \{'a': 1, 'b': 2\}."),
        ({"a": [1, [2]]}, r"rows must be numbers, texts, booleans or times; rows\[1\], column 'a', is of type list."),
        (pl.DataFrame({"a": [[1]]}), "rows must be numbers, texts, booleans or times; column 'a' is of type List"),
        (pl.LazyFrame({"a": [1]}), "rows is a lazy frame"),
    ],
)
def test_other_tables_are_refused_and_nothing_is_sent(rows: object, message: str) -> None:
    with Client("http://127.0.0.1:9", retries=0) as nowhere, pytest.raises(InvalidArgument, match=f"^{message}"):
        nowhere.predict_table(rows, target="a")


def test_refusals_of_the_service_are_errors_of_the_client(client: Client) -> None:
    for rows, query, message in (
        (FRAME, None, "There is no column 'price'"),
        (FRAME.assign(price=PRICE), None, "there is nothing to predict"),
        (FRAME.assign(price=PRICE), [], "query"),
        (FRAME.assign(price=PRICE), QUERIES.drop(columns="size"), "has no column 'size'"),
        ([], None, "rows"),
    ):
        with pytest.raises(InvalidInput, match=message):
            client.predict_table(rows, query, target="price")


def test_the_asynchronous_client_does_the_same(expected: np.ndarray) -> None:
    async def ask() -> object:
        async with AsyncClient() as client:
            return (await client.predict_table(TABLE, target="price")).prediction.to_numpy()

    assert_close(np.asarray(anyio.run(ask)), expected, "prediction", rtol=1e-7)
