import json
from typing import Any

import pytest

from tests.nonempty import nonempty
from tests.service.api.routes.context_calls import LINE, make, refusal
from tests.service.in_process import InProcess

BAD = {
    "a decay of zero": ("", {"decay": 0}, "decay"),
    "a decay above one": ("", {"decay": 1.5}, "decay"),
    "a text for decay": ("", {"decay": "0.5"}, "decay"),
    "a misspelt auto": ("", {"decay": "atuo"}, "decay"),
    "a boolean for decay": ("", {"decay": True}, "decay"),
    "a list for decay": ("", {"decay": [0.5]}, "decay"),
    "a ttl of zero": ("", {"ttl": 0}, "ttl"),
    "an endless ttl": ("", {"ttl": 10**12}, "ttl"),
    "a fraction for the ttl": ("", {"ttl": 1.5}, "ttl"),
    "a boolean for the ttl": ("", {"ttl": True}, "ttl"),
    "a version that is none": ("", {"version": "newest"}, "version"),
    "an unknown field": ("", {"observation": LINE}, "observation"),
    "a missing cell at first": (
        "",
        {"model": "gd-1", "observations": {"x": [[None]], "y": [1]}},
        "observations.x[0][0]",
    ),
    "a missing cell later": ("/observations", {"x": [[None]], "y": [1]}, "x[0][0]"),
    "a missing cell in a query": ("/predictions", {"query": [[1], [None]]}, "query[1][0]"),
    "a null in y": ("/observations", {"x": [[1]], "y": [None]}, "y[0]"),
    "y of another length at first": ("", {"observations": {"x": [[1]], "y": [1, 2]}}, "observations.y"),
    "a NaN": ("/observations", {"x": [[1]], "y": [float("nan")]}, "y[0]"),
    "one flat row": ("/observations", {"x": [1], "y": [1]}, "x[0]"),
    "y of another length": ("/observations", {"x": [[1]], "y": [1, 2]}, "y"),
    "weights of another length": ("/observations", {"x": [[1]], "y": [1], "weight": [1, 1]}, "weight"),
    "x of another width": ("/observations", {"x": [[1, 2]], "y": [1]}, "x"),
    "y of another width": ("/observations", {"x": [[1]], "y": [[1, 2]]}, "y"),
    "y as rows after numbers": ("/observations", {"x": [[1]], "y": [[1]]}, "y"),
    "a query of another width": ("/predictions", {"query": [[1, 2]]}, "query"),
    "no query": ("/predictions", {}, "query"),
    "an unknown parameter": ("/predictions", {"query": [[1]], "parameters": {"speed": 1}}, "parameters.speed"),
    "a number for a context": ("/merge", {"context": 1}, "context"),
    "an impossible name": ("/merge", {"context": "a b"}, "context"),
}


@pytest.mark.parametrize(("door", "body", "field"), BAD.values(), ids=BAD)
def test_a_bad_field_is_422_and_named(client: InProcess, door: str, body: dict[str, Any], field: str) -> None:
    context = make(client, observations=LINE)
    address = f"/v1/contexts/{context['id']}"
    headers = {"Content-Type": "application/json"}
    path = f"{address}{door}" if door else "/v1/contexts"
    answer = client.request("POST", path, content=json.dumps(body).encode(), headers=headers)
    refusal(answer, 422, "invalid_input")
    assert [entry["field"] for entry in answer.json()["detail"]] == [field]
    assert client.get(address).json()["version"] == context["version"]


def test_an_unknown_model_or_version_is_404(client: InProcess) -> None:
    for body in ({"model": "cubic"}, {"model": "linear", "version": "9.9.9"}):
        message = refusal(client.request("POST", "/v1/contexts", json=body), 404, "unknown_model")
        assert "linear" in message


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=1001", "limit=many", "after=a%00b", "after=", "offset=3", "limit=1&limit=2"]
)
def test_invalid_page_is_422(client: InProcess, query: str) -> None:
    answer = client.get(f"/v1/contexts?{query}")
    assert query.partition("=")[0] in refusal(answer, 422, "invalid_input")


@pytest.mark.parametrize("name", ["unknown", "a" * 1000, "%00", "%F0%9F%90%8D", "a%20b", "%22", "..%2F..", "%FF"])
def test_unknown_context_is_404_for_any_name(client: InProcess, name: str) -> None:
    answer = client.get(f"/v1/contexts/{name}")
    assert answer.status_code == 404, answer.text
    assert answer.json()["error_type"] in {"unknown_context", "not_found"}
    assert len(answer.text) < 1000


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("", "GET, POST, HEAD"),
        ("/unknown", "GET, PATCH, DELETE, HEAD"),
        ("/import", "POST"),
        ("/unknown/merge", "POST"),
    ],
)
def test_other_method_is_405_with_all_allowed_methods(client: InProcess, path: str, allowed: str) -> None:
    for method in nonempty({"GET", "DELETE", "POST", "PUT", "PATCH", "OPTIONS", "TRACE"} - set(allowed.split(", "))):
        answer = client.request(method, f"/v1/contexts{path}")
        refusal(answer, 405, "method_not_allowed")
        assert answer.headers["allow"] == allowed
