import os
import threading
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import numpy as np
import pytest

from service.errors import InvalidInput
from service.files.table import CsvTable
from service.inference.sizes import Array
from tests.closeness import assert_close


def everything(tmp_path: Path, text: str | bytes, columns: list[str] | None = None, rows: int = 2) -> Array:
    path = tmp_path / "t.csv"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    with closing(CsvTable(path)) as table:
        chunks = [cells for (cells,) in table.chunks([columns or table.columns], rows)]
        assert table.progress == 1
    assert {len(chunk) for chunk in chunks[:-1]} <= {rows}
    return np.concatenate(chunks)


def refusal(tmp_path: Path, text: str | bytes, columns: list[str] | None = None) -> str:
    with pytest.raises(InvalidInput) as refused:
        everything(tmp_path, text, columns)
    message = str(refused.value).replace(f"{tmp_path}/", "")
    assert "\n" not in message
    return message


def test_columns_are_read_in_requested_order(tmp_path: Path) -> None:
    assert_close(everything(tmp_path, "a,b,c\n1,2,3\n4,5,6\n", ["c", "a"]), [[3.0, 1.0], [6.0, 4.0]], "cells")


@pytest.mark.parametrize("rows", [1, 2, 3, 7, 100])
def test_chunk_size_does_not_change_the_content(tmp_path: Path, rows: int) -> None:
    cells = np.arange(14.0).reshape(7, 2)
    text = "a,b\n" + "".join(f"{a},{b}\n" for a, b in cells)
    assert_close(everything(tmp_path, text, rows=rows), cells, "cells")


def test_spreadsheet_csv_dialects_are_read(tmp_path: Path) -> None:
    text = b'\xef\xbb\xbf"size, m2", price\r\n"1.5",2e3\r\n -3 ,.5\r\n\r\n'
    assert_close(everything(tmp_path, text, ["size, m2", "price"]), [[1.5, 2000.0], [-3.0, 0.5]], "cells")


def test_a_pipe_is_read_too(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_text, args=["a\n1\n2\n"])
    writer.start()
    with closing(CsvTable(pipe)) as table:
        assert [cells.tolist() for (cells,) in table.chunks([["a"]], 1)] == [[[1.0]], [[2.0]]]
        assert table.progress == 0
    writer.join()


def test_quoted_cells_may_span_lines(tmp_path: Path) -> None:
    text = 'note,a\n"one\ntwo",1\nthree,x\n'
    assert refusal(tmp_path, text, ["a"]) == "t.csv, line 4, column 'a': is not a number: 'x'."


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "t.csv: is empty. It needs a header and at least one row."),
        ("\n\n", "t.csv: is empty. It needs a header and at least one row."),
        ("\na,b\n1,2\n", "t.csv: begins with an empty line. It needs a header and at least one row."),
        ("a,b\n", "t.csv: has a header and no rows. It needs at least one."),
        ("a,b,a\n1,2,3\n", "t.csv: has more than one column 'a'. Give each column its own name."),
        (",a\n0,1\n", "t.csv: has no name for column 1. Name it in the header, or leave it out."),
        ("a,b\n1,2\n3\n", "t.csv, line 3: has 1 cells; the header has 2."),
        ("a,b\n1,2\n3,4,5\n", "t.csv, line 3: has 3 cells; the header has 2."),
        ("a\n1\n\n2\n", "t.csv, line 3: has 0 cells; the header has 1."),
        (b"a\n\xff\n", "t.csv: is not UTF-8. Save it as CSV in UTF-8."),
        ('a\n"1\n', "t.csv: is not CSV (unexpected end of data)."),
    ],
)
def test_malformed_csv_is_refused_with_its_place(tmp_path: Path, text: str | bytes, message: str) -> None:
    assert refusal(tmp_path, text) == message


@pytest.mark.parametrize(
    ("cell", "reason"),
    [
        ("", "is empty"),
        (" ", "is empty"),
        ("red", "is not a number: 'red'"),
        ('"1,5"', "is not a number: '1,5'"),
        ("1_000", "is not a number: '1_000'"),
        ("\u0661", "is not a number: '\u0661'"),
        ("True", "is not a number: 'True'"),
        ("0x10", "is not a number: '0x10'"),
        ("nan", "is not a finite number: 'nan'"),
        ("-inf", "is not a finite number: '-inf'"),
        ("1e400", "is not a finite number: '1e400'"),
    ],
)
def test_bad_cell_error_has_line_and_column(tmp_path: Path, cell: str, reason: str) -> None:
    assert refusal(tmp_path, f"a,b\n1,2\n3,{cell}\n").startswith(f"t.csv, line 3, column 'b': {reason}")


def test_bad_cells_in_unread_columns_are_ignored(tmp_path: Path) -> None:
    assert_close(everything(tmp_path, "a,b\n1,red\n", ["a"]), [[1.0]], "cells")


def test_bad_cells_are_reported_together(tmp_path: Path) -> None:
    message = refusal(tmp_path, "a,b\nx,y\nz,1\n")
    assert "line 2, column 'a'" in message
    assert "line 2, column 'b'" in message
    assert "line 3, column 'a'" in message


def test_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"cannot be read \(No such file or directory\)"):
        CsvTable(tmp_path / "missing.csv")


def test_each_group_of_columns_is_an_array(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("a,b,c\n1,2,3\n4,5,6\n")
    with closing(CsvTable(tmp_path / "t.csv")) as table:
        ((first, second, none),) = table.chunks([["c", "a"], ["b"], []], 5)
    assert (first.tolist(), second.tolist(), none.shape) == ([[3, 1], [6, 4]], [[2], [5]], (2, 0))


def endless(beginning: str, line: str) -> Iterator[bytes]:
    yield beginning.encode()
    while True:
        yield line.encode() * 10_000


ENDLESS = {
    "a line": ("", "a", "a row of more than"),
    "cells": ("a,b\n", "1,", "a row of more than"),
    "cells over lines": ("a,b\n", '"\n",', "a row of more than"),
    "a quoted cell": ("a,b\n", '"aa\n', "is not CSV"),
    "empty lines": ("", "\n", "more than 10000 empty lines"),
    "empty lines after rows": ("a,b\n1,2\n", "\n", "more than 10000 empty lines"),
}


@pytest.mark.slow
@pytest.mark.parametrize(("beginning", "line", "message"), ENDLESS.values(), ids=ENDLESS)
def test_endless_rows_and_empty_lines_are_refused(tmp_path: Path, beginning: str, line: str, message: str) -> None:
    def write() -> None:
        with suppress(BrokenPipeError), pipe.open("wb", buffering=0) as file:
            for piece in endless(beginning, line):
                file.write(piece)

    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=write)
    writer.start()
    with pytest.raises(InvalidInput, match=message), closing(CsvTable(pipe)) as table:
        list(table.chunks([table.columns], 10))
    writer.join()


def test_long_column_lists_are_shortened(tmp_path: Path) -> None:
    message = refusal(tmp_path, ",".join(f"c{i}" for i in range(1000)) + "\n", ["d"])
    assert "'c19' and 980 more." in message
