"""Results as JSON lines, one for each table, size, split and contestant; a run continues after the lines it finds."""

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import NamedTuple


class Key(NamedTuple):
    """Identity of one result."""

    table: str
    n: int
    """Rows of context."""
    split: int
    contestant: str
    version: str
    """The SHA-256 of the model file, or the version of scikit-learn."""


@dataclass(frozen=True)
class Record:
    """One result."""

    key: Key
    task: str
    measures: Mapping[str, float] = field(default_factory=dict)
    """By name; without any if the contestant failed."""
    seconds: float = 0.0
    """To fit and to predict the test rows."""
    error: str = ""
    """Why the contestant failed."""


def read(path: Path) -> dict[Key, Record]:
    """Read the results in a file, if it exists; an incomplete last line is ignored."""
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True) if path.exists() else []
    records = [_parse(line) for line in lines if line.endswith("\n")]
    return {record.key: record for record in records}


def prepare(path: Path) -> None:
    """Make the directory of a file, and cut an incomplete last line off, so that `append` starts a line."""
    path.parent.mkdir(parents=True, exist_ok=True)
    content = path.read_bytes() if path.exists() else b""
    path.write_bytes(content[: content.rfind(b"\n") + 1])


def append(path: Path, records: Iterable[Record]) -> None:
    """Write records after those in the file."""
    lines = [json.dumps({**record.key._asdict(), **_values(record)}) + "\n" for record in records]
    with path.open("a", encoding="utf-8") as file:
        file.write("".join(lines))


def select(records: Mapping[Key, Record], keys: Collection[Key]) -> list[Record]:
    """Return the records of these keys that exist."""
    return [records[key] for key in keys if key in records]


def _values(record: Record) -> dict[str, object]:
    values = asdict(record)
    del values["key"]
    return values


def _parse(line: str) -> Record:
    values = json.loads(line)
    return Record(Key(*(values.pop(name) for name in Key._fields)), **values)
