import io
from pathlib import Path

import pytest

from service.csv_task import CsvTask, write_predictions
from service.errors import InvalidInput
from tests.closeness import assert_close


@pytest.fixture
def context(tmp_path: Path) -> Path:
    path = tmp_path / "context.csv"
    path.write_text("a,w,b,y\n1,0.5,2,3\n4,1,5,6\n")
    return path


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "query.csv"
    path.write_text(text)
    return path


def test_every_column_but_target_and_weight_is_a_feature(tmp_path: Path, context: Path) -> None:
    task = CsvTask.read(context, written(tmp_path, "a,b\n7,8\n"), "y", "w")
    assert task.context.weight is not None
    assert_close(task.context.x, [[1.0, 2.0], [4.0, 5.0]], "x")
    assert_close(task.context.y, [3.0, 6], "y")
    assert_close(task.context.weight, [0.5, 1], "weight")
    assert_close(task.query, [[7.0, 8]], "query")


def test_columns_of_the_query_are_matched_by_name(tmp_path: Path, context: Path) -> None:
    task = CsvTask.read(context, written(tmp_path, "b,a,w\n8,7,9\n"), "y")
    assert task.context.weight is None
    assert_close(task.query, [[7.0, 9, 8]], "query")


def test_target_and_weight_in_the_query_are_not_even_read(tmp_path: Path, context: Path) -> None:
    task = CsvTask.read(context, written(tmp_path, "y,a,b,w\n?,7,8,\n"), "y", "w")
    assert_close(task.query, [[7.0, 8]], "query")


@pytest.mark.parametrize(
    ("query", "columns", "message"),
    [
        ("a,w\n1,2\n", ("y", None), "query.csv: has no column 'b'; it has 'a', 'w'."),
        ("a,w,b,c\n1,2,3,4\n", ("y", None), "has columns that context.csv has not: 'c'. Leave them out."),
        ("a,w,b\n1,2,3\n", ("z", None), "context.csv: has no column 'z'; it has 'a', 'w', 'b', 'y'."),
        ("a,b\n1,2\n", ("y", "v"), "context.csv: has no column 'v'; it has 'a', 'w', 'b', 'y'."),
        ("a,b\n1,2\n", ("y", "y"), "The target and the weight are both 'y'. Name two columns."),
    ],
)
def test_columns_that_do_not_fit_are_named(
    tmp_path: Path, context: Path, query: str, columns: tuple[str, str | None], message: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        CsvTask.read(context, written(tmp_path, query), *columns)
    assert message in str(refused.value).replace(f"{tmp_path}/", "")


def test_a_context_of_the_target_alone_has_nothing_to_learn_from(tmp_path: Path) -> None:
    alone = written(tmp_path, "y\n1\n")
    with pytest.raises(InvalidInput, match="has no column beside 'y' to learn from"):
        CsvTask.read(alone, alone, "y")


def test_predictions_are_written_in_full_precision() -> None:
    file, numbers = io.StringIO(), [0.1 + 0.2, 1e-300, -2.0]
    write_predictions("price, net", numbers, file)
    header, *lines = file.getvalue().splitlines()
    assert header == '"price, net"'
    assert list(map(float, lines)) == numbers
