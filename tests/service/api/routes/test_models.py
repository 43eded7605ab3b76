import hashlib
import json
from pathlib import Path

import pytest

from service.inference.artifact import Manifest
from service.settings import Settings
from tests.service.forged import forged
from tests.service.in_process import InProcess, in_process


def test_models_are_listed_with_their_properties(client: InProcess) -> None:
    listed = client.get("/v1/models").json()
    models = {model["name"]: model for model in reversed(listed["models"])}
    versions = [model["version"] for model in listed["models"] if model["name"] == "linear"]
    assert listed["default"] == "nonlinear"
    assert listed["refused"] == []
    assert set(models) >= {"gd-1", "gd-8", "linear", "nonlinear"}
    assert versions == ["2.0.0", "1.0.0"]
    assert {name for name, model in models.items() if model["gives_scale"]} == {"linear", "nonlinear"}
    assert (models["linear"]["gradient_steps"], models["nonlinear"]["gradient_steps"]) == (0, 0)
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
    assert "it has no manifest" in listed["refused"][0]["reason"]


def test_a_model_shows_the_manifest_of_its_file(client: InProcess) -> None:
    shown = Manifest.model_validate(client.get("/v1/models/gd-8").json())
    assert shown == client.state.predictor.repository.get("gd-8").manifest.published()


@pytest.mark.slow
def test_every_version_is_listed_the_highest_first_and_shown_by_its_address(tmp_path: Path) -> None:
    for version in ("1.9.0", "1.10.0"):
        forged(tmp_path / f"{version}.onnx", version=version)
    with in_process(Settings(models=tmp_path)) as client:
        listed = [model for model in client.get("/v1/models").json()["models"] if model["name"] == "gd-1"]
        highest = client.get("/v1/models/gd-1").json()
        other = client.get("/v1/models/gd-1/versions/1.9.0").json()
        unknown = client.get("/v1/models/gd-1/versions/7.0.0")
    assert [model["version"] for model in listed] == ["1.10.0", "1.9.0", "1.0.0"]
    assert (highest["version"], other["version"]) == ("1.10.0", "1.9.0")
    assert listed[0]["sha256"] == highest["sha256"]
    assert unknown.status_code == 404
    assert "no version '7.0.0' of model 'gd-1'. Choose one of: 1.10.0, 1.9.0, 1.0.0." in unknown.json()["error"]


@pytest.mark.slow
def test_a_prediction_names_the_model_its_version_and_its_hash(tmp_path: Path) -> None:
    forged(tmp_path / "gd-1.onnx", version="2.0.0")
    body = {"model": "gd-1", "context": {"x": [[1]], "y": [2]}, "query": [[3]]}
    with in_process(Settings(models=tmp_path)) as client:
        shown = {version: client.get(f"/v1/models/gd-1/versions/{version}").json() for version in ("1.0.0", "2.0.0")}
        for version, sent in (("2.0.0", None), ("2.0.0", "2.0.0"), ("1.0.0", "1.0.0")):
            answered = client.predict({**body, "version": sent}).json()["model"]
            assert answered == {"name": "gd-1", "version": version, "sha256": shown[version]["sha256"]}
        assert client.predict({**body, "version": "3.0.0"}).status_code == 404


@pytest.mark.slow
def test_a_refused_file_of_the_second_directory_is_listed_too(tmp_path: Path) -> None:
    (tmp_path / "noise.onnx").write_bytes(b"not a graph")
    with in_process(Settings(models=tmp_path)) as client:
        listed = client.get("/v1/models").json()
    assert [refused["file"] for refused in listed["refused"]] == ["noise.onnx"]
    assert len(listed["models"]) >= 11


def test_an_explanation_comes_with_the_prediction_that_it_explains(client: InProcess) -> None:
    context = {"x": [[1], [2], [3]], "y": [3, 5, 7]}
    body = {"model": "linear", "context": context, "query": [[4], [5]], "explain": True}
    answer = client.predict({**body, "version": "1.0.0"}).json()
    weights, shares = answer["explanation"]["implicit_weights"], answer["explanation"]["contributions"]
    assert weights == {"weights": [pytest.approx(2)], "intercept": pytest.approx(1)}
    assert [sum(row) for row in shares] == pytest.approx(answer["prediction"])


def test_the_explanation_of_linear_is_of_queries_within_reach_and_adds_up_for_all(client: InProcess) -> None:
    context = {"x": [[1], [2], [3]], "y": [3, 5, 7]}
    body = {"model": "linear", "context": context, "query": [[1.5], [4]], "explain": True}
    answer = client.predict(body).json()
    weights, shares = answer["explanation"]["implicit_weights"], answer["explanation"]["contributions"]
    assert weights["weights"][0] * 2 + weights["intercept"] == pytest.approx(5)
    assert weights["weights"][0] * 1.5 + weights["intercept"] == pytest.approx(answer["prediction"][0])
    assert weights["weights"][0] * 4 + weights["intercept"] > answer["prediction"][1]
    assert [sum(row) for row in shares] == pytest.approx(answer["prediction"])


def test_explanation_has_requested_parts_only(client: InProcess) -> None:
    context = {"x": [[1], [2]], "y": [[3, 1], [5, 1]]}
    body = {"model": "linear", "version": "1.0.0", "context": context, "query": [[4]]}
    only = client.predict({**body, "explain": ["implicit_weights"]}).json()["explanation"]
    assert list(only) == ["implicit_weights"]
    assert only["implicit_weights"]["weights"] == [[pytest.approx(2), pytest.approx(0)]]
    assert "explanation" not in client.predict({**body, "explain": False}).json()


def test_model_without_explanation_is_422(client: InProcess) -> None:
    body = {"model": "gd-1", "context": {"x": [[1], [2]], "y": [3, 5]}, "query": [[4]], "explain": ["contributions"]}
    refused = client.predict(body)
    assert refused.status_code == 422
    assert refused.json()["error_type"] == "unsupported_by_model"
    assert refused.json()["detail"][0]["field"] == "explain"
    assert client.predict({**body, "parameters": {"learning_rate": 0.1}}).status_code == 200


def test_every_answer_has_the_hash_that_sha256sum_prints_of_the_file(client: InProcess) -> None:
    files = {hashlib.sha256(file.read_bytes()).hexdigest() for file in Settings().zoo.glob("*.onnx")}
    listed = {(model["name"], model["version"]): model["sha256"] for model in client.get("/v1/models").json()["models"]}
    assert set(listed.values()) == files
    linear = hashlib.sha256((Settings().zoo / "linear.onnx").read_bytes()).hexdigest()
    body = {"model": "linear", "context": {"x": [[1], [2], [3]], "y": [2, 4, 6]}, "query": [[4]]}
    context = client.request("POST", "/v1/contexts", json={"model": "linear", "observations": body["context"]}).json()
    asked = client.request("POST", f"/v1/contexts/{context['id']}/predictions", json={"query": [[4]]}).json()
    inputs = [{"name": "x_query", "shape": [1, 1, 1], "datatype": "FP64", "data": [4]}]
    inputs += [{"name": name, "shape": [1, 2, 1], "datatype": "FP64", "data": [1, 2]} for name in "xy"]
    binary = {"Accept": "application/vnd.safetensors"}
    evaluation = {"models": ["linear"], "tasks": 2, "curve": [1, 2], "observations": 2}
    answers = {
        "list": listed["linear", client.get("/v1/models/linear").json()["version"]],
        "manifest": client.get("/v1/models/linear").json()["sha256"],
        "prediction": client.predict(body).json()["model"]["sha256"],
        "context": asked["model"]["sha256"],
        "binary": texts_of(client.request("POST", "/v1/predict", json=body, headers=binary).content)["sha256"],
        "protocol": client.request("POST", "/v2/models/linear/infer", json={"inputs": inputs}).json()["parameters"][
            "sha256"
        ],
        "evaluation": client.request("POST", "/v1/evaluations", json=evaluation).json()["models"][0]["sha256"],
    }
    assert answers == dict.fromkeys(answers, linear)


def texts_of(content: bytes) -> dict[str, str]:
    found: dict[str, str] = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])["__metadata__"]
    return found
