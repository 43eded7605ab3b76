"""Finished runs are loaded as they were trained, and others refused."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from gdssm.reproduce import __main__ as command
from gdssm.reproduce.report_sizes import TINY
from gdssm.reproduce.runs import Trained, load_all, train_all
from gdssm.train.config import TrainConfig
from gdssm.train.presets import LINEAR
from tests.nonempty import nonempty

SHORT = replace(LINEAR, steps=3, batch=8, log_every=1, seed=7)
NAME = SHORT.name


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Trained]:
    directory = tmp_path_factory.mktemp("short")
    return directory, train_all({NAME: SHORT}, directory)[NAME]


def test_a_run_of_any_seed_is_loaded(trained: tuple[Path, Trained]) -> None:
    directory, made = trained
    loaded = load_all({NAME: replace(SHORT, seed=0)}, directory)[NAME]
    assert loaded.config == SHORT
    assert loaded.seconds is None
    assert [line["step"] for line in loaded.history] == [1, 2, 3]
    for name, weight in nonempty(made.stack.state_dict().items()):
        assert torch.equal(weight, loaded.stack.state_dict()[name]), name


@pytest.mark.parametrize(("config", "message"), [(replace(SHORT, clip=2.0), "another configuration")])
def test_another_configuration_is_refused(trained: tuple[Path, Trained], config: TrainConfig, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        load_all({NAME: config}, trained[0])


def test_a_missing_run_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=NAME):
        load_all({NAME: SHORT}, tmp_path)


def test_the_command_names_a_missing_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["reproduce", "--out", str(tmp_path / "out"), "--from", str(tmp_path)])
    with pytest.raises(SystemExit):
        command.main()
    assert NAME in capsys.readouterr().err


def test_a_shortened_preset_differs_in_its_length_alone() -> None:
    short = TINY.presets()[NAME]
    lengths = {"steps": 0, "batch": 0, "log_every": 0, "checkpoint_every": 0}
    assert short.as_json() | lengths == LINEAR.as_json() | lengths
    assert short.steps == TINY.preset_steps
    json.dumps(short.as_json())
