from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from service.errors import InvalidInput
from service.files.prediction_job import open_job
from service.inference.predictor import Observations
from service.inference.sizes import Array
from service.registry.repository import Repository
from tests.closeness import assert_close

Columns = tuple[str, str | None]


def read(
    context: Path, query: Path, target: str, weight: str | None = None, rows: int = 1
) -> tuple[Observations, Array]:
    with open_job(context, query, target, weight, rows) as task:
        chunks, queries = list(task.observations()), list(task.queries())
        assert task.progress == 1
    weights = [chunk.weight for chunk in chunks if chunk.weight is not None]
    x, y = (np.concatenate([getattr(chunk, name) for chunk in chunks]) for name in ("x", "y"))
    return Observations(x, y, np.concatenate(weights) if weights else None), np.concatenate(queries)


@pytest.fixture
def context(tmp_path: Path) -> Path:
    path = tmp_path / "context.csv"
    path.write_text("a,w,b,y\n1,0.5,2,3\n4,1,5,6\n")
    return path


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "query.csv"
    path.write_text(text)
    return path


def test_features_are_all_columns_except_target_and_weight(tmp_path: Path, context: Path) -> None:
    observed, query = read(context, written(tmp_path, "a,b\n7,8\n"), "y", "w")
    assert observed.weight is not None
    assert_close(observed.x, [[1.0, 2.0], [4.0, 5.0]], "x")
    assert_close(observed.y, [3.0, 6], "y")
    assert_close(observed.weight, [0.5, 1], "weight")
    assert_close(query, [[7.0, 8]], "query")


def test_query_columns_are_matched_by_name(tmp_path: Path, context: Path) -> None:
    observed, query = read(context, written(tmp_path, "b,a,w\n8,7,9\n"), "y")
    assert observed.weight is None
    assert_close(query, [[7.0, 9, 8]], "query")


def test_target_and_weight_of_the_query_are_not_read(tmp_path: Path, context: Path) -> None:
    _, query = read(context, written(tmp_path, "y,a,b,w\n?,7,8,\n"), "y", "w")
    assert_close(query, [[7.0, 8]], "query")


@pytest.mark.parametrize(
    ("query", "columns", "message"),
    [
        ("a,w\n1,2\n", ("y", None), "query.csv: has no column 'b'; it has 'a', 'w'."),
        ("a,w,b,c\n1,2,3,4\n", ("y", None), "has columns that context.csv lacks: 'c'. Leave them out."),
        ("a,w,b\n1,2,3\n", ("z", None), "context.csv: has no column 'z'; it has 'a', 'w', 'b', 'y'."),
        ("a,b\n1,2\n", ("y", "v"), "context.csv: has no column 'v'; it has 'a', 'w', 'b', 'y'."),
        ("a,b\n1,2\n", ("y", "y"), "The target and the weight are both 'y'. Name two columns."),
    ],
)
def test_mismatched_columns_are_named(
    tmp_path: Path, context: Path, query: str, columns: Columns, message: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        read(context, written(tmp_path, query), *columns)
    assert message in str(refused.value).replace(f"{tmp_path}/", "")


def test_context_without_features_is_refused(tmp_path: Path) -> None:
    alone = written(tmp_path, "y\n1\n")
    with pytest.raises(InvalidInput, match="has no column except 'y' to learn from"):
        read(alone, alone, "y")


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_empty_feature_cells_are_nan_for_models_with_missing_cells(
    tmp_path: Path, repository: Repository, kind: str
) -> None:
    frame = pd.DataFrame({"a": [1.0, None, 3.0, 4.0], "y": [1.0, 2, 3, 4], "b": [5, None, None, 8], "c": [None] * 4})
    write = as_csv if kind == "csv" else as_parquet
    context, query = write(tmp_path / "context", frame), write(tmp_path / "query", frame.drop(columns="y")[::-1])
    expected = frame[["a", "b", "c"]].to_numpy(float)
    with open_job(context, query, "y", rows=3, model=repository.get("linear").manifest) as task:
        np.testing.assert_array_equal(np.concatenate([chunk.x for chunk in task.observations()]), expected)
        np.testing.assert_array_equal(np.concatenate(list(task.queries())), expected[::-1])


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
@pytest.mark.parametrize(
    ("model", "target", "message"),
    [
        ("gd-1", "y", "column 'a': is empty; model gd-1 takes no missing cells (version 1.0.0). Fill it in, leave"),
        ("linear", "a", "column 'a': is empty. Fill it in, or leave the row out."),
    ],
)
def test_empty_cells_are_refused_for_other_models_and_columns(
    tmp_path: Path, repository: Repository, suffix: str, model: str, target: str, message: str
) -> None:
    frame = pd.DataFrame({"a": [1.0, None, 3.0], "y": [1.0, 2, 3]})
    path = (as_csv if suffix == "csv" else as_parquet)(tmp_path / "t", frame)
    manifest = repository.get(model).manifest
    with open_job(path, path, target, model=manifest) as task, pytest.raises(InvalidInput) as refused:
        list(task.observations())
    place = f"{path}, line 3, " if suffix == "csv" else f"{path}, row 2, "
    assert str(refused.value).startswith(place + message)


def test_text_is_refused_even_with_missing_cells(tmp_path: Path, repository: Repository) -> None:
    table = written(tmp_path, "a,y\n,1\nNaN,2\nx,3\n")
    manifest = repository.get("linear").manifest
    with open_job(table, table, "y", model=manifest) as task, pytest.raises(InvalidInput) as refused:
        list(task.observations())
    assert [problem.message.split(":")[0] for problem in refused.value.problems] == [
        "is not a finite number",
        "is not a number",
    ]


def as_csv(path: Path, frame: pd.DataFrame) -> Path:
    frame.to_csv(path.with_suffix(".csv"), index=False)
    return path.with_suffix(".csv")


def as_parquet(path: Path, frame: pd.DataFrame) -> Path:
    frame.to_parquet(path.with_suffix(".parquet"), row_group_size=3)
    return path.with_suffix(".parquet")


@pytest.mark.parametrize("rows", [1, 2, 5, 100])
@pytest.mark.parametrize(("context", "query"), [(as_parquet, as_csv), (as_csv, as_parquet), (as_parquet, as_parquet)])
def test_parquet_and_csv_are_read_alike(
    tmp_path: Path,
    context: Callable[[Path, pd.DataFrame], Path],
    query: Callable[[Path, pd.DataFrame], Path],
    rows: int,
) -> None:
    frame = pd.DataFrame({"note": list("abcdefg"), "b": np.arange(7.0), "a": np.arange(7) * 3, "y": np.arange(7.0) / 8})
    data = frame.drop(columns="note")
    found = read(context(tmp_path / "c", data), query(tmp_path / "q", data[["a", "b"]]), "y", None, rows)
    assert_close(found[0].x, data[["b", "a"]].to_numpy(), "x")
    assert_close(found[0].y, data["y"].to_numpy(), "y")
    assert_close(found[1], data[["b", "a"]].to_numpy(), "query")


def test_pandas_index_in_parquet_is_not_a_feature(tmp_path: Path) -> None:
    frame = pd.DataFrame({"size": [50.0, 70.0, 90.0], "price": [100.0, 140.0, 180.0]}, index=[700, 20, 5])
    asked = frame[["size"]].set_index(pd.Index([9, 8, 7], name="id"))
    context, query = read(as_parquet(tmp_path / "c", frame), as_parquet(tmp_path / "q", asked), "price", rows=9)
    assert_close(context.x, [[50.0], [70.0], [90.0]], "x")
    assert_close(query, [[50.0], [70.0], [90.0]], "query")


@pytest.mark.parametrize(
    ("column", "message"),
    [
        ([1.0, None], "t.parquet, row 2, column 'a': is empty. Fill it in, or leave the row out."),
        ([np.inf, 1.0], "t.parquet, row 1, column 'a': is not a finite number"),
        (["1", "2"], "t.parquet, column 'a': must hold numbers; it is of type"),
        ([True, False], "t.parquet, column 'a': must hold numbers; it is of type bool"),
        ([], "t.parquet: has no rows. It needs at least one."),
    ],
)
def test_bad_cells_of_parquet_are_refused_by_row_and_column(tmp_path: Path, column: list[object], message: str) -> None:
    path = as_parquet(tmp_path / "t", pd.DataFrame({"a": column, "y": np.ones(len(column))}))
    with pytest.raises(InvalidInput) as refused:
        read(path, path, "y", rows=2)
    assert message in str(refused.value)


@pytest.mark.parametrize(("content", "message"), [(b"no", "is not Parquet ("), (None, "cannot be read (")])
def test_invalid_parquet_is_refused_in_one_line(tmp_path: Path, content: bytes | None, message: str) -> None:
    path = tmp_path / "t.parquet"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InvalidInput) as refused:
        read(path, path, "y")
    assert message in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("wide", ["context", "query"])
def test_too_many_columns_are_refused_before_matching(tmp_path: Path, wide: str) -> None:
    files = {name: tmp_path / f"{name}.csv" for name in ("context", "query")}
    for name, path in files.items():
        columns = [f"c{i}" for i in range(300_000 if name == wide else 2)]
        path.write_text(",".join(columns) + "\n" + ",".join("1" for _ in columns) + "\n")
    message = rf"{wide}.csv: has 300000 columns. Send at most 8 \(GDSSM_MAX_COLUMNS\)\.$"
    task = open_job(files["context"], files["query"], "c0", max_columns=8)
    with pytest.raises(InvalidInput, match=message), task:
        pass


def test_column_limit_does_not_count_the_weight(context: Path, tmp_path: Path) -> None:
    with open_job(context, written(tmp_path, "a,b\n1,2\n"), "y", "w", max_columns=3) as task:
        assert task.features == ["a", "b"]
