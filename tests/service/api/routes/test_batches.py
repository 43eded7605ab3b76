"""Batches over HTTP: items, columns, lines and safetensors; each item has its own result."""

import json
from typing import Any

import httpx
import numpy as np
import pytest

from service.api.batch_bodies import NDJSON
from service.api.representations import SAFETENSORS
from service.contexts import batches
from service.inference.tensors import pack
from service.schemas.batches import ITEMS_LIMIT, ObservationResults, PredictionResults
from tests.nonempty import nonempty
from tests.service.api.routes.context_calls import make, observe
from tests.service.in_process import InProcess

OBSERVATIONS, PREDICTIONS = "/v1/observations", "/v1/predictions"
ROW = {"x": [[1.0]], "y": [2.0]}


def send(client: InProcess, path: str, body: Any, **headers: str) -> httpx.Response:  # noqa: ANN401  (any JSON value)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return client.request("POST", path, json=body, headers=named)


def learnt(client: InProcess, body: object, **headers: str) -> list[dict[str, Any]]:
    answer = send(client, OBSERVATIONS, body, **headers)
    assert answer.status_code == 200, answer.text
    ObservationResults.model_validate(answer.json())
    results: list[dict[str, Any]] = answer.json()["results"]
    assert answer.json()["failed"] == sum("error" in result for result in results)
    return results


def several(client: InProcess, count: int, model: str = "linear") -> list[str]:
    return [make(client, model=model)["id"] for _ in range(count)]


def test_each_item_has_its_result_in_order(client: InProcess) -> None:
    one, other = several(client, 2)
    items = [
        {"context": one, **ROW},
        {"context": other, "x": [[1.0, 2.0]], "y": [2.0]},
        {"context": one, "x": [[1.0], [2.0]], "y": [2.0, 4.0]},
        {"context": "0" * 32, **ROW},
        {"context": one, "x": [["a"]], "y": [1.0]},
        {"context": one, "name": "both", **ROW},
        {"context": one, **ROW, "if_version": 2},
        {"context": one, "x": [[1.0, 2.0]], "y": [2.0]},
        7,
    ]
    results = learnt(client, {"items": items})
    assert [result.get("version") for result in results] == [2, 2, 3, *[None] * 6]
    kinds = ["unknown_context", "invalid_input", "invalid_input", "version_mismatch", "invalid_input", "invalid_input"]
    assert [result["error_type"] for result in results[3:]] == kinds
    assert results[4]["detail"][0]["field"] == "x[0][0]"
    assert results[2] == {"context": one, "version": 3, "n_observations": 3}


def test_rows_of_one_context_of_columns_are_one_item(client: InProcess) -> None:
    one, other = several(client, 2)
    body = {"contexts": [one, other, one], "x": [[1.0], [2.0], [3.0]], "y": [2.0, 4.0, 6.0], "weight": [1, 2, 3]}
    results = learnt(client, body)
    assert results == [
        {"context": one, "version": 2, "n_observations": 2, "rows": [0, 2]},
        {"context": other, "version": 2, "n_observations": 1, "rows": [1]},
    ]


def test_columns_leave_contexts_as_single_requests_do(client: InProcess) -> None:
    generator = np.random.default_rng(1)
    batched, single = several(client, 5, "nonlinear"), several(client, 5, "nonlinear")
    owners = [int(owner) for owner in generator.integers(0, 5, 200)]
    x, y = generator.normal(size=(200, 3)), generator.normal(size=200)
    body = {"contexts": [batched[owner] for owner in owners], "x": x.tolist(), "y": y.tolist()}
    assert len(learnt(client, body)) == 5
    for owner, context in nonempty(list(enumerate(single))):
        mine = [number for number, other in enumerate(owners) if other == owner]
        observe(client, {"id": context}, {"x": x[mine].tolist(), "y": y[mine].tolist()})
        states = [client.get(f"/v1/contexts/{found}/state").content for found in (batched[owner], context)]
        assert states[0] == states[1]


def test_unknown_names_are_created_if_that_is_asked_for(client: InProcess) -> None:
    body: dict[str, Any] = {"names": ["créé 1", "créé 2", "créé 1"], "x": [[1.0], [2.0], [3.0]], "y": [1.0, 2.0, 3.0]}
    unknown = learnt(client, body)
    assert [result["error_type"] for result in unknown] == ["unknown_context"] * 2
    assert "PUT /v1/contexts/by-name/cr%C3%A9%C3%A9%201" in unknown[0]["error"]
    assert "`create`" in unknown[0]["error"]
    new = {"create": {"model": "linear", "ttl": 77, "labels": {"site": "a"}}}
    first = learnt(client, {**body, **new})
    assert [(result["name"], result["version"]) for result in first] == [("créé 1", 2), ("créé 2", 2)]
    assert [result["version"] for result in learnt(client, body)] == [3, 3]
    record = client.get(f"/v1/contexts/{first[0]['context']}").json()
    assert (record["ttl"], record["labels"], record["model"]["name"]) == (77, {"site": "a"}, "linear")
    item = {"name": "créé 3", **ROW}
    assert learnt(client, {"items": [item], **new})[0]["n_observations"] == 1
    assert send(client, OBSERVATIONS, {**body, "names": ["x"] * 3, "create": {"model": "none"}}).status_code == 404
    refused = learnt(client, {**body, **new, "names": ["", "a" * 201, "\x00"]})
    assert [result["error_type"] for result in refused] == ["invalid_input"] * 3


def test_repeated_request_is_learnt_once(client: InProcess) -> None:
    (one,) = several(client, 1)
    body = {"items": [{"context": one, **ROW}, {"context": one, "x": [[1.0, 2.0]], "y": [1.0]}]}
    first = learnt(client, body, idempotency_key="whole")
    assert learnt(client, body, idempotency_key="whole") == first
    assert learnt(client, body)[0]["version"] == 3
    other = send(client, OBSERVATIONS, {"items": [{"context": one, **ROW}]}, idempotency_key="whole")
    assert (other.status_code, other.json()["error_type"]) == (409, "conflict")


def test_keys_of_items_are_those_of_single_requests(client: InProcess) -> None:
    (one,) = several(client, 1)
    single = observe(client, {"id": one}, ROW, **{"Idempotency-Key": "item"})
    items = [{"context": one, **ROW, "idempotency_key": "item"}, {"context": one, **ROW, "idempotency_key": "new"}]
    assert [result["version"] for result in learnt(client, {"items": items})] == [single["version"], 3]
    assert observe(client, {"id": one}, ROW, **{"Idempotency-Key": "new"})["version"] == 3


def test_lines_are_items_and_their_results_lines(client: InProcess) -> None:
    (one,) = several(client, 1)
    lines = [{"create": {"model": "linear"}}, {"context": one, **ROW}, {"name": "line", **ROW}]
    content = "\n".join([*map(json.dumps, lines), "", "{no JSON", json.dumps({"context": one, **ROW})]).encode()
    headers = {"Content-Type": NDJSON, "Accept": NDJSON}
    answer = client.request("POST", OBSERVATIONS, content=content, headers=headers)
    results = [json.loads(line) for line in answer.text.splitlines()]
    assert answer.headers["content-type"] == NDJSON
    assert [result.get("version") for result in results] == [2, 2, None, 3]
    assert results[2]["error_type"] == "malformed_body"


def test_safetensors_are_columns(client: InProcess) -> None:
    one, other = several(client, 2)
    tensors = {"x": np.array([[1.0], [2.0], [3.0]]), "y": np.array([2.0, 4.0, 6.0])}
    about = {"contexts": json.dumps([one, other, one]), "allow_precision_loss": "true"}
    headers = {"Content-Type": SAFETENSORS}
    answer = client.request("POST", OBSERVATIONS, content=pack(tensors, about), headers=headers)
    assert [result["rows"] for result in answer.json()["results"]] == [[0, 2], [1]]
    query = pack({"query": np.array([[5.0], [6.0]])}, {"contexts": json.dumps([one, other])})
    answer = client.request("POST", PREDICTIONS, content=query, headers=headers)
    assert answer.json()["results"][0]["prediction"] == pytest.approx([10.0])
    assert client.request("POST", OBSERVATIONS, content=pack(tensors, {}), headers=headers).status_code == 422


def test_predictions_are_those_of_the_contexts(client: InProcess) -> None:
    one, other = several(client, 2, "nonlinear")
    x, y = np.linspace(0, 1, 40)[:, None], np.linspace(0, 1, 40) ** 2
    for context in (one, other):
        observe(client, {"id": context}, {"x": x.tolist(), "y": y.tolist()})
    items: list[dict[str, Any]] = [
        {"context": one, "query": [[0.5], [0.7]], "interval": 0.9, "quantiles": [0.5]},
        {"context": other, "query": [[0.5, 1.0]]},
        {"context": "0" * 32, "query": [[0.5]]},
        {"context": other, "query": [[0.25]]},
    ]
    answer = send(client, PREDICTIONS, {"items": items}).json()
    PredictionResults.model_validate(answer)
    assert answer["failed"] == 2
    for number in (0, 3):
        asked = {name: value for name, value in items[number].items() if name != "context"}
        alone = client.request("POST", f"/v1/contexts/{items[number]['context']}/predictions", json=asked).json()
        result = answer["results"][number]
        assert result == {name: alone[name] for name in result.keys() & alone.keys()} | {"context": result["context"]}
    columns = {"contexts": [one, other, one], "query": [[0.1], [0.2], [0.3]]}
    results = send(client, PREDICTIONS, columns).json()["results"]
    assert [result["rows"] for result in results] == [[0, 2], [1]]
    assert [len(result["prediction"]) for result in results] == [2, 1]


def test_an_item_that_fails_leaves_those_in_its_run(client: InProcess) -> None:
    contexts = several(client, 5, "gd-8")
    for number, context in enumerate(contexts):
        observe(client, {"id": context}, {"x": [[1.0], [2.0], [4.0]], "y": [2.0 + number, 4.0, 9.0]})
    items: list[dict[str, Any]] = [{"context": context, "query": [[float(i)]]} for i, context in enumerate(contexts)]
    items[2]["query"] = [[1e308]]
    results = send(client, PREDICTIONS, {"items": items}).json()["results"]
    assert [result.get("error_type") for result in results] == [None, None, "numeric_overflow", None, None]
    for number in (0, 1, 3, 4):
        path = f"/v1/contexts/{contexts[number]}/predictions"
        alone = client.request("POST", path, json={"query": items[number]["query"]}).json()
        assert results[number]["prediction"] == pytest.approx(alone["prediction"], rel=1e-11)


def test_large_batch_is_learnt_in_several_transactions(client: InProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "REQUESTS_LIMIT", 3)
    contexts = several(client, 4)
    items = [{"context": contexts[number % 4], **ROW} for number in range(11)]
    first = learnt(client, {"items": items}, idempotency_key="parts")
    assert [result["version"] for result in first] == [2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4]
    assert learnt(client, {"items": items}, idempotency_key="parts") == first


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "items"),
        ({"items": []}, "items"),
        ({"items": {}}, "items"),
        ({"items": None}, "items"),
        ({"items": [{}], "more": 1}, "more"),
        ({"items": [{}] * (ITEMS_LIMIT + 1)}, "items"),
        ({"items": [{}], "create": {"decay": "x"}}, "create.decay"),
        ({"contexts": ["a"], "x": [[1.0]], "y": [1.0, 2.0]}, "y"),
        ({"contexts": ["a"], "names": ["a"], "x": [[1.0]], "y": [1.0]}, ""),
        ({"contexts": [1], "x": [[1.0]], "y": [1.0]}, "contexts[0]"),
        ({"contexts": [], "x": [[1.0]], "y": [1.0]}, "contexts"),
        ({"contexts": "a", "x": [[1.0]], "y": [1.0]}, "contexts"),
        ({"contexts": ["a"], "x": [[None]], "y": [None]}, "y[0]"),
        ({"contexts": ["a"] * (ITEMS_LIMIT + 1), "x": [[1.0]] * (ITEMS_LIMIT + 1), "y": [1.0]}, "contexts"),
    ],
)
def test_body_that_is_no_batch_is_one_error(client: InProcess, body: object, field: str) -> None:
    answer = send(client, OBSERVATIONS, body)
    assert answer.status_code == 422, answer.text
    assert answer.json()["detail"][0]["field"] == field


@pytest.mark.parametrize("number", ["1e999", "NaN", "-Infinity"])
def test_number_that_is_not_finite_is_an_error_of_items(client: InProcess, number: str) -> None:
    content = f'{{"items": [{{"context": "{"0" * 32}", "x": [[{number}]], "y": [1]}}]}}'.encode()
    answer = client.request("POST", OBSERVATIONS, content=content, headers={"Content-Type": "application/json"})
    assert answer.status_code in {400, 422}
    assert "not a field" not in answer.text


def test_empty_lines_are_no_items(client: InProcess) -> None:
    answer = client.request("POST", OBSERVATIONS, content=b"\n \r\n" * 100_000, headers={"Content-Type": NDJSON})
    assert answer.status_code == 422
    assert "has 0 items" in answer.text


@pytest.mark.parametrize("content", [b"", b"[", b"[1]", b'{"items": [', b'{"items": [NaN]}', b"\xff"])
def test_bytes_that_are_no_batch_are_one_error(client: InProcess, content: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    assert client.request("POST", OBSERVATIONS, content=content, headers=headers).status_code in {400, 422}


def test_sum_of_the_observations_is_limited(client: InProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    (one,) = several(client, 1)
    limits = client.state.predictor.limits
    monkeypatch.setattr(client.state.predictor, "limits", type(limits)(limits.max_columns, 2, 2))
    many = {"contexts": [one] * 3, "x": [[1.0]] * 3, "y": [1.0] * 3}
    assert send(client, OBSERVATIONS, many).json()["detail"][0]["field"] == "x"
    queries = {"contexts": [one] * 3, "query": [[1.0]] * 3}
    assert send(client, PREDICTIONS, queries).status_code == 422
