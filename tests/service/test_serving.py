"""The real thing: a process, a socket, signals."""

import json
import signal
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import httpx
import pytest

from tests.running import ROOT, SERVE, Server, running

LINE = {"context": {"x": [[1], [2], [3]], "y": [2, 4, 6]}, "query": [[4], [5]]}


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with running() as server:
        yield server


def test_it_is_ready_as_soon_as_it_says_so_and_predicts(server: Server) -> None:
    assert httpx.get(f"{server.url}/health/ready").json() == {"status": "ready"}
    answer = httpx.post(f"{server.url}/v1/predict", json=LINE)
    assert answer.json()["prediction"] == pytest.approx([8, 10])


@pytest.mark.parametrize("announced", [True, False])
def test_a_body_over_the_limit_is_answered_while_it_is_being_sent(server: Server, announced: bool) -> None:
    chunk = b" " * 2**20
    content = chunk * 40 if announced else (chunk for _ in range(40))
    headers = {"Content-Type": "application/json"}
    answer = httpx.post(f"{server.url}/v1/predict", content=content, headers=headers, timeout=20)
    assert answer.status_code == 413
    assert answer.json()["error_type"] == "body_too_large"


def test_a_caller_who_hangs_up_does_no_harm(server: Server) -> None:
    with server.connect() as line:
        line.sendall(b"POST /v1/predict HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n")
        line.sendall(b"Content-Length: 1000\r\n\r\n{")
    assert httpx.post(f"{server.url}/v1/predict", json=LINE).status_code == 200


def test_many_callers_at_once_each_get_their_own_answer(server: Server) -> None:
    def ask(slope: int) -> list[float]:
        body = {"context": {"x": [[1], [2], [3]], "y": [slope, 2 * slope, 3 * slope]}, "query": [[10]]}
        answer: list[float] = httpx.post(f"{server.url}/v1/predict", json=body).json()["prediction"]
        return answer

    with ThreadPoolExecutor(8) as callers:
        answers = list(callers.map(ask, range(1, 33)))
    assert [answer for (answer,) in answers] == pytest.approx([10 * slope for slope in range(1, 33)])


def test_it_finishes_what_it_is_doing_and_leaves_cleanly() -> None:
    body = json.dumps(LINE).encode()
    head = f"POST /v1/predict HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"
    with running() as server:
        with server.connect() as line:
            line.sendall(f"{head}Expect: 100-continue\r\n\r\n".encode())
            assert line.recv(1000).startswith(b"HTTP/1.1 100 ")  # the service is waiting for the body now
            server.process.send_signal(signal.SIGTERM)
            line.sendall(body)
            answer = b"".join(iter(partial(line.recv, 65536), b""))
        assert answer.startswith(b"HTTP/1.1 200 ")
        assert server.wait() == 0
    assert "Traceback" not in server.log


def test_an_empty_zoo_is_served_as_not_ready(tmp_path: Path) -> None:
    with running(GDSSM_ZOO=str(tmp_path)) as server:
        assert httpx.get(f"{server.url}/health/live").status_code == 200
        assert httpx.get(f"{server.url}/health/ready").status_code == 503


def test_a_port_that_is_taken_is_told_in_one_line(server: Server) -> None:
    port = server.url.rsplit(":", 1)[1]
    result = subprocess.run([*SERVE, "--port", port], cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 2
    assert result.stderr == f"Error: Cannot listen on 127.0.0.1, port {port}: Address already in use. Choose another.\n"
