import numpy as np
import pytest
from sklearn.datasets import load_diabetes

from gdssm.evaluation.suites import TABLES
from gdssm.evaluation.tasks.tables import DIRECTORY, read_table
from tests.nonempty import nonempty

NAMES = [name for name, _ in TABLES]


@pytest.mark.parametrize("name", NAMES)
def test_columns_are_standardised(name: str) -> None:
    x, y = read_table(name)
    columns = np.column_stack([x, y])
    assert y.shape == (len(x), 1)
    np.testing.assert_allclose(columns.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(columns.std(axis=0), 1)


def test_diabetes_is_as_scikit_learn_scales_it() -> None:
    x, y = read_table("diabetes")
    expected, target = load_diabetes(return_X_y=True)
    np.testing.assert_allclose(x, expected * np.sqrt(len(x)), atol=1e-5)
    np.testing.assert_allclose(y[:, 0], (target - target.mean()) / target.std())


def test_tables_are_cached_and_read_only() -> None:
    x, _ = read_table("iris")
    assert read_table("iris")[0] is x
    with pytest.raises(ValueError, match="read-only"):
        x[0, 0] = 1.0


def test_every_file_names_its_source_and_licence() -> None:
    rows = [line for line in (DIRECTORY / "README.md").read_text().splitlines() if line.startswith("| `")]
    assert [row.split("`")[1] for row in rows] == NAMES
    assert {path.stem for path in DIRECTORY.glob("*.csv")} == set(NAMES)
    for row in nonempty(rows):
        _, _, count, _, _, source, licence, _ = (cell.strip() for cell in row.split("|"))
        assert int(count) == len(read_table(row.split("`")[1])[0])
        assert "http" in source
        assert licence


def test_the_files_are_small() -> None:
    assert sum(path.stat().st_size for path in DIRECTORY.glob("*.csv")) < 100_000
