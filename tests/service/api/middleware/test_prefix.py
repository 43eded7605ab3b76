"""Behind a reverse proxy with a path prefix."""

import re
from collections.abc import Iterator

import pytest

from service.settings import Settings
from tests.service.in_process import InProcess, in_process


@pytest.fixture(scope="module")
def below() -> Iterator[InProcess]:
    with in_process(Settings(root_path="/gdssm")) as client:
        yield client


@pytest.fixture(scope="module")
def trusting() -> Iterator[InProcess]:
    with in_process(Settings(forwarded_prefix=True)) as client:
        yield client


def prefixed(client: InProcess, prefix: str, method: str, path: str, **options: object) -> tuple[int, str, str]:
    answer = client.request(method, path, headers={"X-Forwarded-Prefix": prefix}, **options)
    return answer.status_code, answer.headers.get("location", ""), answer.text


LINE = {"context": {"x": [[1], [2], [3]], "y": [2, 4, 6]}, "query": [[4], [5]]}


@pytest.mark.slow
@pytest.mark.parametrize("start", ["", "/gdssm"])
def test_addresses_match_with_and_without_the_prefix(below: InProcess, start: str) -> None:
    for path in ("/", "/docs", "/openapi.json", "/web/icon.svg", "/health/ready", "/metrics", "/v1/models", "/v2"):
        assert below.get(start + path).status_code == 200, path
        assert below.request("HEAD", start + path).status_code == 200, path
    assert below.request("POST", f"{start}/v1/predict", json=LINE).status_code == 200
    assert below.get(f"{start}/nothing").status_code == 404


@pytest.mark.slow
def test_links_and_locations_have_the_prefix(below: InProcess) -> None:
    made = below.request("POST", "/v1/contexts", json={"model": "linear"})
    assert made.headers["location"] == f"/gdssm/v1/contexts/{made.json()['id']}"
    assert below.get(made.headers["location"]).status_code == 200
    asked = below.request("POST", "/v1/evaluations", json={"models": ["gd-1"], "tasks": 2, "curve": [1, 2]})
    assert asked.headers["location"] == f"/gdssm/v1/evaluations/{asked.json()['id']}"
    assert {"url": "/gdssm"} in below.get("/openapi.json").json()["servers"]
    docs = below.get("/docs").text
    found = re.findall(r"""(?:src|href|url)["']?[=:] ?["'](/[^"']*)""", docs)
    assert len(found) >= 3
    for address in found:
        assert address.startswith("/gdssm/"), address
        assert below.get(address).status_code == 200


def test_page_has_relative_addresses_only(below: InProcess) -> None:
    page = below.get("/gdssm/").text
    assert not re.findall(r"""(?:src|href|action)=["']/""", page)
    answer = below.get("/gdssm")
    assert (answer.status_code, answer.headers["location"]) == (307, "/gdssm/")


def test_log_and_metrics_have_the_route_without_the_prefix(below: InProcess, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO"):
        below.get("/gdssm/v1/models/linear")
    (line,) = [
        record.getMessage() for record in caplog.records if record.name == "service.api.middleware.observability"
    ]
    assert line.startswith("GET /v1/models/{name} 200 ")


@pytest.mark.slow
def test_trusted_header_sets_the_prefix(trusting: InProcess) -> None:
    status, location, _ = prefixed(trusting, "/team/gdssm/", "POST", "/v1/contexts", json={"model": "linear"})
    assert (status, location[:25]) == (201, "/team/gdssm/v1/contexts/0")
    assert prefixed(trusting, "/team/gdssm", "GET", "/team/gdssm/v1/models")[0] == 200
    assert "/team/gdssm/openapi.json" in prefixed(trusting, "/team/gdssm", "GET", "/docs")[2]


@pytest.mark.parametrize("sent", ["//evil.example", "https://evil.example", "/a/../b", "/a b", "evil", "/", '/a"><b'])
def test_header_that_is_no_path_is_ignored(trusting: InProcess, sent: str) -> None:
    _, location, _ = prefixed(trusting, sent, "POST", "/v1/contexts", json={"model": "linear"})
    assert location.startswith("/v1/contexts/")


@pytest.mark.slow
def test_untrusted_header_is_ignored(client: InProcess) -> None:
    _, location, _ = prefixed(client, "/gdssm", "POST", "/v1/contexts", json={"model": "linear"})
    assert location.startswith("/v1/contexts/")


@pytest.mark.slow
def test_addresses_below_the_prefix_need_a_key() -> None:
    with in_process(Settings(auth="on", root_path="/gdssm")) as client:
        assert client.get("/gdssm/v1/models").status_code == 401
        assert client.get("/gdssm/health/ready").status_code == 200
