import shutil
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from service.settings import Settings
from tests.service.api.routes.v2.protocol import infer, task
from tests.service.in_process import InProcess, in_process

CALLS = ["index", "models/gd-8/load", "models/gd-8/unload"]


@pytest.fixture
def own(tmp_path: Path) -> Iterator[InProcess]:
    for name in ("linear", "gd-1", "gd-8"):
        shutil.copy(Settings().zoo / f"{name}.onnx", tmp_path)
    (tmp_path / "broken.onnx").write_bytes(b"not a model")
    with in_process(Settings(zoo=tmp_path)) as client:
        yield client


def call(client: InProcess, what: str, content: str = "", **options: object) -> httpx.Response:
    """Send a request like tritonclient: without a content type, and the index without a body."""
    return client.request("POST", f"/v2/repository/{what}", content=content, **options)


def states(own: InProcess, content: str = "") -> dict[str, str]:
    return {entry["name"]: entry["state"] for entry in call(own, "index", content).json()}


def test_the_index_lists_models_and_refused_files_with_their_reason(own: InProcess) -> None:
    found = call(own, "index").json()
    assert found[1] == {"name": "gd-8", "version": "1.0.0", "state": "READY", "reason": ""}
    assert [entry["name"] for entry in found] == ["gd-1", "gd-8", "linear", "broken"]
    assert found[3]["state"] == "UNAVAILABLE"
    assert found[3]["reason"].startswith("broken.onnx: ")


def test_the_index_may_list_only_what_is_ready(own: InProcess) -> None:
    assert "broken" not in states(own, '{"ready": true}')
    assert "broken" in states(own, '{"ready": false}')


def test_unloaded_model_is_not_served_until_loaded_again(own: InProcess) -> None:
    unloaded = call(own, "models/gd-1/unload", '{"parameters": {"unload_dependents": false}}')
    assert (unloaded.status_code, unloaded.json()) == (200, {})
    assert states(own)["gd-1"] == "UNAVAILABLE"
    assert infer(own, task()).status_code == 404
    assert own.get("/v2/models/gd-1/ready").status_code == 404
    loaded = call(own, "models/gd-1/load", "{}")
    assert (loaded.status_code, loaded.json()) == (200, {})
    assert states(own)["gd-1"] == "READY"
    assert infer(own, task()).status_code == 200


def test_one_version_is_loaded_and_unloaded_by_its_number(own: InProcess) -> None:
    assert call(own, "models/gd-1/unload", '{"parameters": {"version": "2.0.0"}}').status_code == 404
    assert call(own, "models/gd-1/unload", '{"parameters": {"version": "1.0.0"}}').status_code == 200
    assert states(own)["gd-1"] == "UNAVAILABLE"


@pytest.mark.parametrize("what", ["load", "unload"])
def test_an_unknown_model_is_404(own: InProcess, what: str) -> None:
    answer = call(own, f"models/cubic/{what}")
    assert (answer.status_code, answer.json()["error_type"]) == (404, "unknown_model")


def test_configuration_and_file_are_refused(own: InProcess) -> None:
    for parameters in ('{"config": "{}"}', '{"file:1/model.onnx": "AAAA"}'):
        answer = call(own, "models/gd-1/load", f'{{"parameters": {parameters}}}')
        assert (answer.status_code, answer.json()["error_type"]) == (422, "invalid_input")


@pytest.mark.parametrize("what", CALLS)
@pytest.mark.parametrize("content", ["[]", "{", '{"ready": "yes"}', '{"ready": 1, "parameters": 1}'])
def test_invalid_repository_request_is_refused(client: InProcess, what: str, content: str) -> None:
    assert call(client, what, content).status_code in {400, 422}
