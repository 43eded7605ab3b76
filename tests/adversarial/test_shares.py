"""Requests of one key are answered while another key uses all of its share."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import httpx
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection

from service.access.keys import Keys
from service.store.database import Database
from tests.adversarial.attacks import JSON, MB, RIGHT, eventually, live, new_context
from tests.running import Server, running

pytestmark = pytest.mark.adversarial

Hold = Callable[[Server, ExitStack, str], None]


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, str, str]]:
    """A service, and two keys."""
    url = f"sqlite:///{tmp_path_factory.mktemp('keys')}/gdssm.db"
    database = Database.open(url)
    greedy, modest = (f"Bearer {Keys(database).create(name)}" for name in ("greedy", "modest"))
    database.close()
    with running(GDSSM_DATABASE_URL=url, GDSSM_AUTH="on", GDSSM_MAX_BYTES_IN_FLIGHT=str(200 * MB)) as server:
        yield server, greedy, modest


def bodies(count: int, head: str) -> Hold:
    """Begin so many bodies, and never end them."""

    def hold(server: Server, stack: ExitStack, key: str) -> None:
        for _ in range(count):
            line = stack.enter_context(server.connect())
            about = f"Host: localhost\r\nContent-Type: application/json\r\nAuthorization: {key}\r\n{head}\r\n\r\n"
            line.sendall(b"POST /v1/predict HTTP/1.1\r\n" + about.encode())

    return hold


def websockets(server: Server, stack: ExitStack, key: str) -> None:
    context = new_context(server, Authorization=key)
    opened = 0
    for _ in range(64):
        try:
            stack.enter_context(live(server, context, Authorization=key))
            opened += 1
        except InvalidStatus:
            continue
    assert opened == 32


def event_streams(server: Server, stack: ExitStack, key: str) -> None:
    asked = {"models": ["linear"], "tasks": 5000, "curve": []}
    made = httpx.post(f"{server.url}/v1/evaluations", json=asked, headers={"Authorization": key})
    one = f"/v1/evaluations/{made.raise_for_status().json()['id']}"
    stack.callback(httpx.post, f"{server.url}{one}/cancel", headers={"Authorization": key})
    for _ in range(64):
        line = stack.enter_context(server.connect())
        line.sendall(f"GET {one}/events HTTP/1.1\r\nHost: localhost\r\nAuthorization: {key}\r\n\r\n".encode())


HOLDS: dict[str, Hold] = {
    "slow bodies": bodies(64, "Transfer-Encoding: chunked"),
    "announced bodies": bodies(17, f"Content-Length: {16 * MB}"),
    "WebSockets": websockets,
    "event streams": event_streams,
}


@pytest.mark.slow
@pytest.mark.parametrize("hold", HOLDS.values(), ids=HOLDS)
def test_one_key_cannot_use_up_a_limit_for_others(keys: tuple[Server, str, str], hold: Hold) -> None:
    server, greedy, modest = keys
    headers = {"Authorization": modest}
    context = new_context(server, Authorization=modest)
    with ExitStack() as stack:
        hold(server, stack, greedy)
        time.sleep(0.5)
        for _ in range(20):
            answer = httpx.post(f"{server.url}/v1/predict", content=RIGHT, headers=JSON | headers)
            assert answer.status_code == 200, answer.text
        with live(server, context, Authorization=modest) as line:
            line.send('{"query": [1]}')
            assert "prediction" in str(line.recv(timeout=20))


@pytest.mark.slow
def test_websocket_messages_count_towards_the_bytes_in_flight() -> None:
    """Most of a message each, never its end."""
    begun = b"\x82\xff" + (14 * MB).to_bytes(8, "big") + bytes(4) + bytes(10 * MB)
    with running(GDSSM_MAX_BYTES_IN_FLIGHT=str(60 * MB)) as server, ExitStack() as stack:
        context = new_context(server)
        lines = [stack.enter_context(live(server, context)) for _ in range(9)]
        for line in lines:
            line.socket.sendall(begun)
        assert eventually(lambda: sum(map(is_refused, lines)) >= 3)


def is_refused(line: ClientConnection) -> bool:
    """Check whether a WebSocket is closed for its bytes."""
    try:
        line.recv(timeout=0.1)
    except ConnectionClosed as closed:
        return closed.rcvd is not None and closed.rcvd.code == 1013
    except TimeoutError:
        return False
    return False
