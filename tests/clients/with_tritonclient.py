"""What tritonclient[http] does with a running service: `python with_tritonclient.py URL KEY ADMIN_KEY`."""

import sys
from collections.abc import Callable
from functools import partial

import numpy as np
import tritonclient.http as triton
from reporting import report
from tritonclient.utils import InferenceServerException

URL, KEY, ADMIN_KEY = sys.argv[1:]
CLIENT = triton.InferenceServerClient(URL.removeprefix("http://"))
HEADERS = {"Authorization": f"Bearer {KEY}"}
ADMIN = {"Authorization": f"Bearer {ADMIN_KEY}"}

X = np.array([[[1.0, 2.0], [3.0, 1.0], [0.0, 1.0], [4.0, 0.0], [2.0, 5.0], [5.0, 3.0], [1.0, 4.0]]])
Y = X @ np.array([[2.0], [-1.0]])
X_QUERY = np.array([[[1.0, 1.0], [4.0, 0.0]]])
EXPECTED = X_QUERY @ np.array([[2.0], [-1.0]])


def tensor(name: str, array: np.ndarray, datatype: str = "FP64", *, binary: bool = True) -> triton.InferInput:
    return triton.InferInput(name, list(array.shape), datatype).set_data_from_numpy(array, binary_data=binary)


def infer(
    model: str = "linear",
    *,
    binary: bool = True,
    outputs: list[triton.InferRequestedOutput] | None = None,
    **options: object,
) -> triton.InferResult:
    inputs = [tensor(name, array, binary=binary) for name, array in (("x", X), ("y", Y), ("x_query", X_QUERY))]
    return CLIENT.infer(model, inputs, outputs=outputs, headers=dict(HEADERS), **options)


def assert_close(actual: np.ndarray, expected: np.ndarray) -> None:
    np.testing.assert_allclose(actual, expected, rtol=1e-3)  # linear is an average of ridge regressions, not a solution


def refused(call: Callable[[], object], status: int, text: str) -> None:
    """It must fail with the client's own exception, which carries the service's words."""
    try:
        call()
    except InferenceServerException as error:
        refusal = error
    else:
        raise AssertionError(f"not refused with {status}")
    assert refusal.status() == str(status), refusal
    assert text in refusal.message(), refusal


def health() -> None:
    assert CLIENT.is_server_live()
    assert CLIENT.is_server_ready()
    assert CLIENT.is_model_ready("linear", headers=HEADERS)
    assert CLIENT.is_model_ready("linear", "1.0.0", headers=HEADERS)
    assert CLIENT.is_model_ready("linear", "2.0.0", headers=HEADERS)
    assert not CLIENT.is_model_ready("cubic", headers=HEADERS)
    assert not CLIENT.is_model_ready("linear", "9.9.9", headers=HEADERS)


def metadata() -> None:
    server = CLIENT.get_server_metadata(headers=HEADERS)
    assert server["name"] == "gdssm"
    assert {"binary_tensor_data", "parameters", "model_repository"} <= set(server["extensions"])
    for version in ("", "1.0.0"):
        model = CLIENT.get_model_metadata("linear-trained", version, headers=HEADERS)
        assert model["versions"] == ["1.0.0"]
        shapes = {tensor["name"]: (tensor["datatype"], tensor["shape"]) for tensor in model["inputs"]}
        assert shapes["x"] == ("FP32", [-1, -1, 10])
        assert {tensor["name"] for tensor in model["outputs"]} >= {"prediction", "next.count"}


def infer_in_json() -> None:
    outputs = [triton.InferRequestedOutput("prediction", binary_data=False)]
    answer = infer(binary=False, outputs=outputs, request_id="42", model_version="1.0.0")
    assert_close(answer.as_numpy("prediction"), EXPECTED)
    response = answer.get_response()
    assert [response[field] for field in ("id", "model_name", "model_version")] == ["42", "linear", "1.0.0"]
    assert [output["name"] for output in response["outputs"]] == ["prediction"]


def infer_in_binary() -> None:
    answer = infer()
    assert_close(answer.as_numpy("prediction"), EXPECTED)
    assert answer.as_numpy("next.count") == 7
    assert all("data" not in output for output in answer.get_response()["outputs"])


def infer_in_both() -> None:
    outputs = [triton.InferRequestedOutput("next.count", binary_data=False), triton.InferRequestedOutput("prediction")]
    inputs = [tensor("x", X), tensor("y", Y, binary=False), tensor("x_query", X_QUERY)]
    answer = CLIENT.infer("linear", inputs, outputs=outputs, headers=dict(HEADERS))
    assert_close(answer.as_numpy("prediction"), EXPECTED)
    assert [list(output) for output in answer.get_response()["outputs"]] == [
        ["name", "datatype", "shape", "data"],
        ["name", "datatype", "shape", "parameters"],
    ]


def infer_without_waiting() -> None:
    inputs = [tensor("x", X), tensor("y", Y), tensor("x_query", X_QUERY)]
    answers = [CLIENT.async_infer("linear", inputs, headers=dict(HEADERS)) for _ in range(3)]
    for answer in answers:
        assert_close(answer.get_result().as_numpy("prediction"), EXPECTED)


def state_goes_out_and_in() -> None:
    first = CLIENT.infer("linear", [tensor("x", X[:, :2]), tensor("y", Y[:, :2])], headers=dict(HEADERS))
    states = [output["name"] for output in first.get_response()["outputs"] if output["name"].startswith("next.")]
    carried = [tensor(name.replace("next.", "state."), first.as_numpy(name)) for name in states]
    inputs = [*carried, tensor("x", X[:, 2:]), tensor("y", Y[:, 2:]), tensor("x_query", X_QUERY)]
    second = CLIENT.infer("linear", inputs, headers=dict(HEADERS))
    assert_close(second.as_numpy("prediction"), EXPECTED)


def numbers_of_every_kind() -> None:
    for datatype, dtype in (("FP16", np.float16), ("FP32", np.float32), ("INT64", np.int64), ("UINT8", np.uint8)):
        inputs = [
            tensor("x", X.astype(dtype), datatype),
            tensor("y", Y),
            tensor("x_query", X_QUERY.astype(dtype), datatype),
        ]
        answer = CLIENT.infer("linear", inputs, headers=dict(HEADERS))
        assert_close(answer.as_numpy("prediction"), EXPECTED)


def parameters() -> None:
    small = infer("gd-1", parameters={"learning_rate": 1}).as_numpy("prediction")
    large = infer("gd-1", parameters={"learning_rate": 2}).as_numpy("prediction")
    assert_close(large, 2 * small)
    rate = tensor("learning_rate", np.array([2.0]))
    inputs = [tensor("x", X), tensor("y", Y), tensor("x_query", X_QUERY), rate]
    assert_close(CLIENT.infer("gd-1", inputs, headers=dict(HEADERS)).as_numpy("prediction"), large)


def errors() -> None:
    flag = tensor("x", np.ones((1, 7, 2), bool), "BOOL")
    queries = tensor("x_query", X_QUERY)
    refused(lambda: infer("cubic"), 404, "There is no model 'cubic'")
    refused(lambda: infer(model_version="9.9.9"), 404, "version '9.9.9'")
    refused(lambda: CLIENT.get_model_metadata("cubic", headers=HEADERS), 404, "There is no model 'cubic'")
    for inputs, text in (
        ([tensor("x", X), tensor("y", Y[:, :2]), queries], "y: has N = 2, but x has 7"),
        ([tensor("x", X[0]), tensor("y", Y), queries], "x: needs the shape (B, N, D)"),
        ([flag, tensor("y", Y), queries], "inputs[0].datatype"),
        ([tensor("x", X), queries], "x: needs y as well"),
        ([queries], "cannot be left out"),
        ([tensor("x", X), tensor("y", Y * np.nan), queries], "y[0][0][0]: is NaN"),
    ):
        refused(partial(CLIENT.infer, "linear", inputs, headers=dict(HEADERS)), 422, text)
    missing = [tensor("x", X * np.nan), tensor("y", Y), queries]
    refused(
        partial(CLIENT.infer, "gd-1", missing, headers=dict(HEADERS)),
        422,
        "x[0][0][0]: is missing; model gd-1 takes no missing cells",
    )
    refused(lambda: infer(outputs=[triton.InferRequestedOutput("answer")]), 422, "outputs[0].name: 'answer'")
    refused(lambda: infer(request_compression_algorithm="gzip"), 415, "must not be compressed")


def what_is_not_offered() -> None:
    refused(lambda: CLIENT.get_model_config("linear", headers=HEADERS), 404, "nothing at this address")
    refused(lambda: CLIENT.get_inference_statistics("linear", headers=HEADERS), 404, "nothing at this address")


def keys() -> None:
    refused(CLIENT.get_server_metadata, 401, "key")
    refused(lambda: CLIENT.get_model_repository_index(headers=HEADERS), 403, "admin")
    refused(lambda: CLIENT.unload_model("gd-8", headers=HEADERS), 403, "admin")


def repository() -> None:
    def state() -> str:
        found: str = {m["name"]: m["state"] for m in CLIENT.get_model_repository_index(headers=ADMIN)}["gd-8"]
        return found

    assert state() == "READY"
    CLIENT.unload_model("gd-8", headers=ADMIN)
    assert state() == "UNAVAILABLE"
    assert not CLIENT.is_model_ready("gd-8", headers=HEADERS)
    refused(lambda: infer("gd-8"), 404, "There is no model 'gd-8'")
    CLIENT.load_model("gd-8", headers=ADMIN)
    assert CLIENT.is_model_ready("gd-8", headers=HEADERS)
    refused(lambda: CLIENT.load_model("cubic", headers=ADMIN), 404, "There is no model 'cubic'")
    refused(lambda: CLIENT.load_model("gd-8", headers=ADMIN, config="{}"), 422, "parameters.config")


report(
    [
        health,
        metadata,
        infer_in_json,
        infer_in_binary,
        infer_in_both,
        infer_without_waiting,
        state_goes_out_and_in,
        numbers_of_every_kind,
        parameters,
        errors,
        what_is_not_offered,
        keys,
        repository,
    ]
)
CLIENT.close()
