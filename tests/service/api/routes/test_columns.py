"""Column names of contexts are stored and shown, and order the columns of requests with names."""

import json
from collections.abc import Iterator
from typing import Any

import httpx
import numpy as np
import pytest
from safetensors.numpy import load, save

from tests.nonempty import nonempty
from tests.running import Server
from tests.service.api.routes.test_stream import ask, streaming

NAMES = {"x": ["size", "rooms"], "y": ["price"]}
TURNED = {"x": ["rooms", "size"], "y": ["price"]}
ROWS: dict[str, Any] = {"x": [[50, 3], [70, 2], [90, 4], [60, 2]], "y": [100, 140, 180, 121]}
BINARY = {"Content-Type": "application/vnd.safetensors", "Accept": "application/vnd.safetensors"}


@pytest.fixture(scope="module")
def http(server: Server) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=f"{server.url}/v1", timeout=20) as client:
        yield client


@pytest.fixture
def context(http: httpx.Client) -> str:
    answer = http.post("/contexts", json={"model": "linear", "columns": NAMES, "observations": ROWS})
    assert answer.json()["columns"] == NAMES, answer.text
    return str(answer.json()["id"])


def turned(rows: list[list[int]]) -> list[list[int]]:
    return [row[::-1] for row in rows]


def predict(http: httpx.Client, context: str, **body: object) -> object:
    answer = http.post(f"/contexts/{context}/predictions", json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()["prediction"]


def refused(answer: httpx.Response) -> list[tuple[str, str]]:
    assert answer.status_code == 422, answer.text
    return [(detail["field"], detail["message"]) for detail in answer.json()["detail"]]


def test_names_are_in_every_view_of_a_context(http: httpx.Client, context: str) -> None:
    assert http.get(f"/contexts/{context}").json()["columns"] == NAMES
    state = http.get(f"/contexts/{context}/state").content
    loaded = http.post("/contexts/import", content=state, headers={"Content-Type": "application/octet-stream"}).json()
    assert loaded["columns"] == NAMES
    plain = http.post("/contexts", json={"model": "linear"}).json()
    assert plain["columns"] is None
    named = http.post(f"/contexts/{plain['id']}/observations", json={**ROWS, "columns": {"x": NAMES["x"]}}).json()
    assert named["columns"] == {"x": NAMES["x"], "y": None}
    assert http.post(f"/contexts/{plain['id']}/merge", json={"context": context}).json()["columns"] == NAMES
    assert all("columns" not in listed for listed in nonempty(http.get("/contexts").json()["contexts"]))


def test_columns_are_reordered_by_name_in_json(http: httpx.Client, context: str) -> None:
    plain = http.post("/contexts", json={"model": "linear", "observations": ROWS}).json()["id"]
    more: dict[str, Any] = {"x": [[80, 3]], "y": [160]}
    http.post(f"/contexts/{plain}/observations", json=more).raise_for_status()
    body = {"x": turned(more["x"]), "y": more["y"], "columns": TURNED}
    http.post(f"/contexts/{context}/observations", json=body).raise_for_status()
    query = [[55, 2], [80, 4]]
    expected = predict(http, plain, query=query)
    assert predict(http, context, query=query) == pytest.approx(expected)
    assert predict(http, context, query=turned(query), columns={"x": TURNED["x"]}) == pytest.approx(expected)
    asked = {"query": turned(query), "columns": TURNED, "explain": ["effects"]}
    assert predict(http, context, **asked) == pytest.approx(expected)


def test_columns_are_reordered_by_name_in_safetensors(http: httpx.Client, context: str) -> None:
    query = np.array([[55.0, 2.0], [80.0, 4.0]])
    for about, rows in (({}, query), ({"columns": json.dumps({"x": TURNED["x"]})}, query[:, ::-1].copy())):
        answer = http.post(f"/contexts/{context}/predictions", content=save({"query": rows}, about), headers=BINARY)
        assert answer.status_code == 200, answer.text
        assert load(answer.content)["prediction"] == pytest.approx(predict(http, context, query=query.tolist()))
    tensors = {"x": query[:, ::-1].copy(), "y": np.array([110.0, 160.0])}
    answer = http.post(
        f"/contexts/{context}/observations", content=save(tensors, {"columns": json.dumps(TURNED)}), headers=BINARY
    )
    assert answer.json()["n_observations"] == 6
    straight = http.post("/contexts", json={"model": "linear", "observations": ROWS}).json()["id"]
    http.post(f"/contexts/{straight}/observations", json={"x": query.tolist(), "y": [110, 160]}).raise_for_status()
    assert predict(http, context, query=[[60, 3]]) == pytest.approx(predict(http, straight, query=[[60, 3]]))


def test_columns_are_reordered_by_name_in_a_stream(server: Server, http: httpx.Client, context: str) -> None:
    with streaming(server, context) as stream:
        expected = ask(stream, {"query": [55, 2]})["prediction"]
        assert ask(stream, {"query": [2, 55], "columns": {"x": TURNED["x"]}})["prediction"] == pytest.approx(expected)
        asked = {"observation": {"x": [2, 55], "y": 111}, "columns": TURNED}
        assert ask(stream, asked)["prediction"] == pytest.approx(expected)
        answer = ask(stream, {"observation": {"x": [2, 55], "y": 111}, "columns": {"x": ["rooms", "floor"]}})
    assert [detail["field"] for detail in answer["detail"]] == ["columns.x"]
    assert http.get(f"/contexts/{context}").json()["n_observations"] == 5


@pytest.mark.parametrize(
    ("columns", "field", "message"),
    [
        (
            {"x": ["size", "floor"]},
            "columns.x",
            "has no 'rooms' and has 'floor' in addition; the columns of this context",
        ),
        ({"x": ["size"]}, "columns.x", "has 1 names; there are 2 columns. Send one for each."),
        ({"x": ["size", "size"]}, "columns.x", "has the name 'size' twice."),
        ({"x": ["size", 2]}, "columns.x", "must be a list of names"),
        ({"x": "size"}, "columns.x", "must be a list of names, one for each column; this is the text 'size'."),
        ({"x": [[1.0, 2.0]]}, "columns.x", "must be a list of names"),
        ({"x": [1.0, 2.0]}, "columns.x", "must be a list of names"),
        ({"z": ["size"]}, "columns.z", "is not a field. Leave it out; the fields here are x, y."),
        (["size", "rooms"], "columns", "must be an object"),
        ("size", "columns", "must be an object"),
    ],
)
def test_other_names_are_refused_by_every_endpoint(
    http: httpx.Client, context: str, columns: object, field: str, message: str
) -> None:
    asked = http.post(f"/contexts/{context}/predictions", json={"query": [[1, 2]], "columns": columns})
    learnt = http.post(f"/contexts/{context}/observations", json={"x": [[1, 2]], "y": [3], "columns": columns})
    about = {"columns": json.dumps(columns)}
    tensors = {"x": np.ones((1, 2)), "y": np.ones(1)}
    bytes_asked = http.post(
        f"/contexts/{context}/predictions", content=save({"query": np.ones((1, 2))}, about), headers=BINARY
    )
    bytes_learnt = http.post(f"/contexts/{context}/observations", content=save(tensors, about), headers=BINARY)
    for answer in (asked, learnt, bytes_asked, bytes_learnt):
        ((found, text),) = refused(answer)
        assert found == field
        assert text.startswith(message)
    if "there are" not in message and "has no" not in message:
        ((found, text),) = refused(http.post("/contexts", json={"model": "linear", "columns": columns}))
        assert (found, text[: len(message)]) == (field, message)
    assert http.get(f"/contexts/{context}").json()["version"] == 1


def test_names_that_are_not_json_are_refused(http: httpx.Client, context: str) -> None:
    body = save({"query": np.ones((1, 2))}, {"columns": "size,rooms"})
    ((field, message),) = refused(http.post(f"/contexts/{context}/predictions", content=body, headers=BINARY))
    assert (field, message[:26]) == ("columns", "must be the JSON of names,")


def test_one_shot_prediction_refuses_names(server: Server) -> None:
    body = {"context": {**ROWS, "columns": NAMES}, "query": [[1, 2]]}
    assert refused(httpx.post(f"{server.url}/v1/predict", json=body))[0][0] == "context.columns"
    tensors = {"x": np.ones((1, 2)), "y": np.ones(1), "query": np.ones((1, 2))}
    content = save(tensors, {"columns": json.dumps(NAMES)})
    assert refused(httpx.post(f"{server.url}/v1/predict", content=content, headers=BINARY))[0][0] == "columns"
