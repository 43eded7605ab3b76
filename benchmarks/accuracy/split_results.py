"""Results as JSON lines, one for each table, size, split and method; a run continues after the lines it finds."""

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
    method: str
    version: str
    """The SHA-256 of the model file, or the version of scikit-learn."""


@dataclass(frozen=True)
class SplitResult:
    """One result."""

    key: Key
    task: str
    measures: Mapping[str, float] = field(default_factory=dict)
    """By name; without any if the method failed."""
    seconds: float = 0.0
    """To fit and to predict the test rows."""
    error: str = ""
    """Why the method failed."""


def read(path: Path) -> dict[Key, SplitResult]:
    """Read the results in a file, if it exists; an incomplete last line is ignored."""
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True) if path.exists() else []
    results = [_parse(line) for line in lines if line.endswith("\n")]
    return {result.key: result for result in results}


def prepare(path: Path) -> None:
    """Make the directory of a file, and cut an incomplete last line off, so that `append` starts a line."""
    path.parent.mkdir(parents=True, exist_ok=True)
    content = path.read_bytes() if path.exists() else b""
    path.write_bytes(content[: content.rfind(b"\n") + 1])


def append(path: Path, results: Iterable[SplitResult]) -> None:
    """Write results after those in the file."""
    lines = [json.dumps({**result.key._asdict(), **_values(result)}) + "\n" for result in results]
    with path.open("a", encoding="utf-8") as file:
        file.write("".join(lines))


def select(results: Mapping[Key, SplitResult], keys: Collection[Key]) -> list[SplitResult]:
    """Return the results of these keys that exist."""
    return [results[key] for key in keys if key in results]


def _values(result: SplitResult) -> dict[str, object]:
    values = asdict(result)
    del values["key"]
    return values


def _parse(line: str) -> SplitResult:
    values = json.loads(line)
    return SplitResult(Key(*(values.pop(name) for name in Key._fields)), **values)
