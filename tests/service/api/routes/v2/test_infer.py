import json

import numpy as np
import pytest

from service.registry.repository import Repository
from tests.nonempty import nonempty
from tests.service.api.routes.v2.protocol import (
    BINARY_TENSORS,
    JSON_LENGTH_HEADER,
    TASK,
    X_QUERY,
    X,
    Y,
    binary_task,
    in_binary,
    in_json,
    infer,
    infer_binary,
    outputs_of,
    task,
)
from tests.service.in_process import InProcess


@pytest.fixture(scope="module")
def expected(repository: Repository) -> dict[str, np.ndarray]:
    return repository.get("gd-1").run(TASK)


def test_json_in_and_out(client: InProcess, expected: dict[str, np.ndarray]) -> None:
    answer = infer(client, task(id="42", outputs=[{"name": "prediction"}, {"name": "next.count"}]))
    assert answer.headers["content-type"] == "application/json"
    assert JSON_LENGTH_HEADER not in answer.headers
    body = answer.json()
    assert list(body) == ["id", "model_name", "model_version", "parameters", "outputs"]
    assert (body["id"], body["model_name"], body["model_version"]) == ("42", "gd-1", "1.0.0")
    found = outputs_of(answer)
    assert list(found) == ["prediction", "next.count"]
    np.testing.assert_array_equal(found["prediction"], expected["prediction"])


def test_without_a_choice_every_output_comes_and_without_an_id_none(
    client: InProcess, expected: dict[str, np.ndarray]
) -> None:
    answer = infer(client, task())
    assert "id" not in answer.json()
    found = outputs_of(answer)
    assert list(found) == list(expected)
    for name, array in expected.items():
        np.testing.assert_array_equal(found[name], array)


def test_binary_in_and_out(client: InProcess, expected: dict[str, np.ndarray]) -> None:
    answer = infer_binary(client, binary_task(parameters={"binary_data_output": True}))
    assert answer.headers["content-type"] == "application/octet-stream"
    assert b'"data"' not in answer.content
    for name, array in outputs_of(answer).items():
        np.testing.assert_array_equal(array, expected[name])


def test_every_input_and_output_chooses_for_itself(client: InProcess, expected: dict[str, np.ndarray]) -> None:
    outputs = [{"name": "next.gated_sum"}, {"name": "prediction", "parameters": {"binary_data": False}}]
    inputs = [in_binary("x", X), in_json("y", Y), in_binary("x_query", X_QUERY)]
    body = {"inputs": inputs, "outputs": outputs, "parameters": {"binary_data_output": True}}
    answer = infer_binary(client, body, X.tobytes() + X_QUERY.tobytes())
    head = json.loads(answer.content[: int(answer.headers[JSON_LENGTH_HEADER])])
    assert [set(output) for output in head["outputs"]] == [
        {"name", "datatype", "shape", "parameters"},
        {"name", "datatype", "shape", "data"},
    ]
    for name, array in outputs_of(answer).items():
        np.testing.assert_array_equal(array, expected[name])


def test_data_may_be_nested(client: InProcess, expected: dict[str, np.ndarray]) -> None:
    inputs = [{**in_json(name, array), "data": array.tolist()} for name, array in TASK.items()]
    np.testing.assert_array_equal(outputs_of(infer(client, {"inputs": inputs}))["prediction"], expected["prediction"])


def test_version_has_a_separate_address(client: InProcess) -> None:
    body = task(model_name="gd-1", model_version="1.0.0")
    answer = client.request("POST", "/v2/models/gd-1/versions/1.0.0/infer", json=body)
    assert answer.json()["outputs"] == infer(client, task()).json()["outputs"]
    assert client.request("POST", "/v2/models/gd-1/versions/1.0.1/infer", json=body).status_code == 404


@pytest.mark.parametrize("content_type", [None, "application/json", "application/octet-stream", "Application/JSON"])
def test_json_length_suffices_without_a_content_type(client: InProcess, content_type: str | None) -> None:
    content = json.dumps(binary_task()).encode()
    headers = {JSON_LENGTH_HEADER: str(len(content))} | ({"Content-Type": content_type} if content_type else {})
    answer = client.request("POST", "/v2/models/gd-1/infer", content=content + BINARY_TENSORS, headers=headers)
    assert answer.status_code == 200


def test_json_needs_no_content_type(client: InProcess) -> None:
    answer = client.request("POST", "/v2/models/gd-1/infer", content=json.dumps(task()))
    assert "content-type" not in answer.request.headers
    assert answer.status_code == 200


def test_the_length_of_a_json_without_more_may_be_announced(client: InProcess) -> None:
    assert infer_binary(client, task(), b"").status_code == 200


@pytest.mark.parametrize("datatype", ["FP16", "FP32", "FP64", "INT8", "INT64", "UINT16"])
def test_every_datatype_is_accepted_as_json_and_binary(client: InProcess, datatype: str) -> None:
    letter = {"FP": "f", "INT": "i", "UINT": "u"}[datatype.rstrip("0123456789")]
    dtype = f"<{letter}{int(datatype.lstrip('FPUINT')) // 8}"
    arrays = {name: np.abs(np.rint(array)).astype(dtype) for name, array in TASK.items()}
    in_text = infer(client, {"inputs": [in_json(name, array, datatype) for name, array in arrays.items()]})
    binary_tensors = b"".join(array.tobytes() for array in arrays.values())
    head = {"inputs": [in_binary(name, array, datatype) for name, array in arrays.items()]}
    assert outputs_of(in_text)["prediction"].any()
    assert in_text.json()["outputs"] == infer_binary(client, head, binary_tensors).json()["outputs"]


def test_a_model_of_single_precision_answers_in_it(client: InProcess) -> None:
    inputs = [
        in_json("x", np.ones((1, 3, 1))),
        in_json("y", np.ones((1, 3, 1))),
        in_json("x_query", np.ones((1, 1, 1))),
    ]
    answer = infer_binary(client, {"inputs": inputs, "parameters": {"binary_data_output": True}}, b"", "sine-trained")
    assert {array.dtype for array in outputs_of(answer).values()} == {np.dtype("<f4")}


def test_an_empty_tensor_needs_no_numbers(client: InProcess) -> None:
    empty = np.zeros((1, 0, 2))
    choices: list[list[object]] = [[], [[]]]
    for nested in nonempty(choices):
        inputs = [in_json("x", X), in_json("y", Y), {**in_json("x_query", empty), "data": nested}]
        assert outputs_of(infer(client, {"inputs": inputs}))["prediction"].shape == (1, 0, 1)
    inputs = [in_json("x", X), in_json("y", Y), in_binary("x_query", empty)]
    assert outputs_of(infer_binary(client, {"inputs": inputs}, b""))["prediction"].shape == (1, 0, 1)


def test_data_that_is_null_is_left_out(client: InProcess) -> None:
    head = {"inputs": [{**tensor, "data": None} for tensor in binary_task()["inputs"]], "outputs": None, "id": None}
    assert infer_binary(client, head).status_code == 200


@pytest.mark.parametrize("shape", [[], [1]])
def test_a_learning_rate_is_a_tensor_or_a_parameter(client: InProcess, shape: list[int]) -> None:
    rate = {"name": "learning_rate", "shape": shape, "datatype": "FP64", "data": [0.25]}
    as_tensor = outputs_of(infer(client, {"inputs": [*task()["inputs"], rate]}))
    as_parameter = outputs_of(infer(client, task(parameters={"learning_rate": 0.25})))
    np.testing.assert_array_equal(as_tensor["prediction"], as_parameter["prediction"])
    assert not np.allclose(as_tensor["prediction"], outputs_of(infer(client, task()))["prediction"])


def test_state_round_trip_is_exact(client: InProcess, expected: dict[str, np.ndarray]) -> None:
    binary = {"binary_data_output": True}
    first = outputs_of(infer_binary(client, {"inputs": [in_json("x", X), in_json("y", Y)], "parameters": binary}, b""))
    state = {name.replace("next.", "state."): array for name, array in first.items() if name.startswith("next.")}
    inputs = [in_binary(name, array) for name, array in state.items()]
    binary_tensors = b"".join(array.tobytes() for array in state.values())
    second = infer_binary(
        client, {"inputs": [*inputs, in_json("x_query", X_QUERY)], "parameters": binary}, binary_tensors
    )
    np.testing.assert_array_equal(outputs_of(second)["prediction"], expected["prediction"])


@pytest.mark.parametrize(
    "parameters",
    [
        {"priority": 1, "timeout": 1_000_000},
        {"priority": "high", "timeout": None},
        {"content_type": "np", "headers": {"ce-id": "7"}},
    ],
)
def test_parameters_of_other_servers_are_ignored(client: InProcess, parameters: dict[str, object]) -> None:
    alone = outputs_of(infer(client, task()))
    inputs = [{**sent, "parameters": {"content_type": "np"}} for sent in task()["inputs"]]
    outputs = [{"name": name, "parameters": {"content_type": "np"}} for name in alone]
    found = outputs_of(infer(client, task(parameters=parameters, inputs=inputs, outputs=outputs)))
    assert {name: array.tolist() for name, array in found.items()} == {n: a.tolist() for n, a in alone.items()}


def test_numbers_up_to_the_largest_of_their_datatype_are_taken(client: InProcess) -> None:
    for datatype, largest in (("FP16", 65504.0), ("FP32", 3.4e38)):
        inputs = [in_json("x", X * 0, datatype), in_json("y", Y, datatype), in_json("x_query", X_QUERY * 0, datatype)]
        inputs[0]["data"][0] = largest
        answer = infer(client, {"inputs": inputs}, "gd-1")
        assert answer.status_code == 200 or answer.json()["error_type"] == "numeric_overflow"


@pytest.mark.parametrize(("datatype", "largest"), [("INT64", 2**63 - 1), ("UINT64", 2**64 - 1)])
def test_the_largest_integers_are_accepted(client: InProcess, datatype: str, largest: int) -> None:
    body = task()
    body["inputs"][2].update(datatype=datatype, data=[1, 2, largest, 4])
    assert infer(client, body).status_code == 200
