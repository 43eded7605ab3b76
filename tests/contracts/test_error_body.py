"""Every route answers invalid requests with the right status, one shape of error body and the field's name."""

import copy
import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.settings import Settings
from tests.nonempty import nonempty
from tests.service.in_process import InProcess, in_process

GOOD: dict[str, Any] = {
    "model": "gd-1",
    "context": {"x": [[1, 2], [3, 4], [5, 6]], "y": [1, 2, 3], "weight": [1, 1, 1]},
    "query": [[1, 1]],
    "parameters": {"learning_rate": 0.1},
}
LIMIT = 1_100_000


@pytest.fixture(scope="module")
def client() -> Iterator[InProcess]:
    with in_process(Settings(max_body_bytes=LIMIT)) as client:
        yield client


def changed(path: str, value: object) -> bytes:
    """GOOD with one place changed; literals that Python's json writes (NaN, Infinity) stay literals."""
    body = copy.deepcopy(GOOD)
    *way, last = [int(step) if step.isdecimal() else step for step in path.split("/")]
    place: Any = body
    for step in way:
        place = place[step]
    place[last] = value
    return json.dumps(body).encode()


def without(path: str) -> bytes:
    body = copy.deepcopy(GOOD)
    *way, last = path.split("/")
    for step in way:
        body = body[step]
    del body[last]
    whole = {**copy.deepcopy(GOOD), way[0]: body} if way else body
    return json.dumps(whole).encode()


def literal(text: str) -> bytes:
    """GOOD with the text of a number in the middle of x."""
    return changed("context/x/1/0", "HERE").replace(b'"HERE"', text.encode())


def check(answer: httpx.Response, status: int, error_type: str) -> dict[str, Any]:
    body: dict[str, Any] = answer.json()
    assert answer.status_code == status, body
    assert answer.headers["content-type"] == "application/json"
    assert list(body) == ["error", "error_type", "detail"]
    assert isinstance(body["error"], str)
    assert body["error"]
    assert body["error_type"] == error_type
    assert body["detail"] is None or all(set(entry) == {"field", "message"} for entry in body["detail"])
    assert "Traceback" not in answer.text
    assert len(answer.text) < 10_000
    return body


CELL = "context.x[1][0]"
BAD_FIELDS = {
    "NaN": (literal("NaN"), [CELL]),
    "Infinity": (literal("Infinity"), [CELL]),
    "-Infinity": (literal("-Infinity"), [CELL]),
    "1e400": (literal("1e400"), [CELL]),
    "an integer of 400 digits": (literal("9" * 400), [CELL]),
    "an integer of 5000 digits": (literal("9" * 5000), [""]),
    "a text for a number": (literal('"1"'), [CELL]),
    "a boolean for a number": (literal("true"), [CELL]),
    "a missing cell": (literal("null"), [CELL]),
    "a missing cell in a query": (changed("query/0/1", None), ["query[0][1]"]),
    "an object for a number": (literal("{}"), [CELL]),
    "a list for a number": (literal("[1]"), [CELL]),
    "a null in y": (changed("context/y/2", None), ["context.y[2]"]),
    "a NaN in weight": (changed("context/weight/2", float("nan")), ["context.weight[2]"]),
    "a text in query": (changed("query/0/1", "2"), ["query[0][1]"]),
    "ragged rows": (changed("context/x/1", [3]), ["context.x[1]"]),
    "a number for a row": (changed("context/x/1", 3), ["context.x[1]"]),
    "an empty row": (changed("context/x/1", []), ["context.x[1]"]),
    "ragged rows of y": (changed("context/y", [[1, 2], [3], [4, 5]]), ["context.y[1]"]),
    "numbers and rows in y": (changed("context/y", [1, [2], 3]), ["context.y[1]"]),
    "a query of another width": (changed("query", [[1, 2, 3]]), ["query"]),
    "a flat query": (changed("query", [1, 1]), ["query[0]", "query[1]"]),
    "y of another length": (changed("context/y", [1, 2]), ["context.y"]),
    "weights of another length": (changed("context/weight", [1, 1]), ["context.weight"]),
    "weights of zero": (changed("context/weight", [0, 0, 0]), ["context.weight"]),
    "weights that cancel": (changed("context/weight", [1, 1, -2]), ["context.weight"]),
    "weights too large to add": (changed("context/weight", [1e308] * 3), ["context.weight"]),
    "an empty context": (changed("context", {"x": [], "y": []}), ["context.x", "context.y"]),
    "a context of nothing": (changed("context", {}), ["context.x", "context.y"]),
    "a null context": (changed("context", None), ["context"]),
    "a list for the context": (changed("context", [[1, 2]]), ["context"]),
    "no context": (without("context"), ["context"]),
    "no x": (without("context/x"), ["context.x"]),
    "no query": (without("query"), ["query"]),
    "an empty query": (changed("query", []), ["query"]),
    "a null query": (changed("query", None), ["query"]),
    "an unknown field": (changed("queries", [[1, 1]]), ["queries"]),
    "an unknown field of the context": (changed("context/weights", [1]), ["context.weights"]),
    "an unknown parameter": (changed("parameters/momentum", 1), ["parameters.momentum"]),
    "a parameter of another model": (changed("model", "linear"), ["parameters.learning_rate"]),
    "learning_rate 0": (changed("parameters/learning_rate", 0), ["parameters.learning_rate"]),
    "learning_rate negative": (changed("parameters/learning_rate", -0.1), ["parameters.learning_rate"]),
    "learning_rate null": (changed("parameters/learning_rate", None), ["parameters.learning_rate"]),
    "learning_rate NaN": (changed("parameters/learning_rate", float("nan")), ["parameters.learning_rate"]),
    "learning_rate infinite": (changed("parameters/learning_rate", float("inf")), ["parameters.learning_rate"]),
    "learning_rate a text": (changed("parameters/learning_rate", "0.1"), ["parameters.learning_rate"]),
    "a list of parameters": (changed("parameters", [0.1]), ["parameters"]),
    "a number for the model": (changed("model", 1), ["model"]),
    "an endless model name": (changed("model", "m" * 100_000), ["model"]),
    "an endless field name": (changed("k" * 100_000, 1), ["k" * 60 + "…"]),
    "x and y both bad": (changed("context", {"x": [["b"]], "y": ["a"]}), ["context.x[0][0]", "context.y[0]"]),
    "a list for the body": (b"[1, 2]", [""]),
    "a null body": (b"null", [""]),
    "too many columns": (changed("context/x", [[1] * 2000] * 3), ["query", "context"]),
}


@pytest.mark.parametrize(("content", "fields"), BAD_FIELDS.values(), ids=BAD_FIELDS)
def test_a_bad_field_is_422_and_named(client: InProcess, content: bytes, fields: list[str]) -> None:
    body = check(client.send(content), 422, "invalid_input")
    assert [entry["field"] for entry in body["detail"]] == fields
    for entry in nonempty(body["detail"][:3]):
        assert entry["field"] in body["error"]
        assert entry["message"] in body["error"]


OVERFLOWING = {
    "x": changed("context/x/0/0", 1e200),
    "x and y": changed("context", {"x": [[1e200, 1], [1, 1e200]], "y": [1e200, 1]}),
    "the step": changed("parameters/learning_rate", 1.7e308),
}


@pytest.mark.parametrize("content", OVERFLOWING.values(), ids=OVERFLOWING)
def test_numbers_that_overflow_are_422(client: InProcess, content: bytes) -> None:
    check(client.send(content), 422, "numeric_overflow")


@pytest.mark.parametrize("model", ["gd-1", "gd-8", "linear", "nonlinear"])
def test_squares_that_overflow_are_422_for_every_model(client: InProcess, model: str) -> None:
    context = {"x": [[1e200, 0], [2, 1e200], [1, 1]], "y": [1, 2, 3]}
    answer = client.predict({"model": model, "context": context, "query": [[1e200, 1]]})
    check(answer, 422, "numeric_overflow")


MALFORMED = {
    "nothing": b"",
    "blanks": b" \n",
    "a broken object": b'{"context": ',
    "two objects": b"{} {}",
    "a text": b"hello",
    "single quotes": b"{'context': 1}",
    "a trailing comma": b'{"query": [[1,]]}',
    "invalid UTF-8": b'{"model": "\xff"}',
    "half a surrogate": b'{"model": "\\ud800"}',
    "UTF-16": json.dumps(GOOD).encode("utf-16"),
    "100,000 lists deep": b"[" * 100_000 + b"]" * 100_000,
    "100,000 unclosed lists": b"[" * 100_000,
    "100,000 objects deep": b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    "deep where numbers belong": literal("[" * 100_000 + "]" * 100_000),
}


@pytest.mark.parametrize("content", MALFORMED.values(), ids=MALFORMED)
def test_a_body_that_cannot_be_read_is_400(client: InProcess, content: bytes) -> None:
    error = check(client.send(content), 400, "malformed_body")["error"]
    assert content.strip() or error == "The body is empty. Send a JSON object."


CONTEXT_PATHS = ["", "/unknown/observations", "/unknown/predictions", "/unknown/merge"]


@pytest.mark.parametrize("path", CONTEXT_PATHS)
@pytest.mark.parametrize(
    ("content", "status", "error_type"),
    [
        *((content, 400, "malformed_body") for content in MALFORMED.values()),
        (b"[1, 2]", 422, "invalid_input"),
        (b'{"unknown": 1}', 422, "invalid_input"),
        (b" " * (LIMIT + 1), 413, "body_too_large"),
    ],
)
def test_a_bad_body_is_refused_by_every_route_of_contexts(
    client: InProcess, path: str, content: bytes, status: int, error_type: str
) -> None:
    headers = {"Content-Type": "application/json"}
    check(client.request("POST", f"/v1/contexts{path}", content=content, headers=headers), status, error_type)
    headers = {"Content-Type": "text/plain"}
    answer = client.request("POST", f"/v1/contexts{path}", content=content, headers=headers)
    check(answer, 415, "unsupported_content_type")


@pytest.mark.parametrize("name", ["unknown", "a" * 10_000, "%00", "a%20b", "%FF"])
def test_a_context_that_is_not_there_is_404_on_every_route(client: InProcess, name: str) -> None:
    bodies = {"observations": {"x": [[1]], "y": [1]}, "predictions": {"query": [[1]]}, "merge": {"context": "0" * 32}}
    answers = [client.request(method, f"/v1/contexts/{name}") for method in ("GET", "DELETE")]
    answers += [client.get(f"/v1/contexts/{name}/state")]
    answers += [client.request("POST", f"/v1/contexts/{name}/{path}", json=body) for path, body in bodies.items()]
    for answer in answers:
        check(answer, 404, "unknown_context")


def test_lists_within_the_depth_that_can_be_read_are_a_bad_field(client: InProcess) -> None:
    check(client.send(literal("[" * 100 + "]" * 100)), 422, "invalid_input")


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_over_the_limit_is_413(client: InProcess, chunked: bool) -> None:
    content = changed("query", [[1.5, 2.5]] * (LIMIT // 10))
    body = check(client.send([content[:LIMIT], content[LIMIT:]] if chunked else content), 413, "body_too_large")
    assert f"{LIMIT} bytes" in body["error"]


def test_unsupported_content_type_is_415(client: InProcess) -> None:
    check(client.send(changed("query", [[1, 1]]), "text/plain"), 415, "unsupported_content_type")


def test_an_unknown_model_is_404_with_the_names_that_exist(client: InProcess) -> None:
    for answer in (client.send(changed("model", "cubic")), client.get("/v1/models/cubic")):
        assert "gd-1, gd-8, linear" in check(answer, 404, "unknown_model")["error"]


@pytest.mark.parametrize("path", ["/web", "/v1", "/v1/predict/", "/v1/models/", "/v1/models/a/b", "/health", "/none"])
def test_an_unknown_address_is_404(client: InProcess, path: str) -> None:
    assert check(client.get(path), 404, "not_found")["error"].endswith(" The routes are listed at /docs.")


@pytest.mark.slow
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_a_method_that_an_address_does_not_take_is_405(client: InProcess, method: str) -> None:
    document = client.get("/openapi.json").json()
    for path, operations in [*document["paths"].items(), ("/docs", {"get": {}}), ("/openapi.json", {"get": {}})]:
        if method.lower() not in operations:
            answer = client.request(method, path)
            assert check(answer, 405, "method_not_allowed")["error"].endswith(" The routes are listed at /docs.")
            allowed = set(answer.headers["allow"].split(", "))
            assert allowed >= {name.upper() for name in operations}
            assert ("HEAD" in allowed) == ("GET" in allowed)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["x", "y", "weight"]), inner),
    max_leaves=8,
)
PLACES = ["model", "context", "query", "query/0", "parameters"]
PLACES += ["context/x", "context/x/1", "context/y", "context/weight"]


@pytest.mark.slow
@given(place=st.sampled_from(PLACES), value=JSON)
def test_any_value_in_any_field_is_answered_or_refused(client: InProcess, place: str, value: object) -> None:
    answer = client.send(changed(place, value))
    if answer.status_code != 200:
        check(answer, answer.status_code, answer.json()["error_type"])
        assert answer.status_code in {404, 422}


def test_unchanged_request_is_answered(client: InProcess) -> None:
    assert client.predict(GOOD).status_code == 200
