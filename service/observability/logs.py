"""Log lines for people, or one JSON object a line for machines; each names the request that it was written for."""

import logging
import time
from collections.abc import Mapping
from contextlib import nullcontext
from functools import cache
from types import TracebackType
from typing import Literal, TextIO, TypeAlias

from pythonjsonlogger.core import RESERVED_ATTRS
from pythonjsonlogger.json import JsonFormatter

from service.observability.request_stats import current_stats
from service.visible import visible

TEXT_FORMAT = "%(asctime)s %(levelname)s %(message)s"
JSON_FIELDS = ["levelname", "name", "message"]
"""Of every line, beside its time and what it gives in `extra`."""
ExceptionInfo: TypeAlias = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


def configure(level: str, kind: Literal["text", "json"]) -> None:
    """Send every log line of this process to stderr.

    Args:
        level: As in GDSSM_LOG_LEVEL.
        kind: As in GDSSM_LOG_FORMAT.
    """
    handler = _Handler()
    handler.addFilter(_name_request)
    if kind == "json":
        left_out = [*RESERVED_ATTRS, "color_message"]  # uvicorn's, for terminals
        names = {"levelname": "level"}
        handler.setFormatter(JsonFormatter(JSON_FIELDS, timestamp="time", rename_fields=names, reserved_attrs=left_out))
    else:
        handler.setFormatter(_TextFormatter(TEXT_FORMAT))
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)


class FastLogRecord(logging.LogRecord):
    """A line with what is shown of one, and nothing about source code, processes and threads, which takes longest.

    Args:
        logger: Whose line it is.
        level: As logging's.
        message: The whole of it.
        fields: Of it, each on its own in JSON.
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
    """Writes a `FastLogRecord` as any other, but what is the same in all lines of a second only once.

    Paths, names of files and texts of exceptions come from outside and may hold anything; so that no line can be forged
    with them, a message stays one line, and those of a traceback but its first are indented. A `FastLogRecord` holds
    templates, ids and model names only.
    """

    _second = -1
    _written = ""

    def format(self, record: logging.LogRecord) -> str:
        if type(record) is not FastLogRecord:
            return super().format(record)
        second = int(record.created)
        if second != self._second:
            self._written, self._second = self.formatTime(record)[: -len(",000")], second
        return f"{self._written},{int(record.msecs):03} {record.levelname} {record.msg}"

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802  (logging's name)
        record.message = visible(record.message.rstrip("\n"))
        return super().formatMessage(record)

    def formatException(self, ei: ExceptionInfo) -> str:  # noqa: N802  (logging's name)
        first, *further = super().formatException(ei).split("\n")
        return "\n".join([visible(first), *(f"  {visible(line)}" for line in further)])


class _Handler(logging.StreamHandler[TextIO]):
    """Writes a `FastLogRecord` without asking whether it may, and without naming its request, which it does itself."""

    def handle(self, record: logging.LogRecord) -> bool:
        if type(record) is not FastLogRecord:
            return super().handle(record)
        try:
            line = self.format(record) + self.terminator
            with self.lock or nullcontext():
                self.stream.write(line)  # stderr sends a line off by itself
        except Exception:  # noqa: BLE001  (as every handler of logging does)
            self.handleError(record)
        return True


def _name_request(line: logging.LogRecord) -> bool:
    """Add the id of the present request, which `extra` carries on to JSON; nothing is filtered out."""
    stats = current_stats()
    if stats is not None and not hasattr(line, "request_id"):
        line.request_id = stats.request_id
    return True
