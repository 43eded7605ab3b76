"""With keys on, every protected route requires one, and checks it before it reads the body."""

from collections.abc import AsyncIterator, Iterator

import pytest

from service.api.middleware.access import is_public
from service.settings import Settings
from tests.nonempty import nonempty
from tests.service.in_process import InProcess, in_process


@pytest.fixture(scope="module")
def client() -> Iterator[InProcess]:
    with in_process(Settings(auth="on")) as client:
        yield client


class Untouched:
    """A body that must not be read."""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        raise AssertionError("the body was read before the key was")
        yield b""


@pytest.mark.slow
def test_every_route_but_the_open_ones_is_401_without_a_key_and_reads_no_body(client: InProcess) -> None:
    checked = 0
    for path, operations in nonempty(client.get("/openapi.json").json()["paths"].items()):
        for method in nonempty(operations):
            if not is_public(path):
                headers = {"Content-Type": "application/json"}
                answer = client.request(method.upper(), path, content=Untouched(), headers=headers)
                assert answer.status_code == 401, (method, path)
                assert answer.json()["error_type"] == "unauthenticated"
                checked += 1
    assert checked >= 3


@pytest.mark.slow
def test_unknown_address_is_401_without_a_key(client: InProcess) -> None:
    assert client.get("/nothing").status_code == 401


def test_only_routes_for_probes_and_scrapers_need_no_key(client: InProcess) -> None:
    paths = client.get("/openapi.json").json()["paths"]
    assert {path for path in paths if is_public(path)} <= {
        "/health/live",
        "/health/ready",
        "/v2/health/live",
        "/v2/health/ready",
        "/metrics",
    }
