"""Refused WebSocket handshakes, and their log lines."""

import logging
from collections.abc import Iterator

import httpx
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from tests.adversarial.attacks import eventually, new_context
from tests.running import Server, running

pytestmark = pytest.mark.adversarial

SECRET = "SECRETsecretSECRET"  # noqa: S105  (it opens nothing)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with running(GDSSM_LOG_LEVEL="debug") as server:
        yield server


def refused(server: Server, path: str) -> httpx.Response:
    key = {"Authorization": f"Bearer gdssm_0123456789abcdef_{SECRET}"}
    with (
        pytest.raises(InvalidStatus) as error,
        connect(server.url.replace("http", "ws") + path, additional_headers=key),
    ):
        pass
    response = error.value.response
    return httpx.Response(response.status_code, content=bytes(response.body or b""))


def test_handshake_for_an_unknown_context_is_404_with_one_log_line(server: Server) -> None:
    logged = len(server.log)
    answer = refused(server, "/v1/contexts/unknown/stream")
    assert (answer.status_code, answer.json()["error_type"]) == (404, "unknown_context")
    httpx.get(f"{server.url}/health/live")  # logged after it
    log = server.log[logged:]
    assert "Traceback" not in log
    assert logging.getLevelName(logging.ERROR) not in log
    assert log.count("WEBSOCKET /v1/contexts/{context_id}/stream 404") == 1


def test_handshake_at_an_unknown_address_is_404_like_a_get(server: Server) -> None:
    logged = len(server.log)
    answer = refused(server, "/v1/contexts")
    assert (answer.status_code, answer.json()["error_type"]) == (404, "not_found")
    httpx.get(f"{server.url}/health/live")
    assert "WEBSOCKET unmatched 404" in server.log[logged:]


def test_keys_are_not_logged_at_debug_level(server: Server) -> None:
    refused(server, "/v1/contexts/unknown/stream")
    httpx.get(f"{server.url}/v1/models", headers={"Authorization": f"Bearer gdssm_0123456789abcdef_{SECRET}"})
    assert "DEBUG" in server.log
    assert SECRET not in server.log


def test_keys_in_a_query_are_not_logged(server: Server) -> None:
    context = new_context(server)
    refused(server, f"/v1/contexts/unknown/stream?api_key={SECRET}")
    logged = len(server.log)
    address = f"{server.url.replace('http', 'ws')}/v1/contexts/{context}/stream?api_key={SECRET}"
    with connect(address) as line:
        line.send('{"query": [1]}')
        line.recv(timeout=20)
    httpx.get(f"{server.url}/v1/models?api_key={SECRET}")
    assert SECRET not in server.log
    assert eventually(lambda: server.log[logged:].count("/stream 101") == 1)
