"""Predictions are linear in y where the manifest declares it, and scale with y for all models."""

import numpy as np
import pytest
from hypothesis import given

from export.zoo import ENTRIES, Entry
from tests.closeness import assert_close
from tests.properties.backends import (
    REGRESSORS,
    Backend,
    OnnxBackend,
    backend,
    every_constructed_regressor,
)
from tests.properties.cases import ROUNDING, Array, Case, cases

CONSTRUCTED = [entry for entry in ENTRIES if entry.file.removesuffix(".onnx") in REGRESSORS]
LINEAR: list[tuple[str, dict[str, float]]] = [
    (entry.file.removesuffix(".onnx"), {} if entry.linear_in_y else dict.fromkeys(entry.linear_in_y_given, 0.01))
    for entry in CONSTRUCTED
    if entry.linear_in_y or entry.linear_in_y_given
]


def answer(model: Backend, case: Case, y: Array, **parameters: float) -> Array:
    return model.predict(model.observe(case.x, y, case.weight), case.x_query, **parameters)


@pytest.mark.parametrize(("name", "parameters"), LINEAR)
@given(case=cases())
def test_predictions_are_additive_in_y(name: str, parameters: dict[str, float], case: Case) -> None:
    model = backend(OnnxBackend, name)
    other = case.generator.normal(size=case.y.shape)
    parts = 2.0 * answer(model, case, case.y, **parameters) - 3.0 * answer(model, case, other, **parameters)
    assert_close(answer(model, case, 2.0 * case.y - 3.0 * other, **parameters), parts, "prediction", rtol=1e-7)


@pytest.mark.slow
@every_constructed_regressor
@given(case=cases())
def test_predictions_scale_with_y(name: str, case: Case) -> None:
    model = backend(OnnxBackend, name)
    scaled = answer(model, case, -1e3 * case.y)
    assert_close(scaled, -1e3 * answer(model, case, case.y), "prediction", rtol=ROUNDING)


@pytest.mark.parametrize(
    "entry", [entry for entry in CONSTRUCTED if not entry.linear_in_y], ids=lambda entry: entry.file
)
def test_line_search_and_evidence_are_not_declared_linear(entry: Entry) -> None:
    model = backend(OnnxBackend, entry.file.removesuffix(".onnx"))
    generator = np.random.default_rng(0)
    x, x_query = generator.normal(size=(1, 7, 5)), generator.normal(size=(1, 3, 5))
    one, other = generator.normal(size=(2, 1, 7, 1))
    parts = [model.predict(model.observe(x, y), x_query) for y in (one, other, one + other)]
    assert np.abs(parts[0] + parts[1] - parts[2]).max() > 0.01
