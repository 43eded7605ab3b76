"""One tiny report for all tests: every preset trained for two steps, every experiment measured once."""

from pathlib import Path

import pytest

from gdssm.reproduce import report, runs
from gdssm.reproduce.experiment_context import ExperimentContext
from gdssm.reproduce.report_sizes import TINY


@pytest.fixture(scope="session")
def context(tmp_path_factory: pytest.TempPathFactory) -> ExperimentContext:
    return ExperimentContext(TINY, runs.train_all(TINY.presets(), tmp_path_factory.mktemp("runs")))


@pytest.fixture(scope="session")
def directory(context: ExperimentContext, tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("report")
    report.write_numbers(report.measure(context), directory)
    report.draw(directory)
    return directory
