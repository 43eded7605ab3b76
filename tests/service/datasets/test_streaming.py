"""Files in chunks: the answer of the whole, in the memory of a chunk."""

import tracemalloc
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from service.datasets.streaming import joined, predictions
from service.datasets.table_prediction import TablePrediction
from service.errors import InvalidInput
from service.inference.checks import Limits
from service.inference.predictor import Observations, Predictor
from service.inference.sizes import Array
from service.registry.repository import Repository
from service.tables.predicting import infer_schema
from service.tables.reading import open_table
from service.tables.requested import Requested
from tests.closeness import assert_close
from tests.gdssm.linear_oracle import linear

N, M, D = 61, 13, 5
GENERATOR = np.random.default_rng(0)
X, QUERY = GENERATOR.normal(size=(N, D)) + 3, GENERATOR.normal(size=(M, D)) + 3
Y = X @ GENERATOR.normal(size=D) + 0.1 * GENERATOR.normal(size=N)
WEIGHT = GENERATOR.uniform(0.5, 2, size=N)


def chunks(rows: int) -> Iterator[Observations]:
    for start in range(0, N, rows):
        part = slice(start, start + rows)
        yield Observations(X[part], Y[part], WEIGHT[part])


def queries(rows: int) -> Iterator[Array]:
    return (QUERY[start : start + rows] for start in range(0, M, rows))


@pytest.mark.parametrize("rows", [1, 7, 100])
@pytest.mark.parametrize(
    ("model", "version", "parameters"),
    [
        ("linear", "2.0.0", {}),
        ("linear", "1.0.0", {}),
        ("gd-8", "1.0.0", {"learning_rate": 0.01}),
        ("gd-1", "1.0.0", {}),
    ],
)
def test_chunked_predictions_match_the_whole(
    predictor: Predictor, model: str, version: str, parameters: dict[str, float], rows: int
) -> None:
    answers = predictions(predictor, predictor.runtime(model, version), chunks(rows), queries(rows), parameters)
    found = [answer.prediction for answer in answers]
    expected = predictor.predict(model, Observations(X, Y, WEIGHT), QUERY, parameters, version=version).prediction
    assert [len(part) for part in found] == [len(part) for part in queries(rows)]
    assert_close(np.concatenate(found), expected, "prediction", rtol=1e-9)


def test_a_model_that_does_not_stream_sees_the_whole_context(predictor: Predictor, repository: Repository) -> None:
    runtime = repository.get("softmax-8")
    assert not runtime.manifest.streams
    labels = np.eye(3)[np.arange(N) % 3]
    pieces = (Observations(X[part], labels[part]) for part in (slice(0, 9), slice(9, N)))
    found = np.concatenate([answer.prediction for answer in predictions(predictor, runtime, pieces, queries(5), {})])
    expected = predictor.predict("softmax-8", Observations(X, labels), QUERY).prediction
    assert_close(found, expected, "prediction", rtol=1e-9)


@pytest.mark.parametrize("model", ["linear", "nonlinear", "gd-8"])
def test_chunk_without_queries_does_not_change_later_predictions(predictor: Predictor, model: str) -> None:
    runtime = predictor.runtime(model)
    expected = predictor.predict(model, Observations(X, Y), QUERY).prediction
    pieces = iter([Observations(X, Y)])
    none, found = predictions(predictor, runtime, pieces, iter([QUERY[:0], QUERY]), {})
    assert none.prediction.shape == (0,)
    assert_close(found.prediction, expected, "prediction", rtol=1e-9)


@pytest.mark.parametrize("rows", [1, 2, 7, 60, 61, 100])
def test_chunks_are_joined_to_a_number_of_rows(rows: int) -> None:
    found = list(joined(chunks(min(rows, 5)), rows))
    assert {len(chunk.x) for chunk in found[:-1]} <= {rows}
    assert len(found) == -(-N // rows)
    for name, whole in (("x", X), ("y", Y), ("weight", WEIGHT)):
        assert_close(np.concatenate([getattr(chunk, name) for chunk in found]), whole, name)


def test_invalid_parameter_is_refused_before_reading(predictor: Predictor) -> None:
    def unread() -> Iterator[Observations]:
        raise AssertionError("read")
        yield

    with pytest.raises(InvalidInput, match=r"parameters\.pace"):
        list(predictions(predictor, predictor.runtime("linear"), unread(), queries(5), {"pace": 1.0}))


@pytest.mark.parametrize("version", ["1.0.0", "2.0.0"])
@pytest.mark.parametrize("suffix", [".parquet", ".csv"])
@pytest.mark.parametrize("mean", [0.0, 1e6, -1e6])
def test_streamed_sums_match_two_pass_float64(
    predictor: Predictor, tmp_path: Path, mean: float, suffix: str, version: str
) -> None:
    """Version 1 as its oracle in numpy, version 2 as it answers itself about data without the mean."""
    observed, asked = (pd.DataFrame(np.column_stack([x, y]) + mean) for x, y in ((X, Y), (QUERY, QUERY[:, 0])))
    context, query = ((tmp_path / name).with_suffix(suffix) for name in ("context", "query"))
    for numbers, path in ((observed, context), (asked, query)):
        frame = numbers.set_axis([*"abcde", "y"], axis=1)
        frame.to_parquet(path, row_group_size=17) if suffix == ".parquet" else frame.to_csv(path, index=False)
    runtime = predictor.runtime("linear", version)
    with open_table(context, "context") as known, open_table(query, "query") as queried:
        schema = infer_schema(known, Requested("y"))
        job = TablePrediction(predictor, runtime, schema, known, queried, chunk_rows=10)
        found = np.concatenate([rows.prediction.prediction for rows in job.run({})])
    expected: Array
    x, y, x_query = observed.iloc[:, :D].to_numpy(), observed.iloc[:, D:].to_numpy(), asked.iloc[:, :D].to_numpy()
    if version == "1.0.0":
        expected = linear(x, y, x_query)[:, 0]
    else:
        without = predictor.predict("linear", Observations(x - mean, y[:, 0] - mean), x_query - mean, version=version)
        expected = without.prediction + mean
    assert_close(found - expected.mean(), expected - expected.mean(), "prediction about its mean", rtol=1e-6)


@pytest.mark.slow
def test_memory_does_not_grow_with_the_observations(predictor: Predictor) -> None:
    runtime = predictor.runtime("linear")

    def peak(rounds: int) -> int:
        known = chain.from_iterable(chunks(100) for _ in range(rounds))
        asked = chain.from_iterable(queries(100) for _ in range(rounds))
        tracemalloc.start()
        try:
            for _ in predictions(predictor, runtime, known, asked, {}):
                pass
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    peak(1)  # allocates caches
    small, large = (min(peak(rounds) for _ in range(4)) for rounds in (10, 200))  # other threads' work counts too
    assert large < 2 * small + 200 * X.nbytes // 10
    assert large < 200 * N * (D + 1) * 8, "as numbers alone the context would take that much"


def test_non_streaming_model_is_limited_by_max_observations(repository: Repository) -> None:
    def endless() -> Iterator[Observations]:
        while True:
            yield from chunks(10)

    predictor = Predictor(repository, "softmax-8", Limits(max_columns=10, max_predictions=10, max_observations=100))
    with pytest.raises(InvalidInput, match="more than 100 observations"):
        list(predictions(predictor, predictor.runtime("softmax-8"), endless(), queries(10), {}))
