"""Intervals, quantiles and notes from every HTTP endpoint."""

import json
from typing import Any

import httpx
import numpy as np
import pytest
from websockets.sync.client import connect

from service.inference.tensors import pack, unpack
from tests.running import Server
from tests.service.in_process import InProcess

X = [[1.0, 20.0], [2.0, 10.0], [3.0, 30.0], [4.0, 20.0]]
Y = [3.1, 4.9, 7.2, 9.0]
QUERY = [[5.0, 10.0], [6.0, 30.0]]
ASKED = {"interval": 0.9, "quantiles": [0.05, 0.5, 0.95]}
BINARY = {"Content-Type": "application/vnd.safetensors", "Accept": "application/vnd.safetensors"}


def one_shot(client: InProcess, **more: object) -> dict[str, Any]:
    answer = client.predict({"context": {"x": X, "y": Y}, "query": QUERY, **ASKED, **more})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


@pytest.mark.parametrize("model", ["linear", "nonlinear"])
def test_an_interval_and_quantiles_come_with_the_prediction(client: InProcess, model: str) -> None:
    answer = one_shot(client, model=model)
    lower, middle, upper = answer["quantiles"]
    assert (answer["interval"]["lower"], answer["interval"]["upper"]) == (pytest.approx(lower), pytest.approx(upper))
    assert middle == answer["prediction"]
    assert all(a < b < c for a, b, c in zip(lower, middle, upper, strict=True))


def test_bounds_are_rows_where_y_is(client: InProcess) -> None:
    rows = client.predict({"context": {"x": X, "y": [[y] for y in Y]}, "query": QUERY, **ASKED}).json()
    numbers = one_shot(client)
    assert rows["interval"]["lower"] == [[value] for value in numbers["interval"]["lower"]]
    assert rows["quantiles"][0] == [[value] for value in numbers["quantiles"][0]]


def test_after_one_observation_bounds_are_null(client: InProcess) -> None:
    answer = client.predict({"context": {"x": X[:1], "y": Y[:1]}, "query": QUERY, **ASKED})
    assert answer.status_code == 200
    assert answer.json()["interval"] == {"lower": [None, None], "upper": [None, None]}
    assert answer.json()["quantiles"] == [[None, None]] * 3
    assert answer.json()["notes"] == [{"code": "one_observation"}]


def test_intervals_are_answered_only_on_request(client: InProcess) -> None:
    answer = client.predict({"context": {"x": X, "y": Y}, "query": X}).json()
    assert set(answer) == {"prediction", "model", "n_observations"}


def test_safetensors_have_them_as_tensors(client: InProcess) -> None:
    tensors = {"x": np.array(X), "y": np.array(Y), "query": np.array(QUERY)}
    body = pack(tensors, {"interval": "0.9", "quantiles": "0.05,0.5,0.95"})
    answer = client.request("POST", "/v1/predict", content=body, headers=BINARY)
    found, expected = unpack(answer.content)[0], one_shot(client)
    assert found["lower"].tolist() == expected["interval"]["lower"]
    assert found["upper"].tolist() == expected["interval"]["upper"]
    assert found["quantiles"].tolist() == expected["quantiles"]


@pytest.mark.parametrize("model", ["linear", "nonlinear"])
def test_context_gives_intervals_repeatedly(client: InProcess, model: str) -> None:
    made = client.request("POST", "/v1/contexts", json={"model": model, "observations": {"x": X, "y": Y}}).json()
    path, expected = f"/v1/contexts/{made['id']}/predictions", one_shot(client, model=model)
    for asked in ({}, ASKED, ASKED, {}):
        answer = client.request("POST", path, json={"query": QUERY, **asked}).json()
        assert answer["prediction"] == pytest.approx(expected["prediction"], rel=1e-9)
        assert ("interval" in answer) == bool(asked)
        if asked:
            assert answer["interval"]["upper"] == pytest.approx(expected["interval"]["upper"], rel=1e-9)
            assert answer["quantiles"][0] == pytest.approx(expected["quantiles"][0], rel=1e-9)


def test_a_stream_answers_them_of_one_prediction(server: Server, client: InProcess) -> None:
    made = httpx.post(f"{server.url}/v1/contexts", json={"observations": {"x": X, "y": Y}}).json()
    address = f"{server.url.replace('http', 'ws')}/v1/contexts/{made['id']}/stream"
    with connect(address) as stream:
        stream.send(json.dumps({"query": QUERY[0], **ASKED}))
        answer, expected = json.loads(stream.recv(timeout=20)), one_shot(client)
    assert answer["interval"]["lower"] == pytest.approx(expected["interval"]["lower"][0])
    assert answer["quantiles"] == pytest.approx([quantile[0] for quantile in expected["quantiles"]])


def test_the_open_inference_protocol_has_scale_and_bounds_as_outputs(client: InProcess) -> None:
    tensors: dict[str, tuple[list[int], object]] = {
        "x": ([1, 4, 2], X),
        "y": ([1, 4, 1], Y),
        "x_query": ([1, 2, 2], QUERY),
    }
    inputs = [
        {"name": name, "shape": shape, "datatype": "FP64", "data": np.array(data, np.float64).ravel().tolist()}
        for name, (shape, data) in tensors.items()
    ]
    answer = client.request("POST", "/v2/models/linear/infer", json={"inputs": inputs, "parameters": {"interval": 0.9}})
    assert answer.status_code == 200, answer.text
    outputs = {output["name"]: output["data"] for output in answer.json()["outputs"]}
    expected = one_shot(client, model="linear")
    assert outputs["lower"] == expected["interval"]["lower"]
    assert outputs["upper"] == expected["interval"]["upper"]
    assert outputs["degrees_of_freedom"] == [3.0]
    assert {"scale", "clipped", "constant", "next.count"} <= outputs.keys()
    assert not {"readout.covariance", "readout.response"} & outputs.keys(), "they are answered where they are named"


def test_feature_tables_are_not_inputs_of_callers(client: InProcess) -> None:
    named = {tensor["name"] for tensor in client.get("/v2/models/nonlinear").json()["inputs"]}
    assert not any(name.startswith("layout.") for name in named)
    inputs = [
        {"name": "x_query", "shape": [1, 1, 2], "datatype": "FP64", "data": [1, 2]},
        {"name": "layout.pairs", "shape": [1, 2], "datatype": "FP64", "data": [7, 9]},
    ]
    refused = client.request("POST", "/v2/models/nonlinear/infer", json={"inputs": inputs})
    assert (refused.status_code, refused.json()["detail"][0]["field"]) == (422, "layout.pairs")


@pytest.mark.parametrize(
    ("more", "field", "error_type"),
    [
        ({"interval": 1.0}, "interval", "invalid_input"),
        ({"interval": "0.9"}, "interval", "invalid_input"),
        ({"interval": [0.9]}, "interval", "invalid_input"),
        ({"quantiles": [0.5, 2]}, "quantiles[1]", "invalid_input"),
        ({"quantiles": []}, "quantiles", "invalid_input"),
        ({"model": "gd-1", "interval": 0.9}, "interval", "unsupported_by_model"),
    ],
)
def test_impossible_intervals_are_refused_by_name(
    client: InProcess, more: dict[str, object], field: str, error_type: str
) -> None:
    answer = client.predict({"context": {"x": X, "y": Y}, "query": QUERY, **more})
    assert answer.status_code == 422
    assert (answer.json()["detail"][0]["field"], answer.json()["error_type"]) == (field, error_type)


def test_models_say_whether_they_give_a_scale(client: InProcess) -> None:
    models = client.get("/v1/models").json()["models"]
    assert {(model["name"], model["version"]) for model in models if model["gives_scale"]} == {
        ("linear", "2.0.0"),
        ("nonlinear", "1.0.0"),
    }


def test_interval_ignores_tensors_of_the_scale(client: InProcess) -> None:
    tensors = {"x": ([1, 4, 2], X), "y": ([1, 4, 1], Y), "x_query": ([1, 2, 2], QUERY), "want_scale": ([1], [0.0])}
    inputs = [
        {"name": name, "shape": shape, "datatype": "FP64", "data": np.array(data, np.float64).ravel().tolist()}
        for name, (shape, data) in tensors.items()
    ]
    inputs[-1]["shape"] = []
    body = {"inputs": inputs, "parameters": {"interval": 0.9}}
    answer = client.request("POST", "/v2/models/linear/infer", json=body)
    assert answer.status_code == 200, answer.text
    outputs = {output["name"]: output["data"] for output in answer.json()["outputs"]}
    assert outputs["upper"] == one_shot(client, model="linear")["interval"]["upper"]
