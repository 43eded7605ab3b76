"""One tiny report for all tests: every preset trained for two steps, every experiment measured once."""

from pathlib import Path

import pytest

from gdssm.reproduce import report, runs
from gdssm.reproduce.lab import Lab
from gdssm.reproduce.settings import TINY


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Lab:
    return Lab(TINY, runs.train_all(TINY.presets(), tmp_path_factory.mktemp("runs")))


@pytest.fixture(scope="session")
def directory(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("report")
    report.write_numbers(report.measure(lab), directory)
    report.draw(directory)
    return directory
