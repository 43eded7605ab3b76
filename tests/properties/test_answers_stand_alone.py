"""A prediction depends on its own context and query, not on others in the same batch."""

import numpy as np
import pytest
from hypothesis import given

from tests.closeness import assert_close
from tests.properties.backends import OnnxBackend, backend, every_constructed_regressor, every_set_model
from tests.properties.cases import Case, cases


@pytest.mark.slow
@every_set_model
@given(case=cases())
def test_prediction_does_not_depend_on_other_queries(name: str, case: Case) -> None:
    model = backend(OnnxBackend, name)
    state = model.observe(case.x, case.y, case.weight)
    together = model.predict(state, case.x_query)
    for m in range(case.x_query.shape[1]):
        alone = model.predict(state, case.x_query[:, m : m + 1])
        assert_close(alone, together[:, m : m + 1], f"prediction {m}", rtol=model.rounding)


@pytest.mark.slow
@every_set_model
@given(case=cases())
def test_prediction_does_not_depend_on_other_contexts(name: str, case: Case) -> None:
    model = backend(OnnxBackend, name)
    together = model.predict(model.observe(case.x, case.y, case.weight), case.x_query)
    for b in range(case.x.shape[0]):
        one = slice(b, b + 1)
        alone = model.predict(model.observe(case.x[one], case.y[one], case.weight[one]), case.x_query[one])
        assert_close(alone, together[one], f"prediction of context {b}", rtol=model.rounding)


@pytest.mark.slow
@every_set_model
@given(case=cases())
def test_padded_contexts_in_a_batch_predict_as_alone(name: str, case: Case) -> None:
    model = backend(OnnxBackend, name)
    lengths = case.generator.integers(1, case.x.shape[1] + 1, case.x.shape[0])
    weight = np.where(np.arange(case.x.shape[1]) < lengths[:, None], case.weight, 0.0)
    together = model.predict(model.observe(case.x, case.y, weight), case.x_query)
    for b, length in enumerate(lengths):
        x, y, weights = (array[b : b + 1, :length] for array in (case.x, case.y, case.weight))
        alone = model.predict(model.observe(x, y, weights), case.x_query[b : b + 1])
        assert_close(alone, together[b : b + 1], f"prediction of context {b}", rtol=model.rounding)


@pytest.mark.slow
@every_set_model
@given(case=cases())
def test_one_call_equals_observing_then_predicting(name: str, case: Case) -> None:
    model = backend(OnnxBackend, name)
    tensors = {"x": case.x, "y": case.y, "weight": case.weight, "x_query": case.x_query}
    expected = model.predict(model.observe(case.x, case.y, case.weight), case.x_query)
    assert_close(model.run(tensors)["prediction"], expected, "prediction", rtol=model.rounding)


@pytest.mark.slow
@every_constructed_regressor
@given(case=cases())
def test_prediction_does_not_depend_on_other_outputs(name: str, case: Case) -> None:
    model = backend(OnnxBackend, name)
    together = model.predict(model.observe(case.x, case.y, case.weight), case.x_query)
    for k in range(case.y.shape[2]):
        one = slice(k, k + 1)
        alone = model.predict(model.observe(case.x, case.y[..., one], case.weight), case.x_query)
        assert_close(alone, together[..., one], f"output {k}", rtol=model.rounding)
