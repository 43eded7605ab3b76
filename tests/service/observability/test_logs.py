import asyncio
import io
import json
import logging
import time
from collections.abc import Iterator
from select import PIPE_BUF
from unittest.mock import Mock

import pytest

from service.observability import logs
from service.observability.request_stats import CURRENT_STATS, RequestStats
from tests.nonempty import nonempty


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    root.handlers = []
    yield
    root.handlers, root.level = handlers, level


def say(capsys: pytest.CaptureFixture[str]) -> str:
    token = CURRENT_STATS.set(RequestStats("mine"))
    try:
        raise ValueError("no\nsuch thing")
    except ValueError:
        logging.getLogger("somewhere").exception("failed: %s", "x", extra={"status": 500, "color_message": "?"})
    finally:
        CURRENT_STATS.reset(token)
    return capsys.readouterr().err


def test_json_is_one_object_a_line_with_the_traceback_and_the_request_in_it(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("info", "json")
    line = json.loads(say(capsys))
    assert set(line) == {"time", "level", "name", "message", "status", "request_id", "exc_info"}
    assert (line["level"], line["name"], line["message"]) == ("ERROR", "somewhere", "failed: x")
    assert (line["request_id"], line["status"]) == ("mine", 500)
    assert line["exc_info"].startswith("Traceback")
    assert line["time"].endswith("+00:00")


def test_text_format(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("info", "text")
    assert "ERROR failed: x\nTraceback" in say(capsys)


def test_records_below_the_level_are_not_written(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("warning", "text")
    logging.getLogger("somewhere").info("small talk")
    assert capsys.readouterr().err == ""


def test_outside_of_requests_there_is_no_id(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("info", "json")
    logging.getLogger("somewhere").info("hello")
    assert "request_id" not in json.loads(capsys.readouterr().err.splitlines()[-1])


REQUEST = RequestStats("mine", model="linear", method="POST", route="/v1/predict", status=200, size=9, seconds=0.00123)
MESSAGE = "POST /v1/predict 200 1.23 ms request=mine model=linear key= bytes=9"


async def _log(*levels: int) -> None:
    log = logs.RequestLog(logging.getLogger("somewhere"))
    for level in levels:
        log.add(level, REQUEST)
    await asyncio.sleep(0)


@pytest.mark.parametrize("now", [0.0, 0.0004, 1.9999, 86399.9996, 1790000000.25])
@pytest.mark.parametrize("kind", ["text", "json"])
def test_line_of_a_request_has_the_format_of_a_record(
    kind: logs.LogFormat, now: float, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time, "time", lambda: now)
    by_records = logs.RequestLog(logging.getLogger("somewhere"))  # made before `configure`
    logs.configure("info", kind)
    by_records.add(logging.INFO, REQUEST)
    record = capsys.readouterr().err
    asyncio.run(_log(logging.INFO))
    line = capsys.readouterr().err
    assert MESSAGE in line
    assert (json.loads(line) == json.loads(record)) if kind == "json" else (line == record)


def test_lines_of_one_iteration_are_written_together(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("info", "text")
    (handler,) = logging.getLogger().handlers
    assert isinstance(handler, logging.StreamHandler)
    written = Mock(wraps=handler.stream)
    handler.setStream(written)
    asyncio.run(_log(logging.INFO, logging.DEBUG, logging.INFO))
    written.write.assert_called_once()
    lines = capsys.readouterr().err.splitlines()
    assert [line.partition("INFO ")[2] for line in lines] == [MESSAGE, MESSAGE]


def test_no_write_is_longer_than_a_pipe_takes_whole(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("info", "json")
    (handler,) = logging.getLogger().handlers
    assert isinstance(handler, logging.StreamHandler)
    written = Mock(wraps=handler.stream)
    handler.setStream(written)
    asyncio.run(_log(*[logging.INFO] * 100))
    pieces = [call.args[0] for call in written.write.call_args_list]
    assert all(len(piece.encode()) <= PIPE_BUF and piece.endswith("}\n") for piece in nonempty(pieces))
    assert len(pieces) < 20
    assert len(capsys.readouterr().err.splitlines()) == 100


def test_failure_to_write_a_log_line_raises_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("info", "text")
    (handler,) = logging.getLogger().handlers
    assert isinstance(handler, logging.StreamHandler)
    handler.setStream(closed := io.StringIO())
    closed.close()
    asyncio.run(_log(logging.INFO))
    assert "--- Logging error ---" in capsys.readouterr().err


FORGED = "x\n2026-01-01 00:00:00,000 ERROR FORGED"
HIDDEN = ["\r", "\x1b[2J", "\x1b]0;title\x07", "\x9b31m", "\x7f", "\u2028", "\u202e", "\udcff", "\x00", "\x0b"]


def test_message_stays_on_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("info", "text")
    logging.getLogger("somewhere").error("refused %s", FORGED)
    (line,) = capsys.readouterr().err.splitlines()
    assert line.endswith(r"ERROR refused x\n2026-01-01 00:00:00,000 ERROR FORGED")


@pytest.mark.parametrize("hidden", HIDDEN)
def test_control_characters_are_written_as_escape_sequences(hidden: str, capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("info", "text")
    logging.getLogger("somewhere").error("refused %s", f"a{hidden}é→b")
    (line,) = capsys.readouterr().err.split("\n")[:-1]
    assert line.isprintable()
    assert "é→b" in line


def test_exception_cannot_forge_a_log_line(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("info", "text")
    try:
        raise ValueError(FORGED + "\x1b[2J")
    except ValueError:
        logging.getLogger("somewhere").exception("failed")
    first, second, *further = capsys.readouterr().err.splitlines()
    assert first.endswith("ERROR failed")
    assert second == "Traceback (most recent call last):"
    assert all(line.startswith("  ") and line.isprintable() for line in nonempty(further))
    assert any("FORGED" in line for line in further)


def test_json_escapes_the_full_message_on_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("info", "json")
    logging.getLogger("somewhere").error("refused %s", FORGED + "".join(HIDDEN))
    (line,) = capsys.readouterr().err.split("\n")[:-1]
    assert line.isprintable()
    assert json.loads(line)["message"].startswith("refused x\n2026")
