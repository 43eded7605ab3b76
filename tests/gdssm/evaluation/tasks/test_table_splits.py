import numpy as np
import pytest

from gdssm.arrays import Array
from gdssm.evaluation.tasks.tables import TableSplits
from tests.nonempty import nonempty

TABLE = TableSplits(np.arange(11.0)[:, None] * [1, 2], np.arange(11.0)[:, None])


def test_no_row_is_both_observation_and_query() -> None:
    batch = TABLE.sample(np.random.default_rng(0), tasks=20, observations=7, queries=4)
    for seen, asked in nonempty(zip(batch.y[..., 0], batch.y_query[..., 0], strict=True)):
        assert sorted([*seen, *asked]) == list(range(11))


def test_x_and_y_stay_together() -> None:
    batch = TABLE.sample(np.random.default_rng(0), tasks=5, observations=3, queries=2)
    assert (batch.x[..., 1] == 2 * batch.y[..., 0]).all()
    assert (batch.x_query[..., 1] == 2 * batch.y_query[..., 0]).all()


def test_a_seed_decides_the_splits() -> None:
    def draw(seed: int) -> Array:
        return TABLE.sample(np.random.default_rng(seed), 3, 4, 2).x

    assert (draw(1) == draw(1)).all()
    assert (draw(1) != draw(2)).any()


def test_a_table_with_too_few_rows_is_refused() -> None:
    with pytest.raises(ValueError, match=r"has 11 rows; 10 observations and 2 queries are 12"):
        TABLE.sample(np.random.default_rng(0), 1, 10, 2)


def test_columns_of_different_length_are_refused() -> None:
    with pytest.raises(ValueError, match=r"x has shape \(3, 2\) and y \(2, 1\)"):
        TableSplits(np.zeros((3, 2)), np.zeros((2, 1)))
