"""`gdssm predict` with intervals and with missing cells."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from gdssm_client import Client
from service.cli import main


@pytest.fixture
def files(tmp_path: Path) -> tuple[pd.DataFrame, Path, Path]:
    generator = np.random.default_rng(0)
    frame = pd.DataFrame(generator.normal(size=(30, 3)), columns=["a", "b", "price"])
    frame[:23].to_csv(tmp_path / "context.csv", index=False)
    frame[23:].drop(columns="price").to_csv(tmp_path / "query.csv", index=False)
    return frame, tmp_path / "context.csv", tmp_path / "query.csv"


@pytest.mark.slow
@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_bounds_are_columns_after_the_target(
    files: tuple[pd.DataFrame, Path, Path], tmp_path: Path, suffix: str
) -> None:
    frame, context, query = files
    out = tmp_path / f"out.{suffix}"
    options = ["--target", "price", "--interval", "0.8", "--model", "nonlinear", "--out", str(out)]
    ran = CliRunner().invoke(main, ["predict", str(context), str(query), *options])
    assert ran.exit_code == 0, ran.output
    found = pd.read_csv(out) if suffix == "csv" else pd.read_parquet(out)
    assert list(found.columns) == ["price", "price_lower", "price_upper"]
    with Client() as client:
        expected = client.predict(
            frame[:23][["a", "b"]], frame[:23]["price"], frame[23:][["a", "b"]], model="nonlinear", interval=0.8
        )
    np.testing.assert_allclose(found["price"], expected.prediction, rtol=1e-9)
    np.testing.assert_allclose(found["price_lower"], expected.lower, rtol=1e-9)
    np.testing.assert_allclose(found["price_upper"], expected.upper, rtol=1e-9)


@pytest.mark.slow
@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_empty_csv_cells_are_missing_cells(files: tuple[pd.DataFrame, Path, Path], tmp_path: Path, suffix: str) -> None:
    frame = files[0].mask(np.random.default_rng(1).random((30, 3)) < [0.3, 0.3, 0.0])
    paths = [tmp_path / f"{name}.{suffix}" for name in ("context", "query")]
    for part, path in zip((frame[:23], frame[23:].drop(columns="price")), paths, strict=True):
        part.to_csv(path, index=False) if suffix == "csv" else part.to_parquet(path)
    ran = CliRunner().invoke(main, ["predict", *map(str, paths), "--target", "price", "--chunk-rows", "10"])
    assert ran.exit_code == 0, ran.output
    with Client() as client:
        expected = client.predict(frame[:23][["a", "b"]], frame[:23]["price"], frame[23:][["a", "b"]]).prediction
    found = [float(line) for line in ran.stdout.splitlines()[1:]]
    np.testing.assert_allclose(found, expected, rtol=1e-9)


def test_interval_of_model_without_scale_writes_nothing(files: tuple[pd.DataFrame, Path, Path], tmp_path: Path) -> None:
    _, context, query = files
    options = ["--target", "price", "--interval", "0.8", "--model", "gd-8", "--out", str(tmp_path / "out.csv")]
    ran = CliRunner().invoke(main, ["predict", str(context), str(query), *options])
    assert ran.exit_code != 0
    assert "interval" in ran.output
    assert not (tmp_path / "out.csv").exists()
