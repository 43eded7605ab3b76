"""Columns of Parquet files: every type that is a number is read as one, and the index of a frame is none."""

from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from pyarrow import feather, parquet

from service.tables import arrow_files
from service.tables.reading import open_table
from tests.closeness import assert_close
from tests.nonempty import nonempty


def test_numeric_types_are_read_as_numbers(tmp_path: Path) -> None:
    columns = {
        "double": pa.array([1.5, 2.5, 3.5]),
        "byte": pa.array([-1, 0, 1], pa.int8()),
        "large": pa.array([2**53, 2**60, 2**63], pa.uint64()),
        "half": pa.array([0.5, 0.25, -1.0], pa.float16()),
        "dictionary": pa.array([3, 5, 3]).dictionary_encode(),
        "decimal": pa.array([Decimal("1.25"), Decimal("-7.5"), Decimal(0)]),
    }
    parquet.write_table(pa.table(columns), tmp_path / "t.parquet")
    with open_table(tmp_path / "t.parquet", "t.parquet") as table:
        (chunk,) = table.chunks(table.columns)
    for name, values in columns.items():
        assert chunk.cells[name].kind == "number", name
        assert_close(chunk.cells[name].values, np.array(values.to_pylist(), float), name)


def long_texts(rows: int, length: int) -> pa.Table:
    """Return equal texts in every row but some, which are missing; Parquet writes each text once."""
    codes = pa.array([None if row % 10 == 9 else row % 2 for row in range(rows)], pa.int32())
    texts = pa.DictionaryArray.from_arrays(codes, pa.array(["a" * length, " b "], pa.string()))
    return pa.table({"text": texts, "number": pa.array(range(rows), pa.float64())})


@pytest.mark.parametrize("form", ["parquet", "arrow"])
def test_a_long_text_of_many_rows_is_read_once(form: str, tmp_path: Path) -> None:
    rows, length = 20_000, 100_000
    path = tmp_path / f"t.{form}"
    if form == "parquet":
        parquet.write_table(long_texts(rows, length), path, store_schema=False)
    else:
        feather.write_feather(long_texts(rows, length), path)
    pool = pa.proxy_memory_pool(pa.default_memory_pool())
    before = pa.default_memory_pool()
    pa.set_memory_pool(pool)
    try:
        with open_table(path, path.name) as table:
            found = [chunk.cells["text"] for chunk in table.chunks(["text"], text=["text"])]
    finally:
        pa.set_memory_pool(before)
    assert pool.max_memory() < 100 * length
    texts = [None if code < 0 else cells.texts[code] for cells in found for code in cells.values.tolist()]
    assert texts == [None if row % 10 == 9 else "b" if row % 2 else "a" * length for row in range(rows)]


def test_rows_to_write_again_have_the_types_of_the_file(tmp_path: Path) -> None:
    written = long_texts(100, 10).cast(pa.schema([("text", pa.large_string()), ("number", pa.float64())]))
    parquet.write_table(written, tmp_path / "t.parquet")
    with open_table(tmp_path / "t.parquet", "t.parquet") as table:
        (chunk,) = table.chunks(["number"], whole=True)
    assert pa.Table.from_batches([chunk.batch]).equals(written)


def test_long_texts_to_write_again_come_in_small_chunks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arrow_files, "TEXT_BYTES", 1000)
    parquet.write_table(long_texts(1000, 300), tmp_path / "t.parquet", store_schema=False)
    with open_table(tmp_path / "t.parquet", "t.parquet") as table:
        chunks = [*table.chunks(["number"], whole=True)]
    assert max(len("".join(filter(None, chunk.batch.column("text").to_pylist()))) for chunk in chunks) <= 1000
    assert np.concatenate([chunk.cells["number"].values for chunk in chunks]).tolist() == [*range(1000)]
    assert [chunk.start for chunk in chunks] == [0, *np.cumsum([chunk.rows for chunk in chunks])[:-1]]


def test_unused_and_repeated_texts_of_a_dictionary_are_no_levels(tmp_path: Path) -> None:
    codes = pa.array([3, 0, None, 1, 2], pa.int8())
    column = pa.DictionaryArray.from_arrays(codes, pa.array(["a", None, "a ", "b", "unused"]))
    feather.write_feather(pa.table({"text": column}), tmp_path / "t.arrow")
    with open_table(tmp_path / "t.arrow", "t.arrow") as table:
        (chunk,) = table.chunks(["text"])
    assert chunk.cells["text"].texts == ("b", "a")
    assert chunk.cells["text"].values.tolist() == [0, 1, -1, -1, 1]


def test_the_index_of_a_pandas_frame_is_not_a_column(tmp_path: Path) -> None:
    frame = pd.DataFrame({"a": [1.0, 2.0]}, index=[700, 900])
    frame.to_parquet(tmp_path / "unnamed.parquet")
    frame.rename_axis("id").to_parquet(tmp_path / "named.parquet")
    frame.reset_index(drop=True).to_parquet(tmp_path / "range.parquet")
    pl.read_parquet(tmp_path / "unnamed.parquet").write_parquet(tmp_path / "copied.parquet")
    for path in nonempty(tmp_path.iterdir()):
        with open_table(path, path.name) as table:
            assert table.columns == ("a",), path
            (chunk,) = table.chunks(["a"])
        assert chunk.cells["a"].values.tolist() == [1.0, 2.0]
