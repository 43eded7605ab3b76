"""The command that trains: options, interruption, summary."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path

import pytest
from safetensors.numpy import load_file

from gdssm.train.__main__ import device_of, summary
from gdssm.train.checkpoint import CHECKPOINT, METRICS
from gdssm.train.presets import PRESETS, vary
from tests.running import ROOT

SHORT = ["--steps", "400", "--batch", "32", "--inputs", "2", "--observations", "4", "--quiet"]


def command(out: Path, *options: str) -> list[str]:
    return [sys.executable, "-m", "gdssm.train", "--out", str(out), *options]


def run(out: Path, *options: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(command(out, *options), cwd=ROOT, capture_output=True, text=True, check=False, timeout=300)


def test_options_change_a_preset_and_its_tasks() -> None:
    config = vary(PRESETS["linear-trained"], inputs=4, outputs=2, steps=50, learning_rate=0.1, seed=3)
    assert (config.model.inputs, config.model.outputs, config.steps, config.seed) == (4, 2, 50, 3)
    assert asdict(config.task)["inputs"] == 4  # type: ignore[call-overload]  # a dataclass
    assert config.learning_rate == 0.1
    assert vary(PRESETS["linear-trained"]) == PRESETS["linear-trained"]


@pytest.mark.parametrize("layers", [1, 2, 5])
def test_layers_take_the_settings_of_the_preset_with_as_many(layers: int) -> None:
    name = {1: "linear-trained", 2: "linear-2step-trained", 5: "linear-5step-trained"}[layers]
    for preset in ("linear-trained", "linear-2step-trained"):
        varied, expected = vary(PRESETS[preset], layers=layers).as_json(), PRESETS[name].as_json()
        assert {**varied, "name": ""} == {**expected, "name": ""}


@pytest.mark.parametrize(
    ("preset", "options", "message"),
    [
        ("sine-trained", {"inputs": 2}, "--inputs: the tasks of sine-trained have one"),
        ("linear-trained", {"steps": 0}, "--steps must be above 0; this is 0"),
        ("linear-trained", {"learning_rate": -1.0}, "--learning-rate must be above 0"),
        ("linear-trained", {"layers": 0}, "--layers must be above 0"),
    ],
    ids=["size that the tasks have not", "steps", "rate", "layers"],
)
def test_an_impossible_option_is_named(preset: str, options: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        vary(PRESETS[preset], **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["cuda:97", "no-such-device"])
def test_a_device_that_is_not_there_is_named(name: str) -> None:
    with pytest.raises(ValueError, match=f"--device is {name}, which torch cannot use here .* Use --device cpu"):
        device_of(name)
    assert device_of("cpu").type == "cpu"


def test_the_precision_is_recorded_where_it_is_not_the_usual_one() -> None:
    preset = PRESETS["linear-trained"]
    assert vary(preset, precision="bfloat16").as_json()["precision"] == "bfloat16"
    assert "precision" not in vary(preset, precision=None).as_json()


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("whole")
    done = run(out, *SHORT)
    assert done.returncode == 0, done.stderr
    assert "one step of gradient descent: " in done.stderr
    assert "python -m export --run" in done.stderr
    return out


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_an_interrupted_run_continues_to_the_same_end(tmp_path: Path, whole: Path, number: signal.Signals) -> None:
    out = tmp_path / "interrupted"
    with subprocess.Popen(command(out, *SHORT), cwd=ROOT, stderr=subprocess.PIPE, text=True) as process:
        while process.poll() is None and not (out / METRICS).exists():
            time.sleep(0.01)
        os.kill(process.pid, number)
        _, log = process.communicate(timeout=300)
    if process.returncode:  # else it had finished
        assert process.returncode == 128 + number
        assert "the checkpoint is written. The same command continues." in log
        assert "Traceback" not in log
        assert (out / CHECKPOINT).exists()
        assert not (out / "record.json").exists()
    assert run(out, *SHORT).returncode == 0
    ours, theirs = load_file(out / CHECKPOINT), load_file(whole / CHECKPOINT)
    assert {name: tensor.tobytes() for name, tensor in ours.items()} == {
        name: tensor.tobytes() for name, tensor in theirs.items()
    }


@pytest.mark.slow
def test_a_finished_run_has_a_record_and_is_not_continued_with_other_options(whole: Path) -> None:
    assert json.loads((whole / "record.json").read_text())["config"]["steps"] == 400
    other = run(whole, *SHORT, "--seed", "1")
    assert other.returncode == 2
    assert "is of another configuration (seed)" in other.stderr.splitlines()[-1]


@pytest.mark.parametrize(("least_rate", "warns"), [(0.6, False), (0.0, True), (-0.1, True)])
def test_a_rate_that_is_not_positive_is_reported(least_rate: float, warns: bool) -> None:
    metrics = {"loss": 0.3, "reference_loss": 0.3, "loss_ratio": 1.0, "sensitivity_cosine": 1.0}
    text = summary(PRESETS["linear-2step-trained"], {**metrics, "least_rate": least_rate}, Path("run"))
    assert ("train with another --seed" in text) is warns
