"""Log lines for people, or one JSON object a line for machines; each names the request that it was written for."""

import logging
from typing import Literal

from pythonjsonlogger.core import RESERVED_ATTRS
from pythonjsonlogger.json import JsonFormatter

from service.signals.record import current

TEXT = "%(asctime)s %(levelname)s %(message)s"
FIELDS = ["levelname", "name", "message"]
"""Of every line, beside its time and what it gives in `extra`."""


def configure(level: str, kind: Literal["text", "json"]) -> None:
    """Send every log line of this process to stderr.

    Args:
        level: As in GDSSM_LOG_LEVEL.
        kind: As in GDSSM_LOG_FORMAT.
    """
    handler = logging.StreamHandler()
    handler.addFilter(_name_request)
    if kind == "json":
        left_out = [*RESERVED_ATTRS, "color_message"]  # uvicorn's, for terminals
        names = {"levelname": "level"}
        handler.setFormatter(JsonFormatter(FIELDS, timestamp="time", rename_fields=names, reserved_attrs=left_out))
    else:
        handler.setFormatter(logging.Formatter(TEXT))
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)


def _name_request(line: logging.LogRecord) -> bool:
    """Add the id of the present request, which `extra` carries on to JSON; nothing is filtered out."""
    record = current()
    if record is not None and not hasattr(line, "request_id"):
        line.request_id = record.request_id
    return True
