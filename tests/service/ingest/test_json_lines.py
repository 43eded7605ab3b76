"""A file of JSON lines as a source, also while it grows."""

import os
from pathlib import Path

import pytest

from service.errors import InvalidInput
from service.ingest import json_lines
from service.ingest.json_lines import JsonLines
from service.ingest.source import LogEntry


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "rows.ndjson"


def read_all(path: Path, count: int = 2) -> list[LogEntry]:
    source, found, after = JsonLines(path), list[LogEntry](), None
    while entries := source.read(after, count):
        found += entries
        after = entries[-1].position
    return found


def test_lines_are_read_in_parts_of_any_size(path: Path) -> None:
    path.write_text("".join(f'{{"a": {i}}}\n' for i in range(7)))
    for count in (1, 2, 7, 100):
        assert [entry.fields["a"] for entry in read_all(path, count)] == [*range(7)]


def test_a_position_is_the_byte_after_the_line(path: Path) -> None:
    path.write_text('{"a": "é"}\r\n\n  \n{"a": 2}\n', encoding="utf-8")
    first, second = read_all(path)
    assert (first.position, second.position) == ("13", str(path.stat().st_size))


@pytest.mark.parametrize("rest", ["", "\n"])
def test_an_object_without_a_line_end_is_read_once(path: Path, rest: str) -> None:
    path.write_text('{"a": 1}')
    (entry,) = read_all(path)
    path.write_text('{"a": 1}' + rest + '{"a": 2}\n' * bool(rest))
    after = JsonLines(path).read(entry.position, 10)
    assert [entry.fields for entry in after] == [{"a": 2}] * bool(rest)


@pytest.mark.parametrize("partial", ["{", '{"a": 1', "", "   ", '{"a": "é'])
def test_a_line_that_is_still_written_is_left(path: Path, partial: str) -> None:
    path.write_text('{"a": 1}\n' + partial, encoding="utf-8")
    assert [entry.fields for entry in read_all(path)] == [{"a": 1}]


def test_lines_that_are_no_object_have_a_problem(path: Path) -> None:
    path.write_bytes(b'[1]\nnull\n{"a": \nabc\n\xff\xfe\n{"a": 1}\n{}\n' + b"[" * 100_000 + b"\n")
    *bad, good, empty, deep = read_all(path)
    assert [bool(entry.problem) for entry in bad] == [True] * 5
    assert (good.fields, good.problem, empty.fields, empty.problem) == ({"a": 1}, "", {}, "")
    assert deep.problem


def test_a_huge_line_is_one_entry_with_a_problem(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_lines, "LINE_LIMIT", 50)
    huge = '{"a": "' + "x" * 170 + '"}\n'
    path.write_text('{"a": 1}\n' + huge + '{"a": 2}\n' + "y" * 60)
    first, bad, last = read_all(path)
    assert (first.fields, last.fields) == ({"a": 1}, {"a": 2})
    assert "over 50 bytes" in bad.problem


def test_a_file_that_is_shorter_than_its_offset_is_refused(path: Path) -> None:
    path.write_text('{"a": 1}\n')
    with pytest.raises(InvalidInput, match=r"9 bytes, and was read up to byte 100"):
        JsonLines(path).read("100", 1)


def test_a_file_that_is_missing_or_a_directory_or_a_pipe_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "no", tmp_path, tmp_path / "pipe"):
        with pytest.raises(InvalidInput, match="Name a file"):
            JsonLines(path).read(None, 1)
