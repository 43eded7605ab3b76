"""Columns of Parquet files: every type that is a number is read as one, and the index of a frame is none."""

from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
from pyarrow import parquet

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
