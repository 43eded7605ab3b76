"""Inference: whatever subset of a graph's tensors comes, batched or not, is answered as the graph would, or refused."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from numpy.typing import NDArray

from service.errors import InvalidInput, NumericOverflow
from service.inference.artifact import next_name
from service.inference.checks import Limits
from service.inference.runtime import Runtime
from service.inference.tensor_inference import infer
from service.registry.repository import Repository
from service.settings import Settings
from tests.closeness import assert_close
from tests.properties.cases import Case, cases

ZOO = Repository.load([Settings().zoo], threads=1)
MODELS = {runtime.manifest.name: runtime for runtime in reversed(ZOO.served())}  # the highest version of each
MODELS["linear-1.0.0"] = ZOO.get("linear", "1.0.0")
STREAMING = [name for name, runtime in MODELS.items() if runtime.manifest.streams]
SETS = [name for name, runtime in MODELS.items() if runtime.manifest.merge.rule != "none" or name == "softmax-8"]
"""Models that do not look at the order of their rows."""
LIMITS = Limits(max_columns=64, max_predictions=1000, max_observations=500)
B, N, M = 2, 7, 4
Tensors = dict[str, NDArray[Any]]


def tensors_for(runtime: Runtime, seed: int = 0) -> Tensors:
    """x, y, weight and x_query that fit a model."""
    generator, dims = np.random.default_rng(seed), runtime.manifest.dims
    inputs, outputs = (free if size == "any" else int(size) for size, free in ((dims["D"], 5), (dims["K"], 3)))
    y = generator.normal(size=(B, N, outputs))
    if runtime.manifest.task == "classification":
        y = np.eye(outputs)[y.argmax(axis=-1)]
    return {
        "x": generator.normal(size=(B, N, inputs)),
        "y": y,
        "weight": generator.uniform(0.5, 2.0, (B, N)),
        "x_query": generator.normal(size=(B, M, inputs)),
    }


def state_in(outputs: Mapping[str, NDArray[Any]], runtime: Runtime) -> Tensors:
    return {spec.name: outputs[next_name(spec.name)] for spec in runtime.manifest.state}


def part(tensors: Tensors, names: tuple[str, ...], span: slice) -> Tensors:
    return {name: tensors[name][:, span] for name in names}


@pytest.mark.parametrize("runtime", MODELS.values(), ids=MODELS)
def test_every_output_has_its_name_its_shape_and_the_precision_of_the_model(runtime: Runtime) -> None:
    tensors = tensors_for(runtime)
    outputs = infer(runtime, tensors, LIMITS)
    assert list(outputs) == [spec.name for spec in runtime.manifest.outputs]
    assert outputs["prediction"].shape == (B, M, tensors["y"].shape[2])
    assert {str(output.dtype) for output in outputs.values()} == {runtime.manifest.dtype}


@pytest.mark.parametrize("runtime", MODELS.values(), ids=MODELS)
def test_what_is_left_out_is_what_the_protocol_says(runtime: Runtime) -> None:
    tensors = tensors_for(runtime)
    del tensors["weight"]
    short = infer(runtime, tensors, LIMITS)
    state = {spec.name: np.zeros_like(short[next_name(spec.name)]) for spec in runtime.manifest.state}
    complete = infer(runtime, {**tensors, "weight": np.ones((B, N)), **state}, LIMITS)
    for name, output in short.items():
        np.testing.assert_array_equal(output, complete[name], name)


@pytest.mark.parametrize("name", STREAMING)
def test_a_state_that_goes_out_and_in_again_answers_as_one_shot(name: str) -> None:
    runtime, pair = MODELS[name], ("x", "y", "weight")
    tensors = tensors_for(runtime)
    state: Tensors = {}
    for span in (slice(0, 3), slice(3, 3), slice(3, 4), slice(4, N)):
        state = state_in(infer(runtime, {**part(tensors, pair, span), **state}, LIMITS), runtime)
    streamed = infer(runtime, {"x_query": tensors["x_query"], **state}, LIMITS)
    once = infer(runtime, tensors, LIMITS)
    assert_close(streamed["prediction"], once["prediction"], "prediction", rtol=_tolerance(runtime))
    for spec in runtime.manifest.state:
        assert_close(streamed[next_name(spec.name)], state[spec.name], spec.name)


@pytest.mark.parametrize("name", SETS)
def test_observations_of_weight_zero_are_padding_wherever_they_stand(name: str) -> None:
    runtime = MODELS[name]
    tensors = tensors_for(runtime)
    padded = {name: np.insert(tensors[name], [2, N], 9.0, axis=1) for name in ("x", "y")}
    padded["weight"] = np.insert(tensors["weight"], [2, N], 0.0, axis=1)
    padded["x_query"] = tensors["x_query"]
    expected = infer(runtime, tensors, LIMITS)["prediction"]
    assert_close(infer(runtime, padded, LIMITS)["prediction"], expected, "prediction", rtol=_tolerance(runtime))


@pytest.mark.parametrize("runtime", MODELS.values(), ids=MODELS)
def test_padding_at_the_end_changes_nothing(runtime: Runtime) -> None:
    tensors = tensors_for(runtime)
    padded = {name: np.pad(tensors[name], [(0, 0), (0, 3), (0, 0)], constant_values=9.0) for name in ("x", "y")}
    padded["weight"] = np.pad(tensors["weight"], [(0, 0), (0, 3)])
    padded["x_query"] = tensors["x_query"]
    expected = infer(runtime, tensors, LIMITS)["prediction"]
    assert_close(infer(runtime, padded, LIMITS)["prediction"], expected, "prediction", rtol=_tolerance(runtime))


@pytest.mark.parametrize("runtime", MODELS.values(), ids=MODELS)
def test_a_batch_is_answered_as_each_of_it_alone(runtime: Runtime) -> None:
    tensors = tensors_for(runtime)
    together = infer(runtime, tensors, LIMITS)
    for i in range(B):
        alone = infer(runtime, {name: array[i : i + 1] for name, array in tensors.items()}, LIMITS)
        for name, output in alone.items():
            assert_close(together[name][i : i + 1], output, name, rtol=_tolerance(runtime))


@given(case=cases())
def test_a_batch_of_any_size_is_answered_as_each_of_it_alone(case: Case) -> None:
    tensors = {"x": case.x, "y": case.y, "weight": case.weight, "x_query": case.x_query}
    together = infer(MODELS["gd-1"], tensors, LIMITS)["prediction"]
    for i in range(len(case.x)):
        alone = infer(MODELS["gd-1"], {name: array[i : i + 1] for name, array in tensors.items()}, LIMITS)
        assert_close(together[i : i + 1], alone["prediction"], "prediction", rtol=1e-8)


@pytest.mark.parametrize("dtype", ["float16", "float32", "int8", "int64", "uint16", ">f8"])
def test_numbers_of_every_kind_are_taken(dtype: str) -> None:
    tensors = {name: np.rint(array * 3).clip(0) for name, array in tensors_for(MODELS["gd-1"]).items()}
    expected = infer(MODELS["gd-1"], tensors, LIMITS)["prediction"]
    cast = {name: array.astype(dtype) for name, array in tensors.items()}
    np.testing.assert_array_equal(infer(MODELS["gd-1"], cast, LIMITS)["prediction"], expected)


@pytest.mark.parametrize("shape", [(), (1,)])
def test_a_parameter_is_a_tensor_of_one_number_or_a_parameter(shape: tuple[int, ...]) -> None:
    tensors, rate = tensors_for(MODELS["gd-1"]), np.full(shape, 0.25)
    as_tensor = infer(MODELS["gd-1"], {**tensors, "learning_rate": rate}, LIMITS)["prediction"]
    as_parameter = infer(MODELS["gd-1"], tensors, LIMITS, {"learning_rate": 0.25})["prediction"]
    np.testing.assert_array_equal(as_tensor, as_parameter)
    assert not np.allclose(as_tensor, infer(MODELS["gd-1"], tensors, LIMITS)["prediction"])


def changed(**changes: NDArray[Any] | None) -> Tensors:
    tensors = {**tensors_for(MODELS["gd-1"]), **changes}
    return {name: array for name, array in tensors.items() if array is not None}


def with_value(name: str, value: float) -> Tensors:
    tensors = tensors_for(MODELS["gd-1"])
    tensors[name][(-1,) * tensors[name].ndim] = value
    return tensors


STATE = {"state.count": np.zeros(B), "state.gated_sum": np.zeros((B, 8, 8))}
HUGE = 2**31 - 1
REFUSED = {
    "an unknown tensor": (changed(z=np.zeros(1)), "z", "is not an input of model gd-1; it takes state.count"),
    "booleans": (changed(weight=np.ones((B, N), bool)), "weight", "must hold numbers; this is bool"),
    "complex numbers": (changed(weight=np.ones((B, N), complex)), "weight", "must hold numbers"),
    "texts": (changed(weight=np.full((B, N), "1")), "weight", "must hold numbers"),
    "objects": (changed(weight=np.full((B, N), None)), "weight", "must hold numbers"),
    "NaN": (with_value("y", np.nan), "y[1][6][2]", "is NaN"),
    "a missing cell": (
        with_value("x", np.nan),
        "x[1][6][4]",
        "is missing; model gd-1 takes no missing cells (version 1.0.0)",
    ),
    "a missing cell of a query": (
        with_value("x_query", np.nan),
        "x_query[1][3][4]",
        "is missing; model gd-1 takes no missing cells",
    ),
    "infinity": (with_value("weight", np.inf), "weight[1][6]", "is infinite"),
    "too few axes": (changed(x=np.zeros((N, 5))), "x", "needs the shape (B, N, D); this has 2 axes"),
    "another N": (changed(y=np.zeros((B, N + 1, 3))), "y", "has N = 8, but x has 7"),
    "another B": (changed(x_query=np.zeros((B + 1, M, 5))), "x_query", "has B = 3, but x has 2"),
    "another D": (changed(x_query=np.zeros((B, M, 6))), "x_query", "has D = 6, but x has 5"),
    "x without y": (changed(y=None), "x", "needs y as well"),
    "y without x": (changed(x=None), "y", "needs x as well"),
    "weights alone": ({"weight": np.ones((1, N))}, "weight", "needs x, y as well"),
    "half a state": (changed(**{"state.count": np.zeros(B)}), "state.count", "needs state.gated_sum as well"),
    "queries alone": ({"x_query": np.zeros((1, M, 5))}, "state.gated_sum", "cannot be left out"),
    "nothing": ({}, "state.gated_sum", "cannot be left out"),
    "a state of other columns": (
        changed(**{"state.count": np.zeros(B), "state.gated_sum": np.zeros((B, 9, 9))}),
        "",
        "D + K = 9",
    ),
    "more columns than the state has": (
        {**STATE, "x_query": np.zeros((B, M, 11))},
        "",
        "K, the number of columns of y",
    ),
    "no columns": ({name: np.zeros((1, 1, 0)) for name in ("x", "y")}, "", "D, the number of columns of x, is 0"),
    "no contexts": ({name: np.zeros((0, 1, 2)) for name in ("x", "y")}, "", "B, the number of contexts, is 0"),
    "two learning rates": (changed(learning_rate=np.ones(2)), "learning_rate", "must be one number"),
    "a learning rate of 0": (changed(learning_rate=np.zeros(1)), "parameters.learning_rate", "must be greater than 0"),
    "a learning rate of NaN": (changed(learning_rate=np.full((), np.nan)), "learning_rate", "is NaN"),
    "more observations than there can be": (
        {name: np.zeros((1, HUGE, 0)) for name in ("x", "y")},
        "",
        f"has {HUGE} observations; a request has at most 500 (GDSSM_MAX_OBSERVATIONS)",
    ),
    "a batch of too many observations": (
        {name: np.zeros((6, 100, 2)) for name in ("x", "y")},
        "x",
        "has 600 observations",
    ),
    "a batch of too many empty contexts": (
        {name: np.zeros((HUGE, 0, 2)) for name in ("x", "y")},
        "state",
        "a request has at most 4096 (GDSSM_MAX_COLUMNS squared)",
    ),
    "too many columns": (
        {name: np.zeros((1, 1, 40)) for name in ("x", "y")},
        "x",
        "has 80 columns of x and y; a request has at most 64 (GDSSM_MAX_COLUMNS)",
    ),
    "too many predictions": (
        {"x": np.zeros((1, 1, 2)), "y": np.zeros((1, 1, 3)), "x_query": np.zeros((1, 334, 2))},
        "x_query",
        "has 1002 numbers in the prediction; a request has at most 1000 (GDSSM_MAX_PREDICTIONS)",
    ),
}


@pytest.mark.parametrize(("tensors", "field", "words"), REFUSED.values(), ids=REFUSED)
def test_what_does_not_fit_is_refused_by_name(tensors: Tensors, field: str, words: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        infer(MODELS["gd-1"], tensors, LIMITS)
    assert field in [problem.field for problem in refusal.value.problems]
    assert words in str(refusal.value)


def sized(batch: int, observations: int, queries: int, columns: int = 2) -> Tensors:
    """Zeros for gd-1: as many columns of x as of y."""
    pair = {name: np.zeros((batch, observations, columns)) for name in ("x", "y")}
    return {**pair, "x_query": np.zeros((batch, queries, columns))}


AT_THE_LIMIT = {
    "observations": ("gd-1", sized(5, 100, 1), sized(3, 167, 1), "GDSSM_MAX_OBSERVATIONS"),
    "predictions": ("gd-1", sized(5, 1, 100), sized(1, 1, 501), "GDSSM_MAX_PREDICTIONS"),
    "columns": ("gd-1", sized(1, 1, 1, columns=32), sized(1, 1, 1, columns=33), "GDSSM_MAX_COLUMNS"),
    "a state": ("gd-1", sized(64, 0, 0, columns=4), sized(65, 0, 0, columns=4), "GDSSM_MAX_COLUMNS squared"),
    "no state": ("softmax-8", sized(64, 1, 1, columns=4), sized(65, 1, 1, columns=4), "GDSSM_MAX_COLUMNS squared"),
}
"""The largest request that a limit allows, the next larger, and the setting."""


@pytest.mark.parametrize(("name", "largest", "larger", "setting"), AT_THE_LIMIT.values(), ids=AT_THE_LIMIT)
def test_a_limit_is_the_largest_request_that_is_taken(
    name: str, largest: Tensors, larger: Tensors, setting: str
) -> None:
    infer(MODELS[name], largest, LIMITS)
    with pytest.raises(InvalidInput, match=rf"a request has at most \d+ \({setting}\)\. Send fewer\."):
        infer(MODELS[name], larger, LIMITS)


@pytest.mark.parametrize("runtime", MODELS.values(), ids=MODELS)
def test_a_batch_of_too_many_empty_contexts_is_refused_by_every_model(runtime: Runtime) -> None:
    tensors = {name: np.zeros((HUGE, 0, tensors_for(runtime)[name].shape[2])) for name in ("x", "y")}
    with pytest.raises(InvalidInput, match="numbers in the states; a request has at most 4096"):
        infer(runtime, tensors, LIMITS)


def test_an_unknown_parameter_is_refused() -> None:
    with pytest.raises(InvalidInput, match=r"parameters\.timeout: is not a parameter of model gd-1"):
        infer(MODELS["gd-1"], tensors_for(MODELS["gd-1"]), LIMITS, {"timeout": 3})


def test_only_the_first_few_bad_numbers_are_named() -> None:
    tensors = changed(x=np.full((B, N, 5), np.nan))
    with pytest.raises(InvalidInput) as refusal:
        infer(MODELS["gd-1"], tensors, LIMITS)
    assert [problem.field for problem in refusal.value.problems] == [f"x[0][0][{i}]" for i in range(5)]


def test_a_number_that_the_precision_of_the_model_cannot_hold_is_refused() -> None:
    tensors = tensors_for(MODELS["sine-trained"])
    tensors["x"][1, 2, 0] = 1e300
    with pytest.raises(InvalidInput, match=r"x\[1\]\[2\]\[0\]: is infinite, or too large for float32"):
        infer(MODELS["sine-trained"], tensors, LIMITS)


@pytest.mark.parametrize("name", ["gd-1", "linear", "linear-1.0.0", "nonlinear", "classifier", "sine-trained"])
def test_an_answer_beyond_floating_point_is_refused_as_such(name: str) -> None:
    tensors = tensors_for(MODELS[name])
    tensors["x"] *= np.sqrt(np.finfo(MODELS[name].manifest.dtype).max)
    with pytest.raises(NumericOverflow, match="smaller scale"):
        infer(MODELS[name], tensors, LIMITS)


def _tolerance(runtime: Runtime) -> float:
    return 1e-8 if runtime.manifest.dtype == "float64" else 1e-4
