import shutil
from pathlib import Path

import pytest

from service.settings import Settings
from tests.service.in_process import InProcess, in_process


def test_a_loaded_service_is_live_and_ready(client: InProcess) -> None:
    assert client.get("/health/live").json() == {"status": "live"}
    assert client.get("/health/ready").json() == {"status": "ready"}


@pytest.mark.parametrize("model", [None, "gd-1.onnx"])
def test_without_the_default_model_the_service_is_live_but_not_ready(tmp_path: Path, model: str | None) -> None:
    if model:
        shutil.copy(Settings().zoo / model, tmp_path)
    with in_process(Settings(zoo=tmp_path)) as client:
        assert client.get("/health/live").status_code == 200
        ready = client.get("/health/ready")
        predicted = client.predict({"context": {"x": [[1]], "y": [1]}, "query": [[1]]})
    for answer in (ready, predicted):
        assert answer.status_code == 503
        assert answer.json()["error_type"] == "not_ready"
    assert "'nonlinear' is not loaded" in ready.json()["error"]
