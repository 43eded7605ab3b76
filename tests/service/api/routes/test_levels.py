"""Columns of x that are levels of categories, in requests for a prediction and in tensors of the protocol."""

import json

import numpy as np
import pytest

from gdssm_client import Client, array_body, tensor_body
from service.inference.predictor import Observations, Predictor
from service.levels import Levels
from tests.closeness import assert_close
from tests.service.in_process import InProcess
from tests.service.test_levels import LEVELS, context

CONTEXT, QUERY = context(31)
MODELS = pytest.mark.parametrize("model", ["linear", "nonlinear"])


def tensors(columns: int, rows: slice = slice(None)) -> dict[str, np.ndarray]:
    return {"x": CONTEXT.x[None, rows, :columns], "y": CONTEXT.y[None, rows]}


@MODELS
def test_prediction_with_levels_is_that_of_the_predictor(client: InProcess, predictor: Predictor, model: str) -> None:
    expected = predictor.predict(model, CONTEXT, QUERY)
    observations = {"x": CONTEXT.x.tolist(), "y": CONTEXT.y.tolist(), "levels": [*LEVELS]}
    answer = client.predict({"model": model, "context": observations, "query": QUERY.tolist()}).json()
    assert answer["prediction"] == expected.prediction.tolist()
    body = array_body.write({"x": CONTEXT.x, "y": CONTEXT.y, "query": QUERY}, model=model, levels=json.dumps([*LEVELS]))
    answer = client.request("POST", "/v1/predict", content=body, headers=array_body.SEND).json()
    assert answer["prediction"] == expected.prediction.tolist()
    if model == "nonlinear":
        without = predictor.predict(model, Observations(CONTEXT.x, CONTEXT.y), QUERY)
        assert np.abs(without.prediction - expected.prediction).max() > 1e-3


@pytest.mark.slow
@MODELS
def test_levels_of_tensors_and_new_levels_of_a_state(predictor: Predictor, model: str) -> None:
    """The last level, a new one, is 0 in the first rows."""
    first = CONTEXT.x[:, 6] == 0
    order = np.concatenate([np.flatnonzero(first), np.flatnonzero(~first)])
    observations = CONTEXT._replace(x=CONTEXT.x[order], y=CONTEXT.y[order])
    expected = predictor.predict(model, observations, QUERY).prediction
    with Client() as client:
        whole = {"x": observations.x[None], "y": observations.y[None], "x_query": QUERY[None]}
        assert_close(client.infer(model, whole, levels=LEVELS)["prediction"][0], expected, "prediction", rtol=1e-9)
        rows = first.sum()
        part = {"x": observations.x[None, :rows, :6], "y": observations.y[None, :rows]}
        outputs = client.infer(model, part, levels=LEVELS[:-1])
        state = {name.replace("next.", "state."): array for name, array in outputs.items() if name.startswith("next.")}
        rest = {"x": observations.x[None, rows:], "y": observations.y[None, rows:], "x_query": QUERY[None]}
        later = client.infer(model, {**state, **rest}, levels=LEVELS)["prediction"][0]
        assert_close(later, expected, "prediction", rtol=1e-7)


@pytest.mark.parametrize(
    ("levels", "message"),
    [
        ([7], "must be different columns of x, from 0 to 6; these are (7,)."),
        ([-1], "must be different columns of x, from 0 to 6; these are (-1,)."),
        ([1, 1], "must be different columns of x, from 0 to 6; these are (1, 1)."),
        ("1", None),
        ([1.5], None),
        ([True], None),
        ([[1]], None),
    ],
)
def test_impossible_levels_are_refused_by_name(client: InProcess, levels: object, message: str | None) -> None:
    observations = {"x": CONTEXT.x.tolist(), "y": CONTEXT.y.tolist(), "levels": levels}
    answer = client.predict({"model": "linear", "context": observations, "query": QUERY.tolist()})
    assert answer.status_code == 422
    (problem,) = answer.json()["detail"]
    assert problem["field"].startswith("context.levels")
    assert message in {None, problem["message"]}
    sent = [{"name": name, "shape": x.shape, "datatype": "FP64", "data": x.tolist()} for name, x in tensors(7).items()]
    body = {"inputs": sent, "parameters": {"levels": levels}}
    answer = client.request("POST", "/v2/models/linear/infer", json=body)
    assert answer.status_code == 422
    assert answer.json()["error"].startswith("parameters.levels: must be ")
    assert message is None or message in answer.json()["error"]


def test_models_of_numbers_refuse_levels(client: InProcess) -> None:
    observations = {"x": CONTEXT.x.tolist(), "y": CONTEXT.y.tolist(), "levels": [1]}
    answer = client.predict({"model": "gd-8", "context": observations, "query": QUERY.tolist()})
    assert answer.json()["error_type"] == "unsupported_by_model"
    body, headers = tensor_body.write(tensors(7), levels=[1])
    answer = client.request("POST", "/v2/models/gd-8/infer", content=body, headers=headers)
    assert answer.status_code == 422
    assert "parameters.levels: are not supported by model gd-8" in answer.text


@pytest.mark.slow
@pytest.mark.parametrize("levels", [(6,), LEVELS])
@pytest.mark.parametrize(
    ("name", "shape"),
    [("state.comoment", (1, 3, 3)), ("state.mean", (1, 5)), ("state.present", (1, 2)), ("state.mean", (1,))],
)
def test_states_that_do_not_fit_are_refused(
    client: InProcess, levels: Levels, name: str, shape: tuple[int, ...]
) -> None:
    with Client() as own:
        outputs = own.infer("linear", tensors(6), levels=LEVELS[:-1])
    state = {key.replace("next.", "state."): array for key, array in outputs.items() if key.startswith("next.")}
    body, headers = tensor_body.write({**state, **tensors(7), name: np.zeros(shape)}, levels)
    answer = client.request("POST", "/v2/models/linear/infer", content=body, headers=headers)
    assert answer.status_code == 422, answer.text


def test_metadata_of_levels_is_json(client: InProcess) -> None:
    body = array_body.write({"x": CONTEXT.x, "y": CONTEXT.y, "query": QUERY}, levels="1,2")
    answer = client.request("POST", "/v1/predict", content=body, headers=array_body.SEND)
    assert "context.levels: must be the JSON of column numbers, such as [3, 4]; this is '1,2'." in answer.text
