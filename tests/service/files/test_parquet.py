from contextlib import closing
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from pyarrow import parquet

from service.errors import InvalidInput
from service.files.parquet import ParquetTable, ParquetWriter
from service.inference.sizes import Array
from tests.closeness import assert_close
from tests.nonempty import nonempty


def everything(path: Path, columns: list[str], rows: int = 2) -> Array:
    with closing(ParquetTable(path)) as table:
        return np.concatenate([cells for (cells,) in table.chunks([columns], rows)])


def test_numeric_types_are_read_in_requested_order(tmp_path: Path) -> None:
    columns = {
        "double": pa.array([1.5, 2.5, 3.5]),
        "text": pa.array(["a", None, "c"]),
        "byte": pa.array([-1, 0, 1], pa.int8()),
        "large": pa.array([2**53, 2**60, 2**63], pa.uint64()),
        "half": pa.array([0.5, 0.25, -1.0], pa.float16()),
        "category": pa.array([3, 5, 3]).dictionary_encode(),
        "decimal": pa.array([Decimal("1.25"), Decimal("-7.5"), Decimal(0)]),
    }
    parquet.write_table(pa.table(columns), tmp_path / "t.parquet")
    names = ["category", "decimal", "half", "large", "double", "byte"]
    expected = np.column_stack([np.array(columns[name].to_pylist(), float) for name in names])
    assert_close(everything(tmp_path / "t.parquet", names), expected, "cells")


def test_pandas_index_is_not_a_column(tmp_path: Path) -> None:
    frame = pd.DataFrame({"a": [1.0, 2.0]}, index=[700, 900])
    frame.to_parquet(tmp_path / "unnamed.parquet")
    frame.rename_axis("id").to_parquet(tmp_path / "named.parquet")
    frame.reset_index(drop=True).to_parquet(tmp_path / "range.parquet")
    pl.read_parquet(tmp_path / "unnamed.parquet").write_parquet(tmp_path / "copied.parquet")
    for path in nonempty(tmp_path.iterdir()):
        with closing(ParquetTable(path)) as table:
            assert table.columns == ["a"], path
            assert [cells.tolist() for (cells,) in table.chunks([["a"]], 9)] == [[[1.0], [2.0]]]


@pytest.mark.parametrize(
    ("column", "message"),
    [
        (pa.array([True]), "it is of type bool. Send 1 and 0"),
        (pa.array(["1"]), "it is of type string. Convert text that is a number"),
        (pa.array(["1"], pa.large_string()), "it is of type large_string. Convert text that is a number"),
        (
            pa.array(["1"]).dictionary_encode(),
            "it is of type dictionary<values=string, indices=int32, ordered=0>. Conv",
        ),
        (pa.array([0], pa.date32()), "it is of type date32[day]. Send a number, such as the days"),
        (pa.array([0], pa.timestamp("us")), "it is of type timestamp[us]. Send a number, such as the days"),
        (pa.array([0], pa.duration("us")), "it is of type duration[us]. Send a number, such as seconds"),
        (pa.array([[1.0]]), "it is of type list<element: double>. Send integers or floating-point numbers"),
    ],
)
def test_non_numeric_columns_are_refused_with_a_remedy(tmp_path: Path, column: pa.Array, message: str) -> None:
    parquet.write_table(pa.table({"a": column}), tmp_path / "t.parquet")
    with pytest.raises(InvalidInput) as refused:
        everything(tmp_path / "t.parquet", ["a"])
    assert f"column 'a': must hold numbers; {message}" in str(refused.value)


@pytest.mark.parametrize("group", [1, 5, 100])
@pytest.mark.parametrize("rows", [1, 7, 100])
def test_column_groups_keep_rows_aligned(tmp_path: Path, group: int, rows: int) -> None:
    cells = np.arange(44.0).reshape(22, 2)
    parquet.write_table(pa.table({"a": cells[:, 0], "b": cells[:, 1]}), tmp_path / "t.parquet", row_group_size=group)
    with closing(ParquetTable(tmp_path / "t.parquet")) as table:
        chunks = [np.concatenate(groups, axis=1) for groups in table.chunks([["a"], ["b"]], rows)]
        assert table.progress == 1
    assert max(map(len, chunks)) <= rows
    assert_close(np.concatenate(chunks), cells, "cells")


def test_bad_cells_are_reported_together_in_order(tmp_path: Path) -> None:
    columns = {"a": pa.array([1.0, None, 3.0, 4.0, np.inf]), "b": pa.array([1, 2, 3, None, 5])}
    parquet.write_table(pa.table(columns), tmp_path / "t.parquet")
    with pytest.raises(InvalidInput) as refused:
        everything(tmp_path / "t.parquet", ["b", "a"], rows=5)
    places = [problem.field.removeprefix(f"{tmp_path}/t.parquet, ") for problem in refused.value.problems]
    assert places == ["row 2, column 'a'", "row 4, column 'b'", "row 5, column 'a'"]


def test_large_row_group_is_read_with_bounded_memory(tmp_path: Path) -> None:
    path, rows = tmp_path / "t.parquet", 200_000
    table = pa.table({name: np.random.default_rng(0).normal(size=rows) for name in "abcde"})
    parquet.write_table(table, path, row_group_size=rows, use_dictionary=False)
    del table
    before = pa.total_allocated_bytes()
    with closing(ParquetTable(path)) as source:
        held = [pa.total_allocated_bytes() - before for _ in source.chunks([source.columns], 1000)]
    assert max(held) < path.stat().st_size / 4


def test_non_contiguous_columns_are_written(tmp_path: Path) -> None:
    numbers = np.arange(12.0).reshape(4, 3)
    with closing(ParquetWriter(tmp_path / "t.parquet", "y")) as column:
        column.write(numbers[:, 1])
        column.write(numbers[:0, 1])
        column.write(numbers[:, 2])
    expected = np.concatenate([numbers[:, 1], numbers[:, 2]])
    assert_close(everything(tmp_path / "t.parquet", ["y"])[:, 0], expected, "y")
