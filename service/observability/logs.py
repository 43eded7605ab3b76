"""Log lines as text, or as one JSON object a line, with the id of their request."""

import logging
import time
from collections.abc import Mapping
from contextlib import nullcontext
from functools import cache
from types import TracebackType
from typing import Literal, TextIO, TypeAlias

from pythonjsonlogger.core import RESERVED_ATTRS
from pythonjsonlogger.json import JsonFormatter

from service.observability.request_stats import CURRENT_STATS
from service.visible import visible

TEXT_FORMAT = "%(asctime)s %(levelname)s %(message)s"
JSON_FIELDS = ["levelname", "name", "message"]
"""Fields of every line, in addition to its time and its `extra`."""
ExceptionInfo: TypeAlias = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


def configure(level: str, kind: Literal["text", "json"]) -> None:
    """Send every log line of this process to stderr.

    Args:
        level: A value of GDSSM_LOG_LEVEL.
        kind: A value of GDSSM_LOG_FORMAT.
    """
    handler = _Handler()
    handler.addFilter(_add_request_id)
    if kind == "json":
        omitted = [*RESERVED_ATTRS, "color_message"]  # the last one is uvicorn's, for terminals
        names = {"levelname": "level"}
        handler.setFormatter(JsonFormatter(JSON_FIELDS, timestamp="time", rename_fields=names, reserved_attrs=omitted))
    else:
        handler.setFormatter(_TextFormatter(TEXT_FORMAT))
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)


class FastLogRecord(logging.LogRecord):
    """A log record without source code, process and thread, which take most of the time to make a record.

    A line takes 2.2 µs instead of 11 (`python -m benchmarks infrastructure`).

    Args:
        logger: Its logger.
        level: Its level, a number of `logging`.
        message: The formatted message.
        fields: Further fields in JSON.
    """

    args = ()
    exc_info = exc_text = stack_info = None

    def __init__(self, logger: logging.Logger, level: int, message: str, fields: Mapping[str, object]) -> None:
        self.name, self.levelno, self.levelname, self.msg = logger.name, level, _level_name(level), message
        self.created = time.time()
        self.msecs = self.created % 1 * 1e3
        self.__dict__.update(fields)


_level_name = cache(logging.getLevelName)


class _TextFormatter(logging.Formatter):
    """Formats a `FastLogRecord` like any other record; formats the time once for all records of a second.

    Paths, file names and exceptions may contain any text from requests. So that they cannot forge log lines, a message
    stays on one line, and all lines of a traceback after the first are indented. A `FastLogRecord` contains route
    templates, ids and model names only.
    """

    _second = -1
    _formatted_second = ""

    def format(self, record: logging.LogRecord) -> str:
        if type(record) is not FastLogRecord:
            return super().format(record)
        second = int(record.created)
        if second != self._second:
            self._formatted_second, self._second = self.formatTime(record)[: -len(",000")], second
        return f"{self._formatted_second},{int(record.msecs):03} {record.levelname} {record.msg}"

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802  (logging's name)
        record.message = visible(record.message.rstrip("\n"))
        return super().formatMessage(record)

    def formatException(self, ei: ExceptionInfo) -> str:  # noqa: N802  (logging's name)
        first, *others = super().formatException(ei).split("\n")
        return "\n".join([visible(first), *(f"  {visible(line)}" for line in others)])


class _Handler(logging.StreamHandler[TextIO]):
    """Writes a `FastLogRecord` without filters, as it already has the id of its request."""

    def handle(self, record: logging.LogRecord) -> bool:
        if type(record) is not FastLogRecord:
            return super().handle(record)
        try:
            line = self.format(record) + self.terminator
            with self.lock or nullcontext():
                self.stream.write(line)  # stderr is line-buffered
        except Exception:  # noqa: BLE001  (as in every handler of logging)
            self.handleError(record)
        return True


def _add_request_id(record: logging.LogRecord) -> bool:
    """Add the id of the present request to a record; a filter that accepts all records."""
    stats = CURRENT_STATS.get()
    if stats is not None and not hasattr(record, "request_id"):
        record.request_id = stats.request_id
    return True
