"""Files as the command line reads them: matched by name, refused by name, in bounded memory."""

import os
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from click.testing import CliRunner
from pyarrow import parquet

from service.cli import main
from service.errors import InvalidInput
from service.tables.reading import open_table
from tests.closeness import assert_close
from tests.nonempty import nonempty


@pytest.fixture(autouse=True)
def _context(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("context.csv").write_text("a,w,b,y\n1,0.5,2,3\n4,1,5,6\n2,2,9,7\n3,1,1,5\n")


def predict(query: str, *options: str, context: str = "context.csv") -> tuple[int, str]:
    """Return the exit code, and the predictions or the error."""
    arguments = ["predict", context, query, "--target", "y", "--model", "linear", "--quiet", *options]
    result = CliRunner().invoke(main, arguments)
    return result.exit_code, (result.stderr if result.exit_code else result.stdout)


def answers(text: str) -> list[float]:
    return list(map(float, text.split()[1:]))


def test_columns_are_matched_by_name_without_target_and_weight() -> None:
    Path("ordered.csv").write_text("a,b\n7,8\n")
    Path("other.csv").write_text("y,b,w,a\n?,8,,7\n")
    results = [predict(name, "--weight", "w") for name in ("ordered.csv", "other.csv")]
    assert results[0][0] == 0
    assert results[0] == results[1]
    assert results[0] != predict("other.csv", "--ignore", "w")


@pytest.mark.parametrize(
    ("query", "options", "message"),
    [
        ("a,w\n1,2\n", [], "query.csv: has no column 'b'; it has 'a', 'w'."),
        ("a,b\n1,2\n", ["--weight", "v"], "context.csv: has no column 'v'; it has 'a', 'w', 'b', 'y'."),
        ("a,b\n1,2\n", ["--weight", "y"], "The target and the weight are both 'y'. Name two columns."),
        ("a,w,b\n1,2,\n", ["--model", "gd-1"], "column 'b', line 2: is missing, or not numbers; model gd-1 takes no"),
        ("a,w,b\n1,2,x\n", [], "column 'b', line 2: holds numbers in the context and 'x' here."),
    ],
)
def test_mismatched_columns_and_cells_are_named(query: str, options: list[str], message: str) -> None:
    Path("query.csv").write_text(query)
    code, error = predict("query.csv", *options)
    assert code == 2
    assert message in error
    assert error.count("\n") == 1


def test_parquet_and_csv_are_read_alike() -> None:
    frame = pd.read_csv("context.csv")
    frame.to_parquet("context.parquet", row_group_size=3)
    frame.set_index(pd.Index([9, 8, 7, 6])).drop(columns="y").to_parquet("query.parquet")
    frame.drop(columns="y").to_csv("query.csv", index=False)
    found = [
        answers(predict(query, context=context)[1])
        for context in ("context.csv", "context.parquet")
        for query in ("query.csv", "query.parquet")
    ]
    assert len(found[0]) == 4
    for other in found[1:]:
        assert_close(np.array(other), np.array(found[0]), "predictions", rtol=1e-9)


def test_a_pipe_is_read_too() -> None:
    Path("query.csv").write_text("a,w,b\n7,1,8\n")
    os.mkfifo("pipe")
    writer = threading.Thread(target=Path("pipe").write_text, args=["a,w,b\n7,1,8\n"])
    writer.start()
    assert predict("pipe") == predict("query.csv")
    writer.join()


@pytest.mark.slow
@pytest.mark.parametrize("wide", ["context", "query"])
def test_too_many_columns_are_refused_before_matching(wide: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GDSSM_MAX_COLUMNS", "8")
    names = [f"c{i}" for i in range(9_000)]
    Path("query.csv").write_text("a,w,b\n1,2,3\n")
    Path(f"{wide}.csv").write_text(",".join(["y", *names]) + "\n" + ",".join(["1"] * (len(names) + 1)) + "\n")
    code, error = predict("query.csv")
    assert code == 2
    assert f"{wide}.csv: has 9001 columns. Send at most " in error


def test_large_row_group_is_read_with_bounded_memory() -> None:
    rows = 400_000
    table = pa.table({name: np.random.default_rng(0).normal(size=rows) for name in "abcde"})
    parquet.write_table(table, "t.parquet", row_group_size=rows, use_dictionary=False)
    del table
    before = pa.total_allocated_bytes()
    with open_table(Path("t.parquet"), "t.parquet") as source:
        used = [pa.total_allocated_bytes() - before for _ in source.chunks(source.columns)]
    assert max(used) < Path("t.parquet").stat().st_size / 4


ENDLESS = {
    "a line": ("", "a"),
    "cells": ("a,b\n", "1,"),
    "cells over lines": ("a,b\n", '"\n",'),
    "a quoted cell": ('a,b\n"', "aa\n"),
    "empty lines": ("", "\n"),
    "empty lines after rows": ("a,b\n1,2\n", "\n"),
}


@pytest.mark.slow
@pytest.mark.parametrize(("beginning", "line"), ENDLESS.values(), ids=ENDLESS)
def test_endless_rows_and_empty_lines_are_refused(beginning: str, line: str) -> None:
    """A regular file of 64 MiB and a pipe without an end."""

    def endless() -> Iterator[bytes]:
        yield beginning.encode()
        while True:
            yield line.encode() * 10_000

    def write() -> None:
        with suppress(BrokenPipeError), Path("pipe").open("wb", buffering=0) as file:
            file.writelines(endless())

    Path("long.csv").write_bytes(beginning.encode() + line.encode() * (2**26 // len(line)))
    os.mkfifo("pipe")
    writer = threading.Thread(target=write)
    writer.start()
    try:
        for name in nonempty(("long.csv", "pipe") if line in {"a", "1,", "\n"} else ("long.csv",)):
            with pytest.raises(InvalidInput) as refused, open_table(Path(name), name) as table:
                list(table.chunks(table.columns))
            assert "\n" not in str(refused.value)
    finally:
        with suppress(OSError):
            os.close(os.open("pipe", os.O_RDONLY | os.O_NONBLOCK))
    writer.join()
