from pathlib import Path

from service.artifact import Manifest
from service.settings import Settings
from tests.service.in_process import InProcess, in_process


def test_every_model_is_listed_with_what_a_chooser_needs(client: InProcess) -> None:
    listed = client.get("/v1/models").json()
    models = {model["name"]: model for model in listed["models"]}
    assert listed["default"] == "linear"
    assert listed["refused"] == []
    assert set(models) >= {"gd-1", "gd-8", "linear"}
    assert models["gd-1"]["gradient_steps"] == 1
    assert models["gd-1"]["dims"] == {"D": "any", "K": "any"}
    assert models["gd-1"]["origin"] == "constructed"
    assert [parameter["name"] for parameter in models["gd-8"]["parameters"]] == ["learning_rate"]
    assert all(model["summary"] and model["version"] and model["assumes"]["x"] for model in models.values())


def test_refused_files_are_listed_with_their_reasons(tmp_path: Path) -> None:
    (tmp_path / "noise.onnx").write_bytes(b"not a graph")
    with in_process(Settings(zoo=tmp_path)) as client:
        listed = client.get("/v1/models").json()
    assert listed["models"] == []
    assert [refused["file"] for refused in listed["refused"]] == ["noise.onnx"]
    assert "onnxruntime cannot load it" in listed["refused"][0]["reason"]


def test_a_model_shows_the_manifest_of_its_file(client: InProcess) -> None:
    shown = Manifest.model_validate(client.get("/v1/models/gd-8").json())
    assert shown == client.app.state.parts.predictor.repository.get("gd-8").manifest
