import numpy as np

from gdssm.evaluation.learners.zero import Zero
from gdssm.evaluation.tasks.batch import Batch


def test_every_query_gets_zero(batch: Batch) -> None:
    np.testing.assert_array_equal(Zero().predict(batch.x, batch.y, batch.x_query), np.zeros((2, 11, 3)))
