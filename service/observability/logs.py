"""Log lines as text, or as one JSON object a line, with the id of their request."""

import asyncio
import json
import logging
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import nullcontext
from datetime import UTC, datetime
from functools import cache, lru_cache
from select import PIPE_BUF
from types import TracebackType
from typing import Literal, TextIO, TypeAlias

from pythonjsonlogger.core import RESERVED_ATTRS
from pythonjsonlogger.json import JsonFormatter

from service.observability.request_stats import CURRENT_STATS, RequestStats
from service.visible import visible

TEXT_FORMAT = "%(asctime)s %(levelname)s %(message)s"
JSON_FIELDS = ["levelname", "name", "message"]
"""Fields of every line, in addition to its time and its `extra`."""
LogFormat: TypeAlias = Literal["text", "json"]
ExceptionInfo: TypeAlias = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


def configure(level: str, kind: LogFormat) -> None:
    """Send every log line of this process to stderr.

    Args:
        level: A value of GDSSM_LOG_LEVEL.
        kind: A value of GDSSM_LOG_FORMAT.
    """
    logging.basicConfig(level=level.upper(), handlers=[_Handler(kind)], force=True)


class RequestLog:
    """Writes a line for each request; after `configure`, those of one iteration of the event loop together.

    A line then takes 2 µs instead of 11 (`python -m benchmarks infrastructure`). A process that is killed loses
    the lines of its last iteration. Without `configure` each line is a record of `logging`.

    Args:
        logger: Its level decides which lines are written.
    """

    def __init__(self, logger: logging.Logger) -> None:
        self._logger = logger
        self._handler = next((one for one in logging.getLogger().handlers if isinstance(one, _Handler)), None)
        self._finished: list[tuple[int, RequestStats]] = []
        """Levels and requests whose lines have yet to be written."""

    def add(self, level: int, stats: RequestStats) -> None:
        """Log a request that has ended; called in the event loop.

        Args:
            level: A number of `logging`.
            stats: Of the request; contains texts that cannot forge lines only: templates, ids and names of models.
        """
        if not self._logger.isEnabledFor(level):
            return
        if self._handler is None:
            self._logger.log(level, _message(stats), extra=_fields(stats))
            return
        if not self._finished:
            asyncio.get_running_loop().call_soon(self._write)
        self._finished.append((level, stats))

    def _write(self) -> None:
        finished, self._finished = self._finished, []
        assert self._handler is not None  # noqa: S101  (`add` has checked it)
        self._handler.write_requests(self._logger.name, finished)


def _message(stats: RequestStats) -> str:
    return (
        f"{stats.method} {stats.route} {stats.status} {stats.seconds * 1e3:.2f} ms request={stats.request_id} "
        f"model={stats.model} key={stats.key_id} bytes={stats.size}"
    )


def _fields(stats: RequestStats) -> dict[str, object]:
    return {
        "method": stats.method,
        "route": stats.route,
        "status": stats.status,
        "duration_ms": round(stats.seconds * 1e3, 2),
        "request_id": stats.request_id,
        "model": stats.model,
        "key_id": stats.key_id,
        "bytes": stats.size,
    }


class _TextFormatter(logging.Formatter):
    """Keeps a message on one line, and indents all lines of a traceback after the first.

    Paths, file names and exceptions may contain any text from requests, which must not forge log lines.
    """

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802  (logging's name)
        record.message = visible(record.message.rstrip("\n"))
        return super().formatMessage(record)

    def formatException(self, ei: ExceptionInfo) -> str:  # noqa: N802  (logging's name)
        first, *others = super().formatException(ei).split("\n")
        return "\n".join([visible(first), *(f"  {visible(line)}" for line in others)])


class _Handler(logging.StreamHandler[TextIO]):
    """Writes records, and the lines of requests.

    Args:
        kind: A value of GDSSM_LOG_FORMAT.
    """

    def __init__(self, kind: LogFormat) -> None:
        super().__init__()
        self._kind = kind
        self.addFilter(_add_request_id)
        self.setFormatter(_json_formatter() if kind == "json" else _TextFormatter(TEXT_FORMAT))

    def write_requests(self, logger: str, finished: Iterable[tuple[int, RequestStats]]) -> None:
        """Write the lines of requests, in the format of other records.

        Args:
            logger: Name of the logger.
            finished: Levels and requests.
        """
        now, line = time.time(), _json_line if self._kind == "json" else _text_line
        lines = [line(now, logger, level, stats) for level, stats in finished]
        try:
            with self.lock or nullcontext():
                for piece in _pieces(lines):
                    self.stream.write(piece)  # stderr is line-buffered
        except Exception:  # noqa: BLE001  (as in every handler of logging)
            self.handleError(logging.makeLogRecord({"name": logger, "msg": "".join(lines)}))


def _pieces(lines: Sequence[str]) -> Iterator[str]:
    """Join lines to pieces that a pipe takes whole: several workers may write to one, which mixes up longer ones."""
    begin, size = 0, 0
    for place, line in enumerate(lines):
        size += len(line)  # the lines are ASCII
        if size > PIPE_BUF and place > begin:
            yield "".join(lines[begin:place])
            begin, size = place, len(line)
    yield "".join(lines[begin:])


def _text_line(now: float, _: str, level: int, stats: RequestStats) -> str:
    return f"{_second(int(now))},{int(now % 1 * 1e3):03} {_level_name(level)} {_message(stats)}\n"


def _json_line(now: float, logger: str, level: int, stats: RequestStats) -> str:
    line = {"level": _level_name(level), "name": logger, "message": _message(stats)} | _fields(stats)
    return json.dumps({"time": datetime.fromtimestamp(now, UTC).isoformat()} | line) + "\n"


def _json_formatter() -> JsonFormatter:
    omitted = [*RESERVED_ATTRS, "color_message"]  # the last one is uvicorn's, for terminals
    names = {"levelname": "level"}
    return JsonFormatter(JSON_FIELDS, timestamp="time", rename_fields=names, reserved_attrs=omitted)


_level_name = cache(logging.getLevelName)


@lru_cache(maxsize=1)
def _second(second: int) -> str:
    """Format a time, once for all lines of a second."""
    return time.strftime(logging.Formatter.default_time_format, time.localtime(second))


def _add_request_id(record: logging.LogRecord) -> bool:
    """Add the id of the present request to a record; a filter that accepts all records."""
    stats = CURRENT_STATS.get()
    if stats is not None and not hasattr(record, "request_id"):
        record.request_id = stats.request_id
    return True
