"""Calls of contexts over HTTP."""

from typing import Any

import httpx

from tests.service.in_process import InProcess

LINE: dict[str, Any] = {"x": [[1], [2], [3]], "y": [2, 4, 6]}


def make(client: InProcess, **body: object) -> dict[str, Any]:
    body = {"model": "linear", **body}
    if body["model"] == "linear":  # version 1 continues three points of a line exactly
        body = {"version": "1.0.0", **body}
    answer = client.request("POST", "/v1/contexts", json=body)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


def post(client: InProcess, context: dict[str, Any], door: str, body: object, **headers: str) -> httpx.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return client.request("POST", f"/v1/contexts/{context['id']}/{door}", json=body, headers=named)


def observe(client: InProcess, context: dict[str, Any], body: object, **headers: str) -> dict[str, Any]:
    answer = post(client, context, "observations", body, **headers)
    assert answer.status_code == 200, answer.text
    record: dict[str, Any] = answer.json()
    return record


def predict(client: InProcess, context: dict[str, Any], query: list[list[float]]) -> Any:  # noqa: ANN401
    answer = post(client, context, "predictions", {"query": query})
    assert answer.status_code == 200, answer.text
    return answer.json()["prediction"]


def refusal(answer: httpx.Response, status: int, error_type: str) -> str:
    assert (answer.status_code, answer.json()["error_type"]) == (status, error_type), answer.text
    return str(answer.json()["error"])
