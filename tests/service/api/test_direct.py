import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from service.api.body import JsonBodyRoute
from service.api.direct import Direct, is_direct
from service.api.routes import contexts, predict
from tests.service.in_process import InProcess

GOOD = {"context": {"x": [[1], [2]], "y": [2, 4]}, "query": [[3]]}
BODIES = [
    json.dumps(GOOD).encode(),
    json.dumps(GOOD | {"explain": True}).encode(),
    json.dumps(GOOD | {"model": "gd-8", "parameters": {"learning_rate": 0.1}}).encode(),
    json.dumps(GOOD | {"model": "nobody"}).encode(),
    json.dumps(GOOD | {"query": [[3, 4]]}).encode(),
    json.dumps(GOOD | {"query": [[None]]}).encode(),
    json.dumps(GOOD | {"more": 1}).encode(),
    b"{",
    b"",
]


def direct_of(app: FastAPI) -> Direct:
    """Find the layer among those that stand before the routes."""
    layer: Any = app.middleware_stack
    while not isinstance(layer, Direct):
        layer = layer._app if hasattr(layer, "_app") else layer.app
    return layer


@pytest.fixture
def answers(client: InProcess, monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[httpx.Response]]:
    """Ask the service as it is, and then as it would be if the framework answered."""

    def ask(method: str, content: bytes, headers: object, path: str = "/v1/predict") -> list[httpx.Response]:
        first = client.request(method, path, content=content, headers=headers)
        monkeypatch.setattr(direct_of(client.app), "_answers", [])
        return [first, client.request(method, path, content=content, headers=headers)]

    return ask


@pytest.mark.parametrize("content", BODIES)
def test_it_answers_as_the_framework_does(answers: Callable[..., list[httpx.Response]], content: bytes) -> None:
    direct, general = answers("POST", content, {"Content-Type": "application/json", "X-Request-Id": "1"})
    assert (direct.status_code, direct.content) == (general.status_code, general.content)
    for answer in (direct, general):
        del answer.headers["server-timing"]
    assert direct.headers == general.headers


@pytest.mark.parametrize("name", ["", "nobody", "%2e%2e", "0" * 32])
def test_so_are_the_queries_to_a_context(
    client: InProcess, answers: Callable[..., list[httpx.Response]], name: str
) -> None:
    observed = {"observations": GOOD["context"]}
    name = name or client.request("POST", "/v1/contexts", json=observed).json()["id"]
    path, headers = f"/v1/contexts/{name}/predictions", {"Content-Type": "application/json", "X-Request-Id": "1"}
    direct, general = answers("POST", json.dumps({"query": [[3]]}).encode(), headers, path)
    assert (direct.status_code, direct.content) == (general.status_code, general.content)
    assert direct.headers.get("etag") == general.headers.get("etag")


@pytest.mark.parametrize(("method", "content_type"), [("GET", "application/json"), ("POST", "text/plain")])
def test_what_the_route_does_not_take_is_refused_alike(
    answers: Callable[..., list[httpx.Response]], method: str, content_type: str
) -> None:
    direct, general = answers(method, BODIES[0], {"Content-Type": content_type})
    assert direct.status_code == general.status_code >= 400
    assert direct.content == general.content


def test_of_a_header_that_comes_twice_the_first_counts(client: InProcess) -> None:
    twice = [("Content-Type", "application/json"), ("Content-Type", "text/plain")]
    statuses = [
        client.request("POST", "/v1/predict", content=BODIES[0], headers=headers).status_code
        for headers in (twice, twice[::-1])
    ]
    assert statuses == [200, 415]


def test_only_routes_that_need_nothing_else_are_answered_directly() -> None:
    routes = [*predict.router.routes, *contexts.router.routes]
    taken = {route.path for route in routes if isinstance(route, JsonBodyRoute) and is_direct(route)}
    assert taken == {"/v1/predict", "/v1/contexts/{context_id}/predictions"}
