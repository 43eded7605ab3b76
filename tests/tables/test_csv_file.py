"""Text files in blocks: as Python's csv module reads them, cells as `text` reads them, faults by line."""

import bz2
import csv
import importlib
import io
import lzma
import os
import shutil
import sys
import tempfile
import threading
import tracemalloc
import zipfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.errors import InvalidInput
from service.tables import sources
from service.tables.arrow_cells import Markers, cells_of_strings
from service.tables.cells import as_text
from service.tables.csv_file import TextTable
from service.tables.reading import ReadOptions, open_table
from service.tables.sources import Source, open_content
from service.tables.text import MISSING, clean, microseconds, number_of
from tests.nonempty import nonempty
from tests.tables.test_reading import plain, read, refusal

CELLS = st.text(st.sampled_from("ab1,;\t|\"'\n\r é\\#."), max_size=6)
LIKE_NUMBERS = st.one_of(
    st.floats().map(repr),
    st.integers().map(str),
    st.from_regex(r"[+-]?[0-9]{0,3}\.?[0-9]{0,3}([eE][+-]?[0-9]{1,3})?", fullmatch=True),
    st.sampled_from(
        ["inf", "-Infinity", "nan", "NaN", "1_000", "0x10", "１２", "1e999", "-1e999", "1e-999", "007", "-007"]
    ),
    st.sampled_from(
        [" 5 ", "\u00a05", "+5", "5.", ".5", ".", "", "1,000", "5 kg", "1e5f", "1d5", "00", "0", "\x1c7", "True"]
    ),
)
LIKE_TIMES = st.one_of(
    st.datetimes().map(str),
    st.dates().map(str),
    st.from_regex(
        r"[0-2][0-9]{3}-[0-1][0-9]-[0-3][0-9]([ T][0-2][0-9]:[0-6][0-9](:[0-6][0-9](\.[0-9]{1,7})?)?)?", fullmatch=True
    ),
)


def read_blocks(data: bytes, block: int, separator: str | None = None) -> tuple[tuple[str, ...], list[list[str]]]:
    """Read a table as text, in blocks."""
    with open_content(data, "t.csv") as content:
        table = TextTable(content, header=True, missing=frozenset(), block=block, separator=separator)
        columns: list[list[str]] = [[] for _ in table.columns]
        for chunk in table.chunks(table.columns, text=table.columns, whole=True):
            for place, values in enumerate(chunk.batch.to_pydict().values()):
                columns[place] += values
        return table.columns, [list(row) for row in zip(*columns, strict=True)]


@pytest.mark.slow
@given(st.lists(st.tuples(CELLS, CELLS, CELLS), min_size=1, max_size=30), st.sampled_from([100, 300, 2**20]))
def test_quotes_and_line_ends_are_read_as_the_csv_module_does(rows: list[tuple[str, str, str]], block: int) -> None:
    out = io.StringIO()
    csv.writer(out, quoting=csv.QUOTE_ALL).writerows([("one", "two", "three"), *rows])
    names, found = read_blocks(out.getvalue().encode(), block, separator=",")
    assert names == ("one", "two", "three")
    assert found == [list(row) for row in rows]


@pytest.mark.slow
@given(st.lists(LIKE_NUMBERS, min_size=1, max_size=4))
def test_a_column_of_numbers_is_the_number_of_each_text(texts: list[str]) -> None:
    cells = cells_of_strings(pa.array(texts, pa.string()), Markers(MISSING), text=False)
    assert cells.kind in {"number", "text"}
    if cells.kind == "number":
        numbers = [number_of(clean(text)) for text in texts if clean(text) not in MISSING]
        assert [value for value in plain(cells) if value is not None] == [number and number.value for number in numbers]
        assert {number and number.unit for number in numbers} <= {""}
    else:
        assert plain(cells) == [None if clean(text) in MISSING else clean(text) for text in texts]


@pytest.mark.parametrize("text", ["5", "-5", "+5", "5.", ".5", "1e5", "1E-5", " 5 ", "NA", ""])
def test_plain_numbers_are_read_fast(text: str) -> None:
    assert cells_of_strings(pa.array([text, "1"]), Markers(MISSING), text=False).kind == "number"


@pytest.mark.parametrize("text", ["inf", "1e999", "007", "1_000", "0x10", "１２", "1,5", "5 kg"])
def test_other_numbers_stay_text(text: str) -> None:
    assert plain(cells_of_strings(pa.array([text, "1"]), Markers(MISSING), text=False)) == [text, "1"]


@pytest.mark.slow
@given(st.lists(LIKE_TIMES, min_size=1, max_size=3))
def test_a_column_of_times_is_the_time_of_each_text(texts: list[str]) -> None:
    cells = cells_of_strings(pa.array(texts, pa.string()), Markers(MISSING), text=False)
    if cells.kind == "time":
        assert cells.values.astype("int64").tolist() == [microseconds(text, "year-month-day") for text in texts]
    else:
        assert plain(cells) == texts


@pytest.mark.slow
def test_a_large_file_is_read_in_little_memory(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    with path.open("w") as file:
        file.write("a,b\n")
        for _ in range(200):
            file.write("1.5,x\n" * 10_000)
    with open_content(path, "t.csv") as content:
        table = TextTable(content, missing=MISSING, block=2**13)
        tracemalloc.start()
        before, rows, most = pa.total_allocated_bytes(), 0, 0
        for chunk in table.chunks(table.columns):
            rows += chunk.rows
            most = max(most, pa.total_allocated_bytes() - before)
        python = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert rows == 2 * 10**6
    assert path.stat().st_size > 10**7
    assert most < 10**6
    assert python < 5 * 10**6


@pytest.mark.slow
def test_a_late_short_row_and_a_late_byte_of_windows_are_read() -> None:
    data = b"a,b,c\n" + b"1,x,3\n" * 30_000 + b"4,\xe9\n"
    with open_content(data, "t.csv") as content:
        table = TextTable(content, missing=MISSING, block=2**14)
        for _ in range(2):
            chunks = list(table.chunks(table.columns))
            assert [chunk.start for chunk in chunks] == [
                sum(chunk.rows for chunk in chunks[:place]) for place in range(len(chunks))
            ]
            assert sum(chunk.rows for chunk in chunks) == 30_001
            assert [plain(cells)[-1] for cells in chunks[-1].cells.values()] == [4.0, "é", None]


@pytest.mark.slow
def test_a_late_long_row_is_refused_with_its_line() -> None:
    assert refusal(b"a,b\n" + b"1,2\n" * 300_000 + b"3,4,5\n").startswith("t.csv, line 300002: has 3 cells")


def test_many_rows_of_few_cells_are_refused() -> None:
    assert "line 13: has 1 cells; the header has 3" in refusal(b"a,b,c\n1,2,3\n" + b"1\n" * 50)


@pytest.mark.slow
def test_a_row_longer_than_a_block_is_read() -> None:
    long = "x" * 3 * 2**20
    found = read(b"a,b\n1,y\n" + f'2,"{long}"\n3,z\n'.encode())
    assert found == {"a": [1.0, 2.0, 3.0], "b": ["y", long, "z"]}


@pytest.mark.slow
@pytest.mark.parametrize("data", [b"a,b\n1," + b"x" * 2**26, b"a" * 2**26], ids=["row", "header"])
def test_an_endless_row_is_refused(data: bytes) -> None:
    assert "a row of more than 8388608 characters" in refusal(data)


@pytest.mark.slow
def test_an_endless_run_of_empty_lines_is_refused() -> None:
    assert refusal(b"a,b\n1,2\n" + b"\n" * 2**22) == "t.csv: has more than 10000 empty lines or zero bytes."


def packed_in_zip(data: bytes, *names: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name in names:
            archive.writestr(name, data)
    return file.getvalue()


def in_zstd(data: bytes) -> bytes:
    packed: bytes = pa.compress(data, "zstd", asbytes=True)
    return packed


@pytest.mark.parametrize("pack", [in_zstd, bz2.compress, lzma.compress, lambda data: packed_in_zip(data, "t.csv")])
def test_packed_files_are_read(pack: "type[bytes]") -> None:
    assert read(pack(b"a,b\n1,2\n")) == {"a": [1.0], "b": [2.0]}


def test_what_cannot_be_unpacked_is_refused() -> None:
    assert "is a zip of 2 files (t, u). Unpack it" in refusal(packed_in_zip(b"a\n1\n", "t", "u"))
    assert "cannot be unpacked" in refusal(b"\x1f\x8b\x08broken")
    assert "cannot be" in refusal(in_zstd(b"a,b\n" + os.urandom(10**5))[:-20])


def test_a_pipe_and_the_standard_input_are_read_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pipe = tmp_path / "t.csv"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_bytes, args=[b"a\n1\n"])
    writer.start()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"a\n1\n")))
    both: list[Source] = [pipe, "-"]
    for source in nonempty(both):
        with open_table(source, "t") as table:
            for _ in range(2):
                assert [plain(chunk.cells["a"]) for chunk in table.chunks(["a"])] == [[1.0]]
    writer.join()


def test_a_pipe_that_no_program_writes_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "WRITER_TIMEOUT", 0.1)
    pipe = tmp_path / "t.csv"
    os.mkfifo(pipe)
    assert refusal(pipe) == (
        "t.csv: is a pipe that no program has opened for writing within 0.1 seconds. Start its writer first, or name a "
        "file."
    )
    os.close(os.open(pipe, os.O_WRONLY | os.O_NONBLOCK))  # ends the thread that waits


def test_a_device_without_an_end_takes_half_of_the_free_space_at_most(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(tmp_path)._replace(free=6 * 2**20)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    monkeypatch.setattr(sources, "SPOOL_WINDOW", 2**20)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    assert refusal(Path("/dev/urandom")) == (
        f"t.csv: has more than 3 MiB, half of the free space of {tmp_path}. Name a file that is no pipe or device, or "
        "set TMPDIR to a larger disk."
    )
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_files_that_cannot_be_opened_are_refused(tmp_path: Path) -> None:
    assert refusal(tmp_path) == "t.csv: is a directory. Name a file."
    assert refusal(tmp_path / "none.csv") == "t.csv: cannot be read (No such file or directory)."
    assert refusal(Path("/dev/zero")) == "t.csv: has 32 MiB without rows. Send a table."


def test_options_say_what_is_not_recognised() -> None:
    data = b"1:-999\n2:x\n"
    options = ReadOptions(separator=":", header=False, missing=frozenset({"-999"}))
    assert read(data, options) == {"column_1": [1.0, 2.0], "column_2": [None, "x"]}
    assert read("a\nж\n".encode("koi8-r"), ReadOptions(encoding="koi8-r")) == {"a": ["ж"]}
    assert "unknown encoding 'x'" in refusal(b"a\n1\n", ReadOptions(encoding="x"))
    assert "is not text in utf-8" in refusal(b"a\n\xff\n", ReadOptions(encoding="utf-8"))


def test_a_missing_pyarrow_is_reported_with_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(module: str) -> None:
        raise ImportError(module)

    monkeypatch.setattr(importlib, "import_module", absent)
    with pytest.raises(
        InvalidInput, match=r"^Reading t needs pyarrow\. Install it with: pip install 'gdssm\[tables\]'$"
    ):
        open_table(b"a\n1\n", "t").__enter__()


@pytest.mark.parametrize("cell", ["1" * 10**6 + "z", "1" + ",111" * 250_000, "-" * 10**6 + "x", "'" * 10**6])
def test_cells_of_a_million_characters_are_text(cell: str) -> None:
    assert read(f'a\tb\n{cell}\t1\n"x"\t2\n'.encode()) == {"a": [cell, "x"], "b": [1.0, 2.0]}


def test_a_file_without_rows_is_refused_by_its_beginning() -> None:
    assert "has no row in the first 524288 characters" in refusal(b"# x\n" * 2**18)


def test_columns_of_records_are_limited() -> None:
    records = "".join(f'{{"n{number}": 1}}\n' for number in range(10_001))
    with pytest.raises(InvalidInput, match="more than 10000 columns"):
        read(records.encode())


@pytest.mark.parametrize("late", ["oops", "inf", "+nan", '"a\nb"'])
def test_a_late_text_in_a_column_of_decimal_numbers_is_kept(late: str) -> None:
    """pyarrow converts such a column at once, until it cannot."""
    rows = [f"{i}.5,{i},t{i % 3}" for i in range(9_000)]
    content = "\n".join(["a,b,c", *rows, f"{late},1,t1", *rows]).encode()
    with open_table(content, "t") as table:
        for _ in range(2):
            read = [chunk.cells for chunk in table.chunks(table.columns)]
            found = {name: [text for cells in read for text in plain(as_text(cells[name]))] for name in table.columns}
            assert len(found["a"]) == 2 * len(rows) + 1
            assert found["a"][len(rows)] == late.strip('"')
            assert found["a"][:2] == found["a"][len(rows) + 1 :][:2] == ["0.5", "1.5"]
            assert found["b"][len(rows) - 1 : len(rows) + 2] == ["8999", "1", "0"]
            assert found["c"][len(rows)] == "t1"


def test_numbers_are_read_again_as_numbers() -> None:
    content = "\n".join(["a,b", *(f"{i}.5,{i}" for i in range(20_000))]).encode()
    with open_table(content, "t") as table:
        first, again = ([chunk.cells["b"] for chunk in table.chunks(table.columns)] for _ in range(2))
        assert {cells.kind for cells in (*first, *again)} == {"number"}
        assert np.concatenate([cells.values for cells in again]).tolist() == list(range(20_000))
        (text,) = {cells.kind for cells in (chunk.cells["b"] for chunk in table.chunks(["b"], text=["b"]))}
        assert text == "text"
