"""CORS: pages of listed origins may call the service and read its responses, all others may not."""

from collections.abc import Iterator

import httpx
import pytest
from websockets.sync.client import connect

from service.api.middleware.admission import Admission
from service.app import create_app
from service.errors import InvalidSettings
from service.settings import Settings
from tests.running import running
from tests.service.in_process import InProcess, in_process

APP = "https://app.example.org"
CROSS_SITE = {"Origin": APP, "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "cors"}
BODY = {"model": "linear", "context": {"x": [[1], [2], [3]], "y": [2, 4, 6]}, "query": [[4]]}


@pytest.fixture(scope="module")
def listing() -> Iterator[InProcess]:
    with in_process(Settings(cors_origins=f"{APP}, http://localhost:3000")) as client:
        yield client


@pytest.fixture(scope="module")
def guarded() -> Iterator[InProcess]:
    with in_process(Settings(cors_origins="*", auth="on")) as client:
        yield client


def preflight(client: InProcess, origin: str, method: str = "POST", path: str = "/v1/predict") -> httpx.Response:
    headers = {
        "Origin": origin,
        "Access-Control-Request-Method": method,
        "Access-Control-Request-Headers": "authorization,content-type,if-match",
        "Sec-Fetch-Site": "cross-site",
    }
    return client.request("OPTIONS", path, headers=headers)


def allowed(answer: httpx.Response) -> str | None:
    assert "access-control-allow-credentials" not in answer.headers
    found: str | None = answer.headers.get("access-control-allow-origin")
    return found


@pytest.mark.parametrize("origin", [APP, "http://localhost:3000"])
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE"])
def test_preflight_of_a_listed_origin_is_answered(listing: InProcess, origin: str, method: str) -> None:
    answer = preflight(listing, origin, method, "/v1/contexts/any")
    assert (answer.status_code, allowed(answer)) == (200, origin)
    assert method in answer.headers["access-control-allow-methods"]
    assert answer.headers["access-control-allow-headers"] == "authorization,content-type,if-match"
    assert "x-request-id" in answer.headers


def test_listed_page_may_call_and_read_the_response(listing: InProcess) -> None:
    answer = listing.request("POST", "/v1/predict", headers=CROSS_SITE, json=BODY)
    assert (answer.status_code, allowed(answer)) == (200, APP)
    assert "Origin" in answer.headers["vary"]
    exposed = answer.headers["access-control-expose-headers"].split(", ")
    assert {"ETag", "Location", "Retry-After", "X-Request-ID"} <= {*exposed}


@pytest.mark.parametrize(("path", "status"), [("/v1/contexts/none", 404), ("/nothing", 404), ("/v1/predict", 405)])
def test_listed_page_may_read_errors(listing: InProcess, path: str, status: int) -> None:
    answer = listing.request("GET", path, headers=CROSS_SITE)
    assert (answer.status_code, allowed(answer)) == (status, APP)


@pytest.mark.parametrize("origin", ["https://evil.example", f"{APP}:8443", "null", "http://app.example.org"])
def test_other_pages_are_refused(listing: InProcess, origin: str) -> None:
    requests = preflight(listing, origin), listing.request("POST", "/v1/predict", headers={"Origin": origin}, json=BODY)
    for answer in requests:
        assert (answer.status_code, allowed(answer)) == (403, None)
        assert answer.json()["error_type"] == "foreign_site"
        assert "GDSSM_CORS_ORIGINS" in answer.json()["error"]


def test_method_that_no_route_has_is_refused(listing: InProcess) -> None:
    answer = preflight(listing, APP, "TRACE")
    assert (answer.status_code, answer.json()["error_type"]) == (403, "foreign_site")


def test_programs_get_no_origin(listing: InProcess) -> None:
    assert allowed(listing.predict(BODY)) is None


def test_preflight_needs_no_key_and_the_request_does(guarded: InProcess) -> None:
    answer = preflight(guarded, "https://any.example")
    assert (answer.status_code, allowed(answer)) == (200, "*")
    refused = guarded.request("POST", "/v1/predict", headers=CROSS_SITE, json=BODY)
    assert (refused.status_code, allowed(refused)) == (401, "*")


def test_every_origin_without_keys_is_refused_at_the_start() -> None:
    with pytest.raises(InvalidSettings, match="GDSSM_CORS_ORIGINS"):
        create_app(Settings(cors_origins="*"))


def test_service_without_origins_has_no_middleware_for_them(client: InProcess) -> None:
    assert isinstance(vars(client.app.middleware_stack)["_app"], Admission)
    answer = preflight(client, APP)
    assert (answer.status_code, allowed(answer)) == (403, None)


@pytest.mark.slow
def test_listed_page_may_open_a_websocket_without_a_key() -> None:
    with running(GDSSM_CORS_ORIGINS=APP) as server:
        context = httpx.post(f"{server.url}/v1/contexts", json={"model": "linear"}).json()["id"]
        address = f"{server.url.replace('http', 'ws')}/v1/contexts/{context}/stream"
        with connect(address, additional_headers={"Origin": APP}):
            pass
