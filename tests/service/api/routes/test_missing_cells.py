"""Missing cells in every HTTP endpoint: null in JSON, NaN in binary bodies."""

import json
from typing import Any

import httpx
import numpy as np
import pytest
from websockets.sync.client import ClientConnection, connect

from service.inference.distribution import Wanted
from service.inference.predictor import Observations, Predictor
from service.inference.sizes import Array
from service.inference.tensors import pack, unpack
from tests.closeness import assert_close
from tests.nonempty import nonempty
from tests.running import Server
from tests.service.in_process import InProcess

N, M, D = 23, 5, 3
GENERATOR = np.random.default_rng(2)
X, QUERY = GENERATOR.normal(size=(N, D)), GENERATOR.normal(size=(M, D))
Y = X[:, 0] - X[:, 1] + 0.1 * GENERATOR.normal(size=N)
X[GENERATOR.random((N, D)) < 0.3] = np.nan
X[4] = np.nan
QUERY[0, 1], QUERY[2] = np.nan, np.nan
BINARY = {"Content-Type": "application/vnd.safetensors", "Accept": "application/vnd.safetensors"}
REFUSED = "is missing; model gd-1 takes no missing cells"

both_models = pytest.mark.parametrize("model", ["linear", "nonlinear"])


def nulls(array: Array) -> list[Any]:
    """Return an array as lists with null for NaN."""
    return np.where(np.isnan(array), None, array).tolist()  # type: ignore[call-overload, no-any-return]


def expected_of(predictor: Predictor, model: str) -> Array:
    return predictor.predict(model, Observations(X, Y), QUERY, wanted=Wanted(0.9)).prediction


def test_a_missing_cell_is_not_zero(predictor: Predictor) -> None:
    zeros = predictor.predict("linear", Observations(np.nan_to_num(X), Y), np.nan_to_num(QUERY)).prediction
    assert np.abs(expected_of(predictor, "linear") - zeros).max() > 0.01


@both_models
def test_null_in_json_and_nan_in_safetensors_are_missing_cells(
    client: InProcess, predictor: Predictor, model: str
) -> None:
    body = {"model": model, "context": {"x": nulls(X), "y": Y.tolist()}, "query": nulls(QUERY), "interval": 0.9}
    answer = client.predict(body)
    assert answer.status_code == 200, answer.text
    assert answer.json()["prediction"] == expected_of(predictor, model).tolist()
    content = pack({"x": X, "y": Y, "query": QUERY}, {"model": model})
    binary = client.request("POST", "/v1/predict", content=content, headers=BINARY)
    assert_close(unpack(binary.content)[0]["prediction"], expected_of(predictor, model), "prediction")


@both_models
def test_contexts_accept_missing_cells_in_every_body(client: InProcess, predictor: Predictor, model: str) -> None:
    first = {"x": nulls(X[:5]), "y": Y[:5].tolist()}
    made = client.request("POST", "/v1/contexts", json={"model": model, "observations": first}).json()
    context = f"/v1/contexts/{made['id']}"
    answer = client.request("POST", f"{context}/observations", json={"x": nulls(X[5:9]), "y": Y[5:9].tolist()})
    assert answer.status_code == 200, answer.text
    content = pack({"x": X[9:], "y": Y[9:]}, {})
    client.request("POST", f"{context}/observations", content=content, headers=BINARY)
    answer = client.request("POST", f"{context}/predictions", json={"query": nulls(QUERY)})
    assert_close(answer.json()["prediction"], expected_of(predictor, model), "prediction", rtol=1e-9)
    binary = client.request("POST", f"{context}/predictions", content=pack({"query": QUERY}, {}), headers=BINARY)
    assert_close(unpack(binary.content)[0]["prediction"], expected_of(predictor, model), "prediction", rtol=1e-9)


@both_models
def test_exported_context_keeps_missing_cells(client: InProcess, predictor: Predictor, model: str) -> None:
    observations = {"x": nulls(X), "y": Y.tolist()}
    made = client.request("POST", "/v1/contexts", json={"model": model, "observations": observations}).json()
    state = client.get(f"/v1/contexts/{made['id']}/state").content
    headers = {"Content-Type": "application/octet-stream"}
    copy = client.request("POST", "/v1/contexts/import", content=state, headers=headers).json()
    answer = client.request("POST", f"/v1/contexts/{copy['id']}/predictions", json={"query": nulls(QUERY)})
    assert_close(answer.json()["prediction"], expected_of(predictor, model), "prediction", rtol=1e-9)


def ask(stream: ClientConnection, message: object) -> dict[str, Any]:
    stream.send(json.dumps(message))
    answer: dict[str, Any] = json.loads(stream.recv(timeout=20))
    return answer


def streaming(server: Server, model: str) -> ClientConnection:
    made = httpx.post(f"{server.url}/v1/contexts", json={"model": model}).json()
    return connect(f"{server.url.replace('http', 'ws')}/v1/contexts/{made['id']}/stream")


@both_models
def test_stream_accepts_missing_cells(server: Server, predictor: Predictor, model: str) -> None:
    with streaming(server, model) as stream:
        for x, y in nonempty(zip(nulls(X), Y.tolist(), strict=True)):
            assert "n_observations" in ask(stream, {"observation": {"x": x, "y": y}})
        found = [ask(stream, {"query": query})["prediction"] for query in nulls(QUERY)]
    assert_close(found, expected_of(predictor, model), "prediction", rtol=1e-9)


def test_stream_refuses_missing_cells_of_other_models_by_position(server: Server) -> None:
    messages: dict[str, dict[str, object]] = {
        "query[1]": {"query": [1.0, None]},
        "observation.x[0]": {"observation": {"x": [None, 1.0], "y": 1.0}},
    }
    with streaming(server, "gd-1") as stream:
        ask(stream, {"observation": {"x": [1.0, 2.0], "y": 1.0}})
        for field, message in nonempty(messages.items()):
            (detail,) = ask(stream, message)["detail"]
            assert detail["field"] == field
            assert detail["message"].startswith(REFUSED)
        assert ask(stream, {"query": [1.0, 2.0]})["n_observations"] == 1


@both_models
def test_the_open_inference_protocol_takes_null_and_nan(client: InProcess, predictor: Predictor, model: str) -> None:
    arrays = {"x": X[None], "y": Y[None, :, None], "x_query": QUERY[None]}
    inputs = [
        {"name": name, "shape": array.shape, "datatype": "FP64", "data": nulls(array.ravel())}
        for name, array in arrays.items()
    ]
    answer = client.request("POST", f"/v2/models/{model}/infer", json={"inputs": inputs})
    assert answer.status_code == 200, answer.text
    assert_close(answer.json()["outputs"][0]["data"], expected_of(predictor, model), "prediction")
    for sent, array in zip(inputs, arrays.values(), strict=True):
        sent["data"] = nulls(array)
    assert client.request("POST", f"/v2/models/{model}/infer", json={"inputs": inputs}).json() == answer.json()


def test_model_without_missing_cells_refuses_them_by_position(client: InProcess) -> None:
    body: dict[str, Any] = {"model": "gd-1", "context": {"x": [[1], [2], [3], [None]], "y": [1, 2, 3, 4]}}
    for query, fields in (([[1]], ["context.x[3][0]"]), ([[1], [None]], ["context.x[3][0]", "query[1][0]"])):
        answer = client.predict({**body, "query": query})
        assert answer.status_code == 422
        detail = answer.json()["detail"]
        assert [problem["field"] for problem in detail] == fields
        assert all(problem["message"].startswith(REFUSED) for problem in nonempty(detail))


@pytest.mark.parametrize("model", ["linear", "nonlinear", "gd-1"])
def test_y_and_weights_are_never_missing(client: InProcess, model: str) -> None:
    good: dict[str, Any] = {"x": [[1], [2], [None]], "y": [1, 2, 3], "weight": [1, 1, 1]}
    for name in ("y", "weight"):
        for cell in (None, float("nan")):
            content = {"model": model, "context": {**good, name: [1, 1, cell]}, "query": [[1]]}
            answer = client.send(json.dumps(content).encode())
            assert answer.status_code == 422
            assert [problem["field"] for problem in answer.json()["detail"]] == [f"context.{name}[2]"]


@pytest.mark.parametrize("literal", ["NaN", "Infinity", "-Infinity"])
@pytest.mark.parametrize("model", ["linear", "nonlinear"])
def test_a_literal_that_is_not_json_is_refused(client: InProcess, model: str, literal: str) -> None:
    content = f'{{"model": "{model}", "context": {{"x": [[null], [{literal}]], "y": [1, 2]}}, "query": [[1]]}}'
    answer = client.send(content.encode())
    assert answer.status_code == 422
    assert [problem["field"] for problem in answer.json()["detail"]] == ["context.x[1][0]"]


def test_models_report_support_of_missing_cells(client: InProcess) -> None:
    models = client.get("/v1/models").json()["models"]
    found = {f"{model['name']} {model['version']}" for model in models if model["missing_cells"]}
    assert {"linear 2.0.0", "nonlinear 1.0.0"} <= found
    assert not {"linear 1.0.0", "gd-1 1.0.0"} & found
