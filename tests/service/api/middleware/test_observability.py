import logging
import re

import pytest

from service.observability import logs
from service.settings import Settings
from tests.nonempty import nonempty
from tests.service.in_process import InProcess, in_process

LINE = {"context": {"x": [[1], [2], [3]], "y": [2, 4, 6]}, "query": [[4], [5]]}
GOOD = ["7", "a" * 128, "00-4bf92f3577b34da6-01", "!~"]
BAD = ["", "a" * 129, "two words", "tab\there", "caf\xe9"]


def ask(client: InProcess, path: str, request_id: str) -> str:
    answer = client.request("GET", path, headers=[(b"X-Request-ID", request_id.encode("latin-1"))])
    return answer.headers["x-request-id"]


@pytest.mark.parametrize("path", ["/health/live", "/v1/models", "/nothing", "/docs", "/v1/predict"])
def test_request_id_is_in_every_response(client: InProcess, path: str) -> None:
    for sent in GOOD:
        assert ask(client, path, sent) == sent


@pytest.mark.parametrize("sent", BAD)
def test_a_bad_request_id_is_replaced(client: InProcess, sent: str) -> None:
    first, second = ask(client, "/v1/models", sent), ask(client, "/v1/models", sent)
    assert re.fullmatch("[0-9a-f]{32}", first)
    assert first != second


@pytest.mark.slow
def test_status_500_has_a_request_id_and_its_traceback_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    with in_process(Settings()) as client:
        client.replace(predictor=None)
        answer = client.request("GET", "/v1/models", headers={"X-Request-ID": "mine"})
    assert (answer.status_code, answer.headers["x-request-id"]) == (500, "mine")
    (failure,) = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert failure.exc_info
    assert caplog.text.count("Traceback") == 1


def test_every_response_has_server_timing(client: InProcess) -> None:
    predicted = client.predict(LINE)
    for answer in (predicted, client.get("/health/live"), client.get("/nothing"), client.predict({})):
        found = re.fullmatch(r"queue;dur=(\d+\.\d\d), compute;dur=(\d+\.\d\d)", answer.headers["server-timing"])
        assert found
        assert (float(found[2]) > 0) == (answer is predicted)


@pytest.mark.slow
def test_every_request_has_one_log_line_and_probes_only_at_debug(
    client: InProcess, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        client.request("POST", "/v1/predict", json=LINE, headers={"X-Request-ID": "mine"})
        client.get("/v1/models/secret-name")
        client.get("/secret/address")
        client.get("/health/ready")
        client.get("/metrics")
    first, second, third = (
        record for record in caplog.records if record.name == "service.api.middleware.observability"
    )
    line = r"POST /v1/predict 200 [\d.]+ ms request=mine model=nonlinear key= bytes=\d+"
    assert re.fullmatch(line, first.getMessage())
    assert (vars(first)["request_id"], vars(first)["status"], vars(first)["model"]) == ("mine", 200, "nonlinear")
    assert second.getMessage().startswith("GET /v1/models/{name} 404 ")
    assert third.getMessage().startswith("GET unmatched 404 ")
    assert not [record for record in (first, second, third) if "secret" in record.getMessage()]


@pytest.mark.slow
def test_path_cannot_forge_a_log_line(capsys: pytest.CaptureFixture[str]) -> None:
    root = logging.getLogger()
    handlers, level, root.handlers = root.handlers[:], root.level, []
    try:
        logs.configure("info", "text")
        with in_process(Settings()) as client:
            client.replace(predictor=None)
            client.get("/v1/models/x%0a2026-01-01%2000:00:00,000%20ERROR%20FORGED%1b%5b2J")
    finally:
        root.handlers = handlers
        root.setLevel(level)
    lines = capsys.readouterr().err.split("\n")
    assert any(r"x\n2026-01-01 00:00:00,000 ERROR FORGED\x1b[2J failed" in line for line in lines)
    assert not any(line.startswith("2026-01-01") for line in lines)
    assert all(line.isprintable() for line in nonempty(lines))
