"""The predictions of trained models over HTTP equal those of the torch models."""

import numpy as np
import pytest

from tests.closeness import assert_close
from tests.properties.backends import TRAINED
from tests.properties.test_trained_models import FLOAT32, draw, whole_sequence
from tests.service.in_process import InProcess


@pytest.mark.parametrize("name", TRAINED)
def test_http_predictions_equal_the_torch_model(client: InProcess, name: str) -> None:
    x, y, x_query = (array[:1] for array in draw(name, 0))
    context = {"x": x[0].tolist(), "y": y[0].tolist()}
    answer = client.predict({"model": name, "context": context, "query": x_query[0].tolist()}).json()
    expected = whole_sequence(name, x, y, x_query)[0]
    assert_close(np.array(answer["prediction"]), expected.astype(np.float64), "prediction", rtol=FLOAT32)


def test_another_width_than_its_own_is_refused_by_name(client: InProcess) -> None:
    answer = client.predict({"model": "sine-trained", "context": {"x": [[1, 2]], "y": [1]}, "query": [[1, 2]]})
    assert answer.status_code == 422
    assert "context.x has 2 columns; model sine-trained takes 1" in answer.json()["error"].replace(":", "")
