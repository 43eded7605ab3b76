"""Models that are added, changed and removed while the service runs."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.running import Server, running
from tests.service.forged import answering, forged, shipped

TIMEOUT = 60.0
"""Seconds. A change takes 1.5 s on an idle machine (two scans a second, then the sandbox), and longer on a busy one."""
QUESTION = {"model": "mine", "context": {"x": [[1], [1]], "y": [1, 1]}, "query": [[1]]}


def listed(server: Server) -> dict[str, Any]:
    found: dict[str, Any] = httpx.get(f"{server.url}/v1/models").json()
    return {
        "versions": [model["version"] for model in found["models"] if model["name"] == "mine"],
        "hashes": {model["sha256"] for model in found["models"] if model["name"] == "mine"},
        "refused": {refused["file"]: refused["reason"] for refused in found["refused"]},
    }


def until(seen: Callable[[], bool]) -> None:
    begun = time.monotonic()
    while not seen():
        assert time.monotonic() - begun < TIMEOUT
        time.sleep(0.05)


def put(path: Path, content: bytes) -> None:
    path.with_suffix(".part").write_bytes(content)
    path.with_suffix(".part").rename(path)


def ask(server: Server, version: str | None = None) -> dict[str, Any]:
    answer = httpx.post(f"{server.url}/v1/predict", json={**QUESTION, "version": version})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


@pytest.mark.slow
def test_model_is_added_replaced_broken_and_removed(tmp_path: Path) -> None:
    models = tmp_path / "models"
    models.mkdir()
    path = models / "mine.onnx"
    first = forged(tmp_path / "first", name="mine")
    second = answering(tmp_path / "second", 41.0, name="mine")
    with running(GDSSM_MODELS=str(models)) as server:
        assert listed(server)["versions"] == []

        put(path, first)
        until(lambda: listed(server)["versions"] == ["1.0.0"])
        before = ask(server)
        assert before["prediction"] == pytest.approx([1])
        assert listed(server)["hashes"] == {before["model"]["sha256"]}

        put(path, second)
        until(lambda: listed(server)["hashes"] != {before["model"]["sha256"]})
        after = ask(server)
        assert after["prediction"] == pytest.approx([42])
        assert listed(server)["hashes"] == {after["model"]["sha256"]}

        put(path, second.replace(b"One gradient step", b"Two gradient step"))
        until(lambda: "mine.onnx" in listed(server)["refused"])
        assert "does not match its hash" in listed(server)["refused"]["mine.onnx"]
        assert ask(server) == after

        put(models / "newer.onnx", forged(tmp_path / "newer", name="mine", version="1.1.0"))
        until(lambda: listed(server)["versions"] == ["1.1.0", "1.0.0"])
        assert ask(server)["model"]["version"] == "1.1.0"
        assert ask(server, "1.0.0") == after

        path.unlink()
        (models / "newer.onnx").unlink()
        until(lambda: listed(server)["versions"] == [] and listed(server)["refused"] == {})
        assert httpx.post(f"{server.url}/v1/predict", json=QUESTION).status_code == 404
        assert server.stop() == 0
    assert "refused mine.onnx: the content does not match its hash" in server.log
    assert "Traceback" not in server.log


@pytest.mark.slow
def test_hostile_file_does_not_delay_requests(tmp_path: Path) -> None:
    models = tmp_path / "models"
    models.mkdir()
    (models / "noise.onnx").write_bytes(shipped()[:5000])
    with running(GDSSM_MODELS=str(models)) as server:
        assert list(listed(server)["refused"]) == ["noise.onnx"]
        answer = httpx.post(f"{server.url}/v1/predict", json={**QUESTION, "model": "linear"})
        assert answer.json()["prediction"] == pytest.approx([1])
