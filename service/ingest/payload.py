"""JSON objects as fields of an entry."""

import json
from collections.abc import Mapping

from service.ingest.source import LogEntry


def entry_of_json(position: str, text: str | bytes) -> LogEntry:
    """Make an entry of a JSON object; of other text one with a problem."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):  # UnicodeDecodeError is a ValueError
        return LogEntry(position, {}, "is not valid JSON.")
    return LogEntry(position, found) if isinstance(found, dict) else LogEntry(position, {}, "is not a JSON object.")


def with_payload(position: str, fields: Mapping[str, object], payload: str) -> LogEntry:
    """Replace a field that has a JSON object by the members of that object."""
    text = fields.get(payload)
    if not isinstance(text, str):
        return LogEntry(position, fields, f"has no field {payload[:60]!r}.")
    entry = entry_of_json(position, text)
    others = {name: value for name, value in fields.items() if name != payload}
    return (
        LogEntry(position, fields, entry.problem) if entry.problem else LogEntry(position, {**others, **entry.fields})
    )
