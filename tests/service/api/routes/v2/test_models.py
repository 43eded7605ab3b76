import pytest

from tests.service.in_process import InProcess


@pytest.mark.parametrize("address", ["/v2/models/gd-1", "/v2/models/gd-1/versions/1.0.0"])
def test_a_model_shows_its_tensors_with_free_axes(client: InProcess, address: str) -> None:
    found = client.get(address).json()
    assert (found["name"], found["versions"], found["platform"]) == ("gd-1", ["1.0.0"], "onnxruntime")
    assert {tensor["name"]: (tensor["datatype"], tensor["shape"]) for tensor in found["inputs"]} == {
        "state.count": ("FP64", [-1]),
        "state.gated_sum": ("FP64", [-1, -1, -1]),
        "x": ("FP64", [-1, -1, -1]),
        "y": ("FP64", [-1, -1, -1]),
        "weight": ("FP64", [-1, -1]),
        "x_query": ("FP64", [-1, -1, -1]),
        "learning_rate": ("FP64", [1]),
    }
    assert [tensor["name"] for tensor in found["outputs"]] == ["prediction", "next.count", "next.gated_sum"]


def test_an_axis_that_the_model_fixes_is_a_number(client: InProcess) -> None:
    inputs = {tensor["name"]: tensor for tensor in client.get("/v2/models/linear-trained").json()["inputs"]}
    assert inputs["x"] == {"name": "x", "datatype": "FP32", "shape": [-1, -1, 10]}
    assert inputs["state.gated_sum"]["shape"] == [-1, 11, 11]


@pytest.mark.parametrize("address", ["/v2/models/gd-1/ready", "/v2/models/gd-1/versions/1.0.0/ready"])
def test_a_served_model_is_ready(client: InProcess, address: str) -> None:
    answer = client.get(address)
    assert (answer.status_code, answer.json()) == (200, {"name": "gd-1", "ready": True})


@pytest.mark.parametrize("end", ["", "/ready"])
@pytest.mark.parametrize(("model", "named"), [("cubic", "'cubic'"), ("gd-1/versions/9.9.9", "'9.9.9'")])
def test_model_that_is_not_served_is_404(client: InProcess, model: str, named: str, end: str) -> None:
    answer = client.get(f"/v2/models/{model}{end}")
    assert (answer.status_code, answer.json()["error_type"]) == (404, "unknown_model")
    assert named in answer.json()["error"]


@pytest.mark.parametrize("what", ["config", "stats", "trace/setting"])
def test_unsupported_endpoint_is_404_with_the_error_body(client: InProcess, what: str) -> None:
    answer = client.get(f"/v2/models/gd-1/{what}")
    assert (answer.status_code, answer.json()["error_type"]) == (404, "not_found")
