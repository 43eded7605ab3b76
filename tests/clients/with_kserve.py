"""What the inference client of kserve does with a running service: `python with_kserve.py URL KEY ADMIN_KEY`."""

import asyncio
import sys
from collections.abc import Callable, Coroutine
from functools import partial
from typing import TypeVar

import httpx
import numpy as np
from kserve import InferenceRESTClient, InferInput, InferRequest, InferResponse, RESTConfig
from kserve.protocol.infer_type import RequestedOutput
from reporting import report

URL, KEY, _ = sys.argv[1:]
HEADERS = {"Authorization": f"Bearer {KEY}"}

X = np.array([[[1.0, 2.0], [3.0, 1.0], [0.0, 1.0], [4.0, 0.0], [2.0, 5.0], [5.0, 3.0], [1.0, 4.0]]])
Y = X @ np.array([[2.0], [-1.0]])
X_QUERY = np.array([[[1.0, 1.0], [4.0, 0.0]]])
EXPECTED = X_QUERY @ np.array([[2.0], [-1.0]])


Result = TypeVar("Result")


def run(call: Callable[[InferenceRESTClient], Coroutine[object, object, Result]]) -> Result:
    async def go() -> Result:
        async with InferenceRESTClient(RESTConfig(protocol="v2", retries=0)) as client:
            return await call(client)

    return asyncio.run(go())


def tensor(name: str, array: np.ndarray, datatype: str = "FP64", *, binary: bool = True) -> InferInput:
    made = InferInput(name, list(array.shape), datatype)
    made.set_data_from_numpy(array, binary_data=binary)
    return made


def task(*, binary: bool = True) -> list[InferInput]:
    return [tensor(name, array, binary=binary) for name, array in (("x", X), ("y", Y), ("x_query", X_QUERY))]


def infer(
    inputs: list[InferInput], model: str = "linear", headers: dict[str, str] = HEADERS, **options: object
) -> InferResponse:
    request = InferRequest(model_name=model, infer_inputs=inputs, **options)
    return run(lambda client: client.infer(URL, request, model_name=model, headers=dict(headers)))


def prediction(answer: InferResponse) -> np.ndarray:
    found: np.ndarray = answer.get_output_by_name("prediction").as_numpy()
    return found


def assert_close(actual: np.ndarray, expected: np.ndarray) -> None:
    np.testing.assert_allclose(actual, expected, rtol=1e-3)  # linear is an average of ridge regressions, not a solution


def refused(call: Callable[[], object], status: int, text: str) -> None:
    """It must fail with the client's own exception, which carries the service's words."""
    try:
        call()
    except httpx.HTTPStatusError as error:
        refusal = error
    else:
        raise AssertionError(f"not refused with {status}")
    assert refusal.response.status_code == status, refusal
    assert text in str(refusal), refusal


def health() -> None:
    assert run(lambda client: client.is_server_live(URL)) is True
    assert run(lambda client: client.is_server_ready(URL)) is True
    assert run(lambda client: client.is_model_ready(URL, "linear", headers=HEADERS)) is True
    assert run(lambda client: client.is_model_ready(URL, "cubic", headers=HEADERS)) is False


def infer_in_json() -> None:
    answer = infer(task(binary=False), request_id="42")
    assert_close(prediction(answer), EXPECTED)
    assert (answer.id, answer.model_name) == ("42", "linear")
    assert {output.name for output in answer.outputs} >= {"prediction", "next.count"}


def infer_in_binary() -> None:
    answer = infer(task(), parameters={"binary_data_output": True})
    assert_close(prediction(answer), EXPECTED)


def infer_one_output_in_binary() -> None:
    answer = infer(task(), request_outputs=[RequestedOutput("prediction", {"binary_data": True})])
    assert [output.name for output in answer.outputs] == ["prediction"]
    assert_close(prediction(answer), EXPECTED)


def half_precision() -> None:
    half = [
        tensor(name, array.astype(np.float16), "FP16") for name, array in (("x", X), ("y", Y), ("x_query", X_QUERY))
    ]
    assert_close(prediction(infer(half)), EXPECTED)


def parameters() -> None:
    small, large = (prediction(infer(task(), "gd-1", parameters={"learning_rate": rate})) for rate in (0.25, 0.5))
    assert_close(large, 2 * small)


def state_goes_out_and_in() -> None:
    first = infer([tensor("x", X[:, :2]), tensor("y", Y[:, :2])])
    carried = [
        tensor(output.name.replace("next.", "state."), output.as_numpy())
        for output in first.outputs
        if output.name.startswith("next.")
    ]
    rest = [tensor("x", X[:, 2:]), tensor("y", Y[:, 2:]), tensor("x_query", X_QUERY)]
    assert_close(prediction(infer([*carried, *rest])), EXPECTED)


def errors() -> None:
    refused(lambda: infer(task(), "cubic"), 404, "There is no model 'cubic'")
    x, y, queries = task()
    for inputs, text in (
        ([x, tensor("y", Y[:, :2]), queries], "y: has N = 2, but x has 7"),
        ([tensor("x", np.ones((1, 7, 2), bool), "BOOL"), y, queries], "inputs[0].datatype"),
        ([x, queries], "x: needs y as well"),
        ([x, tensor("y", Y * np.nan, binary=True), queries], "y[0][0][0]: is NaN"),
    ):
        refused(partial(infer, inputs), 422, text)
    missing = [tensor("x", X * np.nan, binary=True), y, queries]
    refused(partial(infer, missing, "gd-1"), 422, "x[0][0][0]: is missing; model gd-1 takes no missing cells")
    wrong = InferInput("x", [1, 7, 2], "FP64", data=[1.0, 2.0])
    refused(lambda: infer([wrong, *task(binary=False)[1:]]), 422, "inputs[0].data: has 2 entries")
    refused(lambda: infer(task(), request_outputs=[RequestedOutput("answer")]), 422, "outputs[0].name: 'answer'")


def keys() -> None:
    refused(lambda: infer(task(), headers={}), 401, "key")


report(
    [
        health,
        infer_in_json,
        infer_in_binary,
        infer_one_output_in_binary,
        half_precision,
        parameters,
        state_goes_out_and_in,
        errors,
        keys,
    ]
)
