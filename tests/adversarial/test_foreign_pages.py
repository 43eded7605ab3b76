"""A foreign web page in a user's browser cannot call a service without keys."""

import httpx
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from tests.nonempty import nonempty
from tests.running import Server, running

pytestmark = pytest.mark.adversarial

UNLOAD = "/v2/repository/models/linear/unload"
ATTACKS = {
    "a foreign page": {"Origin": "https://evil.example"},
    "a page on another port": {"Origin": "http://127.0.0.1:3000"},
    "a sandboxed page": {"Origin": "null"},
    "a page without Origin": {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"},
    "a rebound name": {"Host": "evil.example:8000", "Origin": "http://evil.example:8000"},
    "a rebound name without Origin": {"Host": "evil.example:8000"},
}


@pytest.mark.parametrize("headers", ATTACKS.values(), ids=ATTACKS)
@pytest.mark.parametrize(
    ("method", "path"), [("POST", UNLOAD), ("GET", "/v1/models"), ("POST", "/v1/contexts"), ("GET", "/nothing")]
)
def test_requests_from_foreign_pages_are_403(server: Server, method: str, path: str, headers: dict[str, str]) -> None:
    answer = httpx.request(method, server.url + path, headers=headers)
    assert answer.status_code == 403
    assert answer.json()["error_type"] == "foreign_site"
    assert httpx.get(f"{server.url}/v2/models/linear/ready").status_code == 200


def test_websockets_from_foreign_pages_are_refused(server: Server) -> None:
    context = httpx.post(f"{server.url}/v1/contexts", json={"model": "linear"}).json()["id"]
    address = f"{server.url.replace('http', 'ws')}/v1/contexts/{context}/stream"
    with (
        pytest.raises(InvalidStatus) as refused,
        connect(address, additional_headers={"Origin": "https://evil.example"}),
    ):
        pass
    assert refused.value.response.status_code == 403
    with connect(address, additional_headers={"Origin": server.url}):
        pass


def test_own_page_programs_and_links_are_answered(server: Server) -> None:
    own = {"Origin": server.url, "Sec-Fetch-Site": "same-origin"}
    link = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
    assert httpx.post(f"{server.url}/v1/contexts", json={"model": "linear"}, headers=own).status_code == 201
    assert httpx.get(f"{server.url}/", headers=link).status_code == 200
    assert httpx.get(f"{server.url}/v1/models").status_code == 200


@pytest.mark.parametrize("path", ["/health/live", "/health/ready", "/v2/health/ready", "/metrics"])
def test_probes_and_scrapers_may_use_any_host_name(server: Server, path: str) -> None:
    assert httpx.get(server.url + path, headers={"Host": "gdssm.default.svc:8000"}).status_code == 200


@pytest.mark.slow
def test_foreign_pages_with_a_key_are_answered(server: Server) -> None:
    del server
    with running(GDSSM_AUTH="on") as guarded:
        answer = httpx.get(
            f"{guarded.url}/v1/models", headers={"Host": "gdssm.example.org", "Origin": "https://a.example"}
        )
        assert answer.status_code == 401


@pytest.mark.slow
@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=a", ""]
)
def test_json_routes_refuse_the_content_types_of_forms(server: Server, kind: str) -> None:
    checked = 0
    for path, operations in nonempty(httpx.get(f"{server.url}/openapi.json").json()["paths"].items()):
        for method, operation in nonempty(operations.items()):
            if "application/json" in operation.get("requestBody", {}).get("content", {}):
                answer = httpx.request(method, server.url + path, content=b"{}", headers={"Content-Type": kind})
                assert answer.status_code == 415, (method, path)
                checked += 1
    assert checked > 10
