"""Evaluations over HTTP: submitted, followed, fetched, cancelled."""

import json
from typing import Any

import httpx
import pytest

from gdssm.evaluation.references import REFERENCES
from tests.running import Server
from tests.service.in_process import InProcess

SMALL: dict[str, Any] = {
    "suite": "data",
    "data": {"x": [[float(i), float(i * i % 7)] for i in range(30)], "y": [float(3 * i) for i in range(30)]},
    "models": ["linear", "sine-trained"],
    "seed": 5,
    "tasks": 20,
    "curve": [2, 8],
}


def events(url: str, **headers: str) -> list[dict[str, Any]]:
    """Read events until the end."""
    found: list[dict[str, Any]] = []
    with httpx.stream("GET", url, headers=headers, timeout=60) as stream:
        assert stream.headers["content-type"].startswith("text/event-stream")
        event: dict[str, Any] = {}
        for line in stream.iter_lines():
            if line:
                name, _, value = line.partition(": ")
                event[name] = json.loads(value) if name == "data" else value
            elif event:
                found.append(event)
                event = {}
    return found


def ids(server: Server) -> list[str]:
    return [entry["id"] for entry in httpx.get(f"{server.url}/v1/evaluations").json()["evaluations"]]


@pytest.mark.slow
def test_evaluation_is_submitted_followed_and_fetched(server: Server) -> None:
    before = ids(server)
    answer = httpx.post(f"{server.url}/v1/evaluations", json=SMALL)
    assert answer.status_code == 202
    asked = answer.json()
    assert (asked["status"], asked["total"]) == ("queued", 2 + len(REFERENCES))
    address = server.url + answer.headers["location"]
    heard = events(f"{address}/events")
    results = [event["data"] for event in heard if event["event"] == "result"]
    assert (heard[-1]["event"], heard[-1]["data"]["status"]) == ("end", "done")
    shown = httpx.get(address).json()
    assert shown["results"] == results
    assert {result["learner"] for result in results} == {"linear", "sine-trained", *REFERENCES}
    by_name = {result["learner"]: result for result in results}
    assert by_name["sine-trained"]["refused"].startswith("x: needs the shape")
    assert by_name["linear"]["r2"]["mean"] > 0.9
    assert 0 < by_name["linear"]["coverage_80"]["mean"] <= by_name["linear"]["coverage_90"]["mean"] <= 1
    assert by_name["linear"]["interval_score_90"]["low"] > 0
    for learner in ("sine-trained", "ridge"):
        intervals = [by_name[learner][name] for name in ("coverage_80", "coverage_90", "interval_score_90")]
        assert intervals == [None, None, None]
    assert [point["observations"] for point in by_name["linear"]["curve"]] == [2, 8]
    assert ids(server) == [*before, asked["id"]]
    rest = events(f"{address}/events", **{"Last-Event-ID": str(len(results) - 1)})
    assert [event["event"] for event in rest] == ["result", "end"]
    for last, status in ((2**53, 200), (2**53 + 1, 422), (10**30, 422)):
        assert httpx.get(f"{address}/events", headers={"Last-Event-ID": str(last)}).status_code == status


@pytest.mark.slow
def test_running_evaluation_does_not_block_predictions_and_is_cancelled(server: Server) -> None:
    long = {"suite": "paper", "models": ["linear"], "tasks": 2000, "curve": [20, 50]}
    address = server.url + httpx.post(f"{server.url}/v1/evaluations", json=long).headers["location"]
    while httpx.get(address).json()["status"] == "queued":
        pass
    line = {"context": {"x": [[1], [2], [3]], "y": [2, 4, 6]}, "query": [[2]]}
    assert httpx.post(f"{server.url}/v1/predict", json=line).json()["prediction"] == pytest.approx([4])
    assert httpx.post(f"{address}/cancel").json()["status"] == "cancelled"
    assert events(f"{address}/events")[-1]["data"]["status"] == "cancelled"


def test_shipped_tables_are_a_suite(server: Server) -> None:
    asked = {"suite": "tables", "models": ["linear"], "tasks": 20, "observations": 30, "curve": []}
    address = server.url + httpx.post(f"{server.url}/v1/evaluations", json=asked).headers["location"]
    results = [event["data"] for event in events(f"{address}/events") if event["event"] == "result"]
    own = {result["distribution"]: result for result in results if result["learner"] == "linear"}
    assert list(own) == ["diabetes", "iris", "wine", "breast-cancer"]
    assert all(result["r2"]["mean"] > 0 for result in own.values())
    assert 0.8 < sum(result["coverage_90"]["mean"] for result in own.values()) / len(own) < 0.97


def test_unknown_evaluation_is_404(client: InProcess) -> None:
    for method, path in (("GET", ""), ("GET", "/events"), ("POST", "/cancel")):
        answer = client.request(method, f"/v1/evaluations/nothing{path}")
        assert (answer.status_code, answer.json()["error_type"]) == (404, "unknown_evaluation")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"models": []}, "models"),
        ({"models": ["linear"], "tasks": "many"}, "tasks"),
        ({"models": ["linear"], "suite": "data"}, ""),
        ({"models": ["linear"], "extra": 1}, "extra"),
    ],
)
def test_impossible_evaluation_is_422_with_its_field(client: InProcess, changes: dict[str, Any], field: str) -> None:
    answer = client.request("POST", "/v1/evaluations", json=changes)
    assert (answer.status_code, answer.json()["error_type"]) == (422, "invalid_input")
    assert [entry["field"] for entry in answer.json()["detail"]] == [field]


def test_unknown_model_is_404(client: InProcess) -> None:
    answer = client.request("POST", "/v1/evaluations", json={"models": ["cubic"]})
    assert (answer.status_code, answer.json()["error_type"]) == (404, "unknown_model")
