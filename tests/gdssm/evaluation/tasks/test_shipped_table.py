import numpy as np
import pytest

from gdssm.evaluation.tasks.tables import ShippedTable, read_table


def test_a_task_is_rows_of_the_table() -> None:
    batch = ShippedTable("iris").sample(np.random.default_rng(0), tasks=3, observations=7, queries=5)
    x, y = read_table("iris")
    rows = {tuple(row) for row in np.column_stack([x, y]).tolist()}
    for task in range(3):
        shown = np.column_stack([batch.x[task], batch.y[task]]).tolist()
        asked = np.column_stack([batch.x_query[task], batch.y_query[task]]).tolist()
        assert {tuple(row) for row in shown + asked} <= rows


def test_more_rows_than_there_are_are_refused() -> None:
    with pytest.raises(ValueError, match="has 150 rows; 147 observations and 4 queries are 151"):
        ShippedTable("iris").sample(np.random.default_rng(0), 1, 147, 4)
