import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from service.api.endpoint import EndpointTable
from service.app import ENDPOINTS
from tests.service.in_process import InProcess

GOOD = {"context": {"x": [[1], [2]], "y": [2, 4]}, "query": [[3]]}
BODIES = [
    json.dumps(GOOD).encode(),
    json.dumps(GOOD | {"explain": True}).encode(),
    json.dumps(GOOD | {"model": "gd-8", "parameters": {"learning_rate": 0.1}}).encode(),
    json.dumps(GOOD | {"model": "unknown"}).encode(),
    json.dumps(GOOD | {"query": [[3, 4]]}).encode(),
    json.dumps(GOOD | {"query": [[None]]}).encode(),
    json.dumps(GOOD | {"more": 1}).encode(),
    b"{",
    b"",
]


def table_of(app: FastAPI) -> EndpointTable:
    """Find the endpoint table among the middleware of an app."""
    layer: Any = app.middleware_stack
    while not isinstance(layer, EndpointTable):
        layer = layer._app if hasattr(layer, "_app") else layer.app
    return layer


@pytest.fixture
def answers(client: InProcess, monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[httpx.Response]]:
    """Send a request twice: to the endpoint table, and to the route of FastAPI."""

    def ask(method: str, content: bytes, headers: object, path: str = "/v1/predict") -> list[httpx.Response]:
        first = client.request(method, path, content=content, headers=headers)
        monkeypatch.setattr(table_of(client.app), "_by_path", {})
        monkeypatch.setattr(table_of(client.app), "_entries", [])
        monkeypatch.setattr(EndpointTable, "_answer", None)
        return [first, client.request(method, path, content=content, headers=headers)]

    return ask


@pytest.mark.parametrize("content", BODIES)
def test_predictions_match_the_route(answers: Callable[..., list[httpx.Response]], content: bytes) -> None:
    direct, general = answers("POST", content, {"Content-Type": "application/json", "X-Request-Id": "1"})
    assert (direct.status_code, direct.content) == (general.status_code, general.content)
    for answer in (direct, general):
        del answer.headers["server-timing"]
    assert direct.headers == general.headers


@pytest.mark.parametrize("name", ["", "unknown", "%2e%2e", "0" * 32])
def test_context_predictions_match_the_route(
    client: InProcess, answers: Callable[..., list[httpx.Response]], name: str
) -> None:
    observed = {"observations": GOOD["context"]}
    name = name or client.request("POST", "/v1/contexts", json=observed).json()["id"]
    path, headers = f"/v1/contexts/{name}/predictions", {"Content-Type": "application/json", "X-Request-Id": "1"}
    direct, general = answers("POST", json.dumps({"query": [[3]]}).encode(), headers, path)
    assert (direct.status_code, direct.content) == (general.status_code, general.content)
    assert direct.headers.get("etag") == general.headers.get("etag")


@pytest.mark.parametrize(("method", "content_type"), [("GET", "application/json"), ("POST", "text/plain")])
def test_other_methods_and_content_types_are_refused_as_by_the_route(
    answers: Callable[..., list[httpx.Response]], method: str, content_type: str
) -> None:
    direct, general = answers(method, BODIES[0], {"Content-Type": content_type})
    assert direct.status_code == general.status_code >= 400
    assert direct.content == general.content


def test_the_first_of_two_equal_headers_counts(client: InProcess) -> None:
    twice = [("Content-Type", "application/json"), ("Content-Type", "text/plain")]
    statuses = [
        client.request("POST", "/v1/predict", content=BODIES[0], headers=headers).status_code
        for headers in (twice, twice[::-1])
    ]
    assert statuses == [200, 415]


@pytest.mark.parametrize("headers", [{}, {"If-Match": '"2"'}, {"If-Match": "2"}, {"Idempotency-Key": "\t"}])
@pytest.mark.parametrize("content", [b'{"x": [[1], [2]], "y": [1, 2]}', b'{"x": [[1, 2]], "y": [1]}'])
def test_observations_match_the_route(
    client: InProcess, answers: Callable[..., list[httpx.Response]], content: bytes, headers: dict[str, str]
) -> None:
    made = client.request("POST", "/v1/contexts", json={"observations": GOOD["context"]}).json()["id"]
    headers = {"Content-Type": "application/json", **headers}
    direct, general = answers("POST", content, headers, f"/v1/contexts/{made}/observations")
    assert direct.status_code == general.status_code
    if direct.status_code == 200:
        assert direct.json().keys() == general.json().keys()
        assert (direct.headers["etag"], general.headers["etag"]) == ('"2"', '"3"')
    else:
        assert direct.content == general.content


@pytest.mark.parametrize(
    ("address", "body"), [("predictions", {"query": [[3]]}), ("observations", {"x": [[1], [2]], "y": [1, 2]})]
)
def test_braces_in_a_path_are_an_unknown_id(client: InProcess, address: str, body: dict[str, object]) -> None:
    answer = client.request("POST", f"/v1/contexts/{{context_id}}/{address}", json=body)
    assert (answer.status_code, answer.json()["error_type"]) == (404, "unknown_context")


def test_predictions_and_observations_are_answered_in_front_of_fastapi() -> None:
    fast = {endpoint.path for endpoint in ENDPOINTS if endpoint.fast}
    context = "/v1/contexts/{context_id}"
    assert fast == {"/v1/predict", f"{context}/predictions", f"{context}/observations"}
