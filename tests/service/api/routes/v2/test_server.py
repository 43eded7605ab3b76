from importlib.metadata import version

import pytest

from service.settings import Settings
from tests.service.in_process import InProcess, in_process


def test_server_metadata(client: InProcess) -> None:
    assert client.get("/v2").json() == {
        "name": "gdssm",
        "version": version("gdssm"),
        "extensions": [
            "binary_tensor_data",
            "parameters",
            "model_repository",
            "model_repository(unload_dependents)",
        ],
    }


@pytest.mark.parametrize("what", ["live", "ready"])
def test_a_server_that_runs_is_healthy(client: InProcess, what: str) -> None:
    answer = client.get(f"/v2/health/{what}")
    assert (answer.status_code, answer.json()) == (200, {what: True})


@pytest.mark.slow
def test_a_server_without_its_default_model_is_live_and_not_ready() -> None:
    with in_process(Settings(default_model="cubic")) as client:
        assert client.get("/v2/health/live").status_code == 200
        answer = client.get("/v2/health/ready")
        assert (answer.status_code, answer.json()["error_type"]) == (503, "not_ready")
        assert "'cubic' is not loaded" in answer.json()["error"]
