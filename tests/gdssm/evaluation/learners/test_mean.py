import numpy as np

from gdssm.evaluation.learners import Mean
from gdssm.evaluation.tasks.task import Batch


def test_every_query_gets_the_mean_of_its_own_context(batch: Batch) -> None:
    prediction = Mean().predict(batch.x, batch.y, batch.x_query)
    for task in range(2):
        for query in range(11):
            np.testing.assert_allclose(prediction[task, query], sum(batch.y[task]) / 7)
