"""On real data, through HTTP: the practical model is as good as a tuned ridge."""

import pytest

from benchmarks.diabetes import SIZES, medians
from tests.running import running


@pytest.fixture(scope="module")
def r2() -> dict[int, dict[str, float]]:
    with running() as server:
        return medians(server.url)


@pytest.mark.parametrize("size", SIZES)
def test_linear_is_no_worse_than_ridge(r2: dict[int, dict[str, float]], size: int) -> None:
    assert r2[size]["linear"] >= r2[size]["RidgeCV"] - 0.02


def test_linear_beats_least_squares_where_data_are_few(r2: dict[int, dict[str, float]]) -> None:
    assert r2[20]["linear"] > r2[20]["least squares"]
