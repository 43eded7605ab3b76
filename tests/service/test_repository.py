import shutil
from pathlib import Path

import pytest

from service.errors import NotReady, UnknownModel
from service.repository import Repository
from service.settings import Settings

ZOO = Settings().zoo


def test_the_shipped_models_load() -> None:
    repository = Repository.load(ZOO, threads=1)
    assert set(repository.models) >= {"gd-1", "gd-8", "linear"}
    assert repository.refused == {}
    assert repository.get("linear").manifest.name == "linear"


def test_a_broken_file_is_refused_with_its_reason_and_the_others_are_served(tmp_path: Path) -> None:
    shutil.copy(ZOO / "gd-1.onnx", tmp_path)
    (tmp_path / "noise.onnx").write_bytes(b"not a graph")
    (tmp_path / "cut.onnx").write_bytes((ZOO / "linear.onnx").read_bytes()[:-100])
    repository = Repository.load(tmp_path, threads=1)
    assert list(repository.models) == ["gd-1"]
    assert set(repository.refused) == {"noise.onnx", "cut.onnx"}
    assert repository.refused["noise.onnx"].startswith("noise.onnx: onnxruntime cannot load it")


def test_two_files_of_one_name_are_not_both_served(tmp_path: Path) -> None:
    shutil.copy(ZOO / "gd-1.onnx", tmp_path / "a.onnx")
    shutil.copy(ZOO / "gd-1.onnx", tmp_path / "b.onnx")
    repository = Repository.load(tmp_path, threads=1)
    assert list(repository.models) == ["gd-1"]
    assert "another file has a model 'gd-1'" in repository.refused["b.onnx"]


def test_a_file_that_was_changed_is_refused(tmp_path: Path) -> None:
    file = (ZOO / "gd-1.onnx").read_bytes()
    (tmp_path / "gd-1.onnx").write_bytes(file.replace(b'"gradient_steps":1', b'"gradient_steps":2'))
    assert "does not match its hash" in Repository.load(tmp_path, threads=1).refused["gd-1.onnx"]


@pytest.mark.parametrize("directory", ["", "is/not/there"])
def test_without_a_model_nothing_is_ready(tmp_path: Path, directory: str) -> None:
    repository = Repository.load(tmp_path / directory, threads=1)
    with pytest.raises(NotReady, match="No model is loaded"):
        repository.get("linear")


def test_an_unknown_model_is_answered_with_those_that_exist(repository: Repository) -> None:
    with pytest.raises(UnknownModel, match=r"no model 'cubic'. Choose one of: classifier, gd-1, gd-8, linear"):
        repository.get("cubic")
