"""Predictions of the constructed models equal explicit gradient descent, and every file answers as its torch model."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from gdssm import reference
from tests.closeness import assert_close
from tests.gdssm.linear_oracle import linear
from tests.properties.backends import CONSTRUCTED, OnnxBackend, TorchBackend, backend
from tests.properties.cases import Case, cases


@pytest.mark.parametrize(("name", "steps"), [("gd-1", 1), ("gd-8", 8)])
@given(case=cases(), learning_rate=st.floats(1e-4, 0.02))
def test_gd_equals_steps_computed_by_autograd(name: str, steps: int, case: Case, learning_rate: float) -> None:
    model = backend(OnnxBackend, name)
    answer = model.predict(model.observe(case.x, case.y), case.x_query, learning_rate=learning_rate)
    zero = torch.zeros(case.x.shape[2], case.y.shape[2], dtype=torch.float64)
    for b in range(case.x.shape[0]):
        x, y, x_query = (torch.from_numpy(array[b]) for array in (case.x, case.y, case.x_query))
        expected = reference.gradient_descent(x, y, x_query, [learning_rate] * steps, zero)
        assert_close(answer[b], expected, f"prediction of context {b}", rtol=1e-9)


@given(case=cases())
def test_linear_equals_its_oracle(case: Case) -> None:
    model = backend(OnnxBackend, "linear-1.0.0")
    answer = model.predict(model.observe(case.x, case.y, case.weight), case.x_query)
    for b in range(case.x.shape[0]):
        expected = linear(case.x[b], case.y[b], case.x_query[b], case.weight[b])
        assert_close(answer[b], expected, f"prediction of context {b}", rtol=1e-8)


@pytest.mark.slow
@pytest.mark.parametrize("name", CONSTRUCTED)
@given(case=cases())
def test_file_answers_as_the_torch_model(name: str, case: Case) -> None:
    """Predictions and states, from an empty state and from the one after: so properties of the file are the model's."""
    file, model = backend(OnnxBackend, name), backend(TorchBackend, name)
    y = case.labels if file.entry.task == "classification" else case.y
    tensors = {"x": case.x, "y": y, "weight": case.weight, "x_query": case.x_query}
    for state in ({}, file.runtime.state_after(file.run(tensors))):
        found, expected = file.run(tensors | state), model.run(tensors | state)
        assert np.isfinite(expected["prediction"]).all()
        for tensor in ("prediction", *file.runtime.manifest.next_names.values()):
            assert_close(found[tensor], expected[tensor], tensor, rtol=file.rounding)
