"""Contexts and predictions of files in an S3 bucket, of a server that speaks its protocol (moto)."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import fs, parquet

from tests.adversarial.attacks import eventually
from tests.ray_cluster import PYTHON
from tests.running import ROOT, free_port

MOTO = PYTHON.with_name("moto_server")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not MOTO.exists(), reason=f"{MOTO} is missing: make .venv-engines/ready"),
]


@pytest.fixture(scope="module")
def credentials(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The environment of a client of a running server."""
    port, log = free_port(), tmp_path_factory.mktemp("moto") / "log"
    with log.open("wb") as file:
        server = subprocess.Popen([str(MOTO), "-H", "127.0.0.1", "-p", str(port)], stdout=file, stderr=file)
    try:
        assert eventually(lambda: b"Running on" in log.read_bytes(), 60)
        yield {
            "AWS_ACCESS_KEY_ID": "an id",
            "AWS_SECRET_ACCESS_KEY": "a secret",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
        }
    finally:
        server.terminate()
        server.wait(30)


@pytest.fixture
def bucket(credentials: dict[str, str], tmp_path: Path) -> fs.FileSystem:
    """A file system with two tables in `bucket/data`, which are also in a local directory."""
    storage = fs.S3FileSystem(
        access_key=credentials["AWS_ACCESS_KEY_ID"],
        secret_key=credentials["AWS_SECRET_ACCESS_KEY"],
        region=credentials["AWS_DEFAULT_REGION"],
        endpoint_override=credentials["AWS_ENDPOINT_URL"],
        allow_bucket_creation=True,
    )
    storage.create_dir("bucket")
    (tmp_path / "data").mkdir()
    x = np.random.default_rng(0).normal(size=(2, 300))
    for number, column in enumerate(x):
        table = pa.table({"a": column, "y": 2 * column + 1})
        parquet.write_table(table, f"bucket/data/{number}.parquet", filesystem=storage)
        parquet.write_table(table, tmp_path / f"data/{number}.parquet")
    return storage


def gdssm(environment: dict[str, str], *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "service", *arguments],
        env={**os.environ, **environment, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )


def files_below(storage: fs.FileSystem, folder: str) -> dict[str, bytes]:
    found = storage.get_file_info(fs.FileSelector(folder, recursive=True))
    names = [info.path for info in found if info.is_file]
    return {name.removeprefix(f"{folder}/"): storage.open_input_file(name).read() for name in names}


def test_a_bucket_gives_the_bytes_of_a_directory(
    credentials: dict[str, str], bucket: fs.FileSystem, tmp_path: Path
) -> None:
    for place in ("s3://bucket", str(tmp_path)):
        context = f"{place}/c.safetensors"
        build = ("contexts", "build", f"{place}/data/", "--target", "y", "--model", "linear", "--out", context)
        for arguments in (build, ("predict", context, f"{place}/data/", "--out", f"{place}/out/")):
            done = gdssm(credentials, *arguments)
            assert done.returncode == 0, done.stderr
    stored, local = files_below(bucket, "bucket"), files_below(fs.LocalFileSystem(), str(tmp_path))
    assert {"c.safetensors", "out/0.parquet", "out/1.parquet"} <= stored.keys()
    assert stored == local


def test_a_bucket_that_is_not_there_is_named(credentials: dict[str, str]) -> None:
    done = gdssm(credentials, "contexts", "build", "s3://nowhere/data/", "--target", "y", "--out", "c.safetensors")
    assert done.returncode == 2
    assert "s3://nowhere/data/" in done.stderr
    assert "Traceback" not in done.stderr
