"""A context that observed pieces of any size over HTTP predicts as the model file does in one run."""

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings

from service.settings import Settings
from tests.closeness import assert_close
from tests.properties.backends import SETS, OnnxBackend, backend
from tests.properties.cases import Array, Case, cases
from tests.service.in_process import InProcess, in_process


@pytest.fixture(scope="module")
def client() -> Iterator[InProcess]:
    with in_process(Settings()) as client:
        yield client


def post(client: InProcess, path: str, body: object) -> dict[str, object]:
    answer = client.request("POST", path, json=body)
    assert answer.status_code < 300, answer.text
    document: dict[str, object] = answer.json()
    return document


def streamed(client: InProcess, model: str, pieces: list[tuple[Array, Array, Array]], x_query: Array) -> Array:
    """Make a context, observe one piece after the other, and ask."""
    manifest = backend(OnnxBackend, model).runtime.manifest
    body = {"model": manifest.name, "version": manifest.version}
    address = f"/v1/contexts/{post(client, '/v1/contexts', body)['id']}"
    for x, y, weight in pieces:
        post(client, f"{address}/observations", {"x": x.tolist(), "y": y.tolist(), "weight": weight.tolist()})
    answer = post(client, f"{address}/predictions", {"query": x_query.tolist()})
    return np.array(answer["prediction"])


@pytest.mark.slow
@pytest.mark.parametrize("name", SETS)
@settings(max_examples=8)
@given(case=cases())
def test_context_observed_in_pieces_predicts_as_the_file_in_one_run(client: InProcess, name: str, case: Case) -> None:
    y = case.labels if backend(OnnxBackend, name).entry.task == "classification" else case.y
    tensors = {"x": case.x, "y": y, "weight": case.weight, "x_query": case.x_query}
    expected = backend(OnnxBackend, name).run(tensors)["prediction"]
    cut = int(case.generator.integers(1, case.x.shape[1]))
    for b in range(case.x.shape[0]):
        rows = (case.x[b], y[b], case.weight[b])
        pieces = list(zip(*(np.split(array, [cut]) for array in rows), strict=True))
        answer = streamed(client, name, pieces, case.x_query[b])
        assert_close(answer, expected[b], f"prediction of context {b}", rtol=backend(OnnxBackend, name).rounding)
