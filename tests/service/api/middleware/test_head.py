import pytest

from service.settings import Settings
from tests.service.in_process import InProcess, in_process

ALWAYS_OTHER = {"date", "x-request-id", "server-timing"}
CHANGING = {"/metrics"}
"""Addresses whose responses vary in length."""


@pytest.fixture
def ids(client: InProcess) -> dict[str, str]:
    context = client.request("POST", "/v1/contexts", json={"model": "linear"}).json()["id"]
    asked = {"models": ["gd-1"], "tasks": 2, "curve": [1, 2], "observations": 2}
    evaluation = client.request("POST", "/v1/evaluations", json=asked).json()["id"]
    return {"context_id": context, "evaluation_id": evaluation, "name": "linear", "version": "2.0.0"}


@pytest.mark.slow
def test_every_address_with_get_accepts_head(client: InProcess, ids: dict[str, str]) -> None:
    document = client.get("/openapi.json").json()["paths"]
    paths = [path.format(**ids) for path, operations in document.items() if "get" in operations]
    assert len(paths) > 15
    for path in [*paths, "/", "/docs", "/openapi.json", "/web/icon.svg", "/nothing", "/v1/models/none"]:
        head = client.request("HEAD", path)
        assert head.content == b"", path
        if path.endswith("/events"):
            assert head.status_code == 200
            continue
        get = client.get(path)
        assert head.status_code == get.status_code, path
        kept = ALWAYS_OTHER | ({"content-length", "etag"} if path in CHANGING or "evaluations" in path else set())
        assert {name: value for name, value in head.headers.items() if name not in kept} == {
            name: value for name, value in get.headers.items() if name not in kept
        }, path


@pytest.mark.parametrize("path", ["/v1/predict", "/v1/contexts/import"])
def test_head_is_405_where_get_is(client: InProcess, path: str) -> None:
    answer = client.request("HEAD", path)
    assert (answer.status_code, answer.headers["allow"], answer.content) == (405, "POST", b"")


@pytest.mark.slow
def test_head_needs_a_key() -> None:
    with in_process(Settings(auth="on")) as client:
        assert client.request("HEAD", "/v1/models").status_code == 401
        assert client.request("HEAD", "/health/ready").status_code == 200


def test_the_log_names_method_and_route(client: InProcess, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO"):
        client.request("HEAD", "/v1/models/linear")
    (line,) = [
        record.getMessage() for record in caplog.records if record.name == "service.api.middleware.observability"
    ]
    assert line.startswith("HEAD /v1/models/{name} 200 ")
