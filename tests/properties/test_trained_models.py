"""Trained models: streaming equals the sequence model, and predictions are independent."""

import json

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from export.trained import RUNS, load
from gdssm.train.presets import PRESETS
from tests.closeness import assert_close
from tests.properties.backends import TRAINED, OnnxBackend, backend, every_trained_model
from tests.properties.cases import Array

FLOAT32 = 2e-5
"""Two ways to one answer differ by float32's rounding, relative to the largest entry."""


def draw(name: str, seed: int, observations: int = 10) -> tuple[Array, Array, Array]:
    """Contexts of the task that a model was trained on."""
    batch = PRESETS[name].task.sample(np.random.default_rng(seed), 2, observations, 3)
    return batch.x, batch.y, batch.x_query


def whole_sequence(name: str, x: Array, y: Array, x_query: Array) -> Array:
    """What the trained stack says to each query at the end of the whole sequence, with no state at all."""
    stack = load(RUNS / name)
    context = [torch.from_numpy(array.astype(np.float32)) for array in (x, y)]
    queries = torch.split(torch.from_numpy(x_query.astype(np.float32)), 1, dim=1)
    with torch.no_grad():
        answer: Array = torch.cat([stack(*context, query) for query in queries], dim=1).numpy()
    return answer


seeds = st.integers(0, 2**32 - 1)


@pytest.mark.slow
@every_trained_model
@given(seed=seeds)
def test_one_shot_prediction_equals_the_sequence_model(name: str, seed: int) -> None:
    x, y, x_query = draw(name, seed)
    answer = backend(OnnxBackend, name).run({"x": x, "y": y, "x_query": x_query})["prediction"]
    assert_close(answer, whole_sequence(name, x, y, x_query), "prediction", rtol=FLOAT32)


@pytest.mark.slow
@every_trained_model
@given(seed=seeds)
def test_streaming_with_padding_equals_the_sequence_model(name: str, seed: int) -> None:
    model, (x, y, x_query) = backend(OnnxBackend, name), draw(name, seed)
    state = None
    for part in np.split(np.arange(10), np.sort(np.random.default_rng(seed).integers(0, 11, 3))):
        padded_x, padded_y = (np.concatenate([a[:, part], 9.0 * np.ones_like(a[:, :2])], 1) for a in (x, y))
        weight = np.concatenate([np.ones((2, len(part))), np.zeros((2, 2))], 1)
        state = model.observe(padded_x, padded_y, weight, state)
    assert state is not None
    expected = whole_sequence(name, x, y, x_query)
    assert_close(model.predict(state, x_query), expected, "prediction", rtol=FLOAT32)


@pytest.mark.slow
@every_trained_model
@given(seed=seeds)
def test_prediction_does_not_depend_on_other_queries(name: str, seed: int) -> None:
    model, (x, y, x_query) = backend(OnnxBackend, name), draw(name, seed)
    state = model.observe(x, y)
    together = model.predict(state, x_query)
    alone = np.concatenate([model.predict(state, x_query[:, m : m + 1]) for m in range(3)], axis=1)
    assert_close(alone, together, "prediction", rtol=FLOAT32)


@pytest.mark.parametrize("name", TRAINED)
def test_manifest_records_how_the_model_was_trained(name: str) -> None:
    training = backend(OnnxBackend, name).runtime.manifest.training
    assert training is not None
    assert training.config == json.loads(json.dumps(PRESETS[name].as_json()))
    assert training.metrics["loss"] > 0
    assert len(training.commit) == 40
