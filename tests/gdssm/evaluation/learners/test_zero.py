import numpy as np

from gdssm.evaluation.learners import Zero
from gdssm.evaluation.tasks.task import Batch


def test_every_query_gets_zero(batch: Batch) -> None:
    np.testing.assert_array_equal(Zero().predict(batch.x, batch.y, batch.x_query), np.zeros((2, 11, 3)))
