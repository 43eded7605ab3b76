"""A service with an unusable database ends at once, with one line."""

import os
import subprocess
from pathlib import Path

import pytest

from service.store.database import Database
from tests.postgres import Postgres
from tests.running import ROOT, SERVE

pytestmark = pytest.mark.adversarial

ADDRESSES = [
    "mysql://u:secret@host/name",
    "nonsense secret",
    "postgresql://u:secret@host:port/x",
    "postgresql://u:secret@127.0.0.1:1/x",
    "sqlite:////not/there/x.db",
    "sqlite:///{}/text.db",
    "sqlite:///{}/x.db?timeout=nonsense",
    "sqlite:///{}/x.db?mode=ro",
    "sqlite:///{}",
]


def end(url: str, workers: int = 1) -> str:
    variables = {**os.environ, "GDSSM_DATABASE_URL": url, "GDSSM_WORKERS": str(workers)}
    done = subprocess.run(
        [*SERVE, "--port", "0"], cwd=ROOT, env=variables, capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stdout) == (2, "")
    return done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("address", ADDRESSES)
def test_bad_database_url_is_one_line_and_exit_2(tmp_path: Path, address: str) -> None:
    (tmp_path / "text.db").write_text("This is no database.\n" * 100)
    error = end(address.format(tmp_path))
    assert error.startswith("Error: ")
    assert "GDSSM_DATABASE_URL" in error
    assert error.count("\n") == 1
    assert "secret" not in error


@pytest.mark.slow
def test_workers_report_a_bad_database_without_tracebacks() -> None:
    error = end("sqlite:////not/there/x.db", workers=2)
    assert "ERROR The database of GDSSM_DATABASE_URL does not answer" in error
    assert error.splitlines()[-1].startswith("Error: A worker ended before it was ready")
    assert "Traceback" not in error


@pytest.mark.slow
@pytest.mark.parametrize("option", ["mode=ro", "immutable=1"])
def test_read_only_file_is_one_line_and_exit_2(tmp_path: Path, option: str) -> None:
    Database.open(f"sqlite:///{tmp_path}/x.db").close()
    error = end(f"sqlite:///file:{tmp_path}/x.db?{option}&uri=true")
    assert (
        error == "Error: The database of GDSSM_DATABASE_URL is read-only. Make it writable, or name another database.\n"
    )


@pytest.mark.slow
def test_sql_ascii_database_is_one_line_and_exit_2(postgres: Postgres) -> None:
    error = end(postgres.database_in("SQL_ASCII"))
    assert error.startswith("Error: The database of GDSSM_DATABASE_URL is in SQL_ASCII")
    assert error.count("\n") == 1
