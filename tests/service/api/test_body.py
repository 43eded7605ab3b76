import json
from collections.abc import Iterator

import pytest

from service.settings import Settings
from tests.service.in_process import InProcess, in_process

BODY = json.dumps({"context": {"x": [[1], [2]], "y": [2, 4]}, "query": [[3]]}).encode()


@pytest.mark.slow
def test_limit_is_exact_with_and_without_content_length() -> None:
    with in_process(Settings(max_body_bytes=len(BODY))) as client:
        assert client.send(BODY).status_code == 200
        assert client.send([BODY[:10], BODY[10:]]).status_code == 200
    with in_process(Settings(max_body_bytes=len(BODY) - 1)) as client:
        assert client.send(BODY).status_code == 413
        assert client.send([BODY[:10], BODY[10:]]).status_code == 413


@pytest.mark.slow
def test_endless_body_is_refused_at_the_limit() -> None:
    sent = 0

    def endless() -> Iterator[bytes]:
        nonlocal sent
        while True:
            sent += 1000
            yield b" " * 1000

    with in_process(Settings(max_body_bytes=5000)) as client:
        assert client.send(endless()).status_code == 413
    assert sent < 10_000


@pytest.mark.parametrize("options", ["", "; charset=utf-8", ";charset=UTF-8", '; charset="utf-8"'])
def test_usual_json_content_types_are_accepted(client: InProcess, options: str) -> None:
    assert client.send(BODY, f"application/json{options}").status_code == 200
    assert client.send(BODY, f"Application/JSON{options}").status_code == 200


@pytest.mark.parametrize(
    "content_type",
    ["", "text/plain", "application/x-www-form-urlencoded", "application/jsonl", "application/json; charset=utf-16"],
)
def test_another_content_type_is_refused(client: InProcess, content_type: str) -> None:
    answer = client.send(BODY, content_type)
    assert answer.status_code == 415
    assert "Content-Type: application/json" in answer.json()["error"]


def test_a_compressed_body_is_refused(client: InProcess) -> None:
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    answer = client.request("POST", "/v1/predict", content=BODY, headers=headers)
    assert answer.status_code == 415
    assert "compressed" in answer.json()["error"]


@pytest.mark.parametrize("coding", ["", "identity"])
def test_a_body_without_coding_is_read(client: InProcess, coding: str) -> None:
    headers = {"Content-Type": "application/json", "Content-Encoding": coding}
    assert client.request("POST", "/v1/predict", content=BODY, headers=headers).status_code == 200


@pytest.mark.parametrize("mark", [b"\xef\xbb\xbf", b""])
def test_a_byte_order_mark_makes_no_difference(client: InProcess, mark: bytes) -> None:
    kind = {"Content-Type": "application/json"}
    assert client.send(mark + BODY).json() == client.send(BODY).json()
    made = client.request("POST", "/v1/contexts", content=mark + b'{"model": "linear"}', headers=kind)
    assert made.status_code == 201
    assert client.request("POST", "/v2/repository/index", content=mark + b"{}", headers=kind).status_code == 200


@pytest.mark.parametrize("body", [b"\xef\xbb\xbf", b"\xef\xbb\xbf" * 2 + BODY, b"\xff\xfe" + BODY])
def test_other_byte_order_marks_are_refused(client: InProcess, body: bytes) -> None:
    assert client.send(body).status_code == 400
