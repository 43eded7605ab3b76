"""The service as a process, with sockets and signals."""

import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

import httpx
import pytest

from service.settings import Settings
from tests.running import ROOT, SERVE, Server, running, zoo_of

LINE = {"context": {"x": [[1], [2], [3]], "y": [2, 4, 6]}, "query": [[4], [5]]}


def test_service_predicts_when_it_reports_ready(server: Server) -> None:
    assert httpx.get(f"{server.url}/health/ready").json()["status"] == "ready"
    answer = httpx.post(f"{server.url}/v1/predict", json={**LINE, "query": [[2]]})
    assert answer.json()["prediction"] == pytest.approx([4])


@pytest.mark.parametrize("announced", [True, False])
def test_a_body_over_the_limit_is_answered_while_it_is_being_sent(server: Server, announced: bool) -> None:
    chunk = b" " * 2**20
    content = chunk * 40 if announced else (chunk for _ in range(40))
    headers = {"Content-Type": "application/json"}
    answer = httpx.post(f"{server.url}/v1/predict", content=content, headers=headers, timeout=20)
    assert answer.status_code == 413
    assert answer.json()["error_type"] == "body_too_large"


def test_disconnected_callers_do_no_harm(server: Server) -> None:
    with server.connect() as line:
        line.sendall(b"POST /v1/predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n")
        line.sendall(b"Content-Length: 1000\r\n\r\n{")
    assert httpx.post(f"{server.url}/v1/predict", json=LINE).status_code == 200


@pytest.mark.slow
def test_concurrent_callers_get_their_own_responses(server: Server) -> None:
    def ask(slope: int) -> list[float]:
        context = {"x": [[1], [2], [3]], "y": [slope, 2 * slope, 3 * slope]}
        body = {"model": "linear", "version": "1.0.0", "context": context, "query": [[10]]}
        answer: list[float] = httpx.post(f"{server.url}/v1/predict", json=body).json()["prediction"]
        return answer

    with ThreadPoolExecutor(8) as callers:
        answers = list(callers.map(ask, range(1, 33)))
    assert [answer for (answer,) in answers] == pytest.approx([10 * slope for slope in range(1, 33)])


@pytest.mark.slow
def test_shutdown_finishes_requests_and_exits_cleanly() -> None:
    body = json.dumps(LINE).encode()
    head = "POST /v1/predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    head += f"Content-Length: {len(body)}\r\n"
    with running() as server:
        with server.connect() as line:
            line.sendall(f"{head}Expect: 100-continue\r\n\r\n".encode())
            assert line.recv(1000).startswith(b"HTTP/1.1 100 ")  # the service waits for the body
            server.process.send_signal(signal.SIGTERM)
            line.sendall(body)
            answer = b"".join(iter(partial(line.recv, 65536), b""))
        assert answer.startswith(b"HTTP/1.1 200 ")
        assert server.wait() == 0
    assert "Traceback" not in server.log


@contextmanager
def quick(**environment: str) -> Iterator[Server]:
    """Start a service with one model, which starts quickly."""
    with zoo_of("nonlinear") as zoo, running(GDSSM_ZOO=zoo, **environment) as server:
        yield server


def until(true: Callable[[], bool]) -> None:
    """Poll a condition."""
    end = time.monotonic() + 60
    while not true():
        assert time.monotonic() < end
        time.sleep(0.02)


def ready(server: Server) -> int:
    return httpx.get(f"{server.url}/health/ready").status_code


@pytest.mark.slow
def test_draining_service_is_not_ready_and_still_answers() -> None:
    with quick(GDSSM_DRAIN_SECONDS="1.5") as server:
        assert ready(server) == 200
        server.process.send_signal(signal.SIGTERM)
        until(lambda: ready(server) == 503)
        assert httpx.get(f"{server.url}/v2/health/ready").status_code == 503
        assert httpx.get(f"{server.url}/health/live").status_code == 200
        assert httpx.post(f"{server.url}/v1/predict", json=LINE).status_code == 200
        assert server.wait() == 0


@pytest.mark.slow
def test_shutdown_aborts_requests_after_the_time_limit() -> None:
    head = "POST /v1/predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 9\r\n"
    with quick(GDSSM_SHUTDOWN_TIMEOUT="1") as server, server.connect() as line:
        line.sendall(f"{head}Expect: 100-continue\r\n\r\n".encode())
        assert line.recv(1000).startswith(b"HTTP/1.1 100 ")
        assert server.stop() == 0  # its body never arrives


@pytest.mark.slow
@pytest.mark.parametrize("workers", ["1", "2"])
def test_second_signal_ends_the_service_at_once(workers: str) -> None:
    with quick(GDSSM_DRAIN_SECONDS="600", GDSSM_WORKERS=workers) as server:
        server.process.send_signal(signal.SIGTERM)
        until(lambda: ready(server) == 503)
        server.process.send_signal(signal.SIGTERM)
        assert server.wait() == -signal.SIGTERM
        until(lambda: not listening(server))


def listening(server: Server) -> bool:
    try:
        server.connect().close()
    except OSError:
        return False
    return True


def children(server: Server) -> list[int]:
    """Return the process ids of the workers."""
    text = Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children").read_text(encoding="ascii")
    return [int(pid) for pid in text.split() if is_worker(Path(f"/proc/{pid}/cmdline"))]


def is_worker(command: Path) -> bool:
    with suppress(FileNotFoundError, ProcessLookupError):  # it has just ended
        return b"spawn_main" in command.read_bytes()
    return False


def killed(server: Server, lost: int, kept: int) -> int:
    """Kill one of two workers; returns its replacement."""
    os.kill(lost, signal.SIGKILL)
    found: set[int] = set()

    def seen() -> bool:
        found.update({*children(server)} - {lost, kept})
        return bool(found)

    until(seen)
    return found.pop()


def answered(server: Server) -> int:
    """Return the number of requests of all workers, as one of them reports it."""
    counts = re.findall(r'gdssm_answers_total{.*"/v1/predict".*} (\S+)', httpx.get(f"{server.url}/metrics").text)
    return int(sum(map(float, counts)))


@pytest.mark.slow
def test_workers_share_requests_and_report_metrics_of_all() -> None:
    with quick(GDSSM_WORKERS="2") as server:
        assert len(children(server)) == 2
        for _ in range(20):  # each on a new connection
            assert httpx.post(f"{server.url}/v1/predict", json=LINE).status_code == 200
        time.sleep(2 * Settings().poll_interval)  # until all workers have updated their metrics
        assert [answered(server) for _ in range(8)] == [20] * 8
        assert server.stop() == 0
    assert "Traceback" not in server.log
    assert "Warning" not in server.log


@pytest.mark.slow
def test_ended_worker_is_replaced_and_all_end_with_their_parent() -> None:
    with quick(GDSSM_WORKERS="2") as server:
        lost, kept = children(server)
        os.kill(lost, signal.SIGKILL)
        until(lambda: len(children(server)) == 2 and lost not in children(server))
        assert kept in children(server)
        assert httpx.post(f"{server.url}/v1/predict", json=LINE).status_code == 200
        server.process.kill()
        until(lambda: not listening(server))


@pytest.mark.slow
def test_worker_that_ends_during_startup_is_replaced() -> None:
    with quick(GDSSM_WORKERS="2") as server:
        lost, kept = children(server)
        for _ in range(3):
            lost = killed(server, lost, kept)  # the second time during its start
        assert httpx.post(f"{server.url}/v1/predict", json=LINE).status_code == 200
        until(lambda: server.log.count(" is ready") == 3)  # the first two and the last one
        assert server.stop() == 0
        assert server.log.count("gdssm is running") == 1


@pytest.mark.slow
def test_workers_that_cannot_start_end_the_service() -> None:
    address = {"GDSSM_DATABASE_URL": "sqlite:////nowhere/gdssm.db", "GDSSM_WORKERS": "2"}
    command = [*SERVE, "--port", "0"]
    result = subprocess.run(
        command, cwd=ROOT, env={**os.environ, **address}, capture_output=True, text=True, check=False, timeout=60
    )
    assert result.returncode == 2
    assert "A worker ended before it was ready" in result.stderr.splitlines()[-1]
    assert "GDSSM_DATABASE_URL does not answer" in result.stderr  # the cause is in the log


@pytest.mark.slow
def test_an_empty_zoo_is_served_as_not_ready(tmp_path: Path) -> None:
    with running(GDSSM_ZOO=str(tmp_path)) as server:
        assert httpx.get(f"{server.url}/health/live").status_code == 200
        assert httpx.get(f"{server.url}/health/ready").status_code == 503


@pytest.mark.slow
def test_used_port_is_reported_on_one_line(server: Server) -> None:
    port = server.url.rsplit(":", 1)[1]
    result = subprocess.run([*SERVE, "--port", port], cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 2
    assert result.stderr == f"Error: Cannot listen on 127.0.0.1, port {port}: Address already in use. Choose another.\n"
