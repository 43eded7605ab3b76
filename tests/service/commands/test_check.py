"""`gdssm check`: what it finds, its exit status, and that it changes nothing."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml
from alembic import command as alembic
from click.testing import CliRunner
from sqlalchemy import update

from service.access.keys import Keys
from service.cli import main
from service.commands import configuration_checks
from service.commands.configuration_checks import MIB, NAMES, memory_limit, needed_memory
from service.settings import ENV_PREFIX, Settings
from service.store.database import Database
from service.store.migrate import HEAD, VERSION, configuration
from tests.postgres import Postgres
from tests.running import ROOT


@pytest.fixture(autouse=True)
def _environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Set no variables; serve one model, which loads faster than all."""
    for name in Settings.model_fields:
        monkeypatch.delenv(ENV_PREFIX + name.upper(), raising=False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "zoo").mkdir()
    shutil.copy(ROOT / "service/zoo/linear.onnx", tmp_path / "zoo")
    monkeypatch.setenv("GDSSM_ZOO", "zoo")
    monkeypatch.setenv("GDSSM_DEFAULT_MODEL", "linear")
    monkeypatch.setattr(configuration_checks, "memory_limit", lambda: 2**40)


def check(status: int = 0) -> dict[str, dict[str, str]]:
    """Run the command; returns the checks by name."""
    result = CliRunner().invoke(main, ["check", "--json"])
    assert result.exit_code == status, result.output
    assert result.stderr == ""
    found = json.loads(result.stdout)
    assert found["sound"] is (status == 0)
    checks = {one["name"]: one for one in found["checks"]}
    assert tuple(checks) == NAMES
    return checks


def test_default_configuration_is_sound_and_nothing_is_created() -> None:
    checks = check()
    assert {one["status"] for one in checks.values()} == {"ok"}
    assert "does not exist yet; the service creates it." in checks["database"]["found"]
    assert checks["migrations"]["found"] == f"No tables yet; the service creates those of step {HEAD}."
    assert checks["models"]["found"] == "1 loaded; the default is linear."
    assert checks["settings"]["found"] == "Valid; set are GDSSM_DEFAULT_MODEL, GDSSM_ZOO."
    assert [path.name for path in Path().iterdir()] == ["zoo"]


def test_one_line_is_printed_for_each_check() -> None:
    result = CliRunner().invoke(main, ["check"])
    assert [line.split()[:2] for line in result.stdout.splitlines()] == [["ok", name] for name in NAMES]


def test_wrong_setting_fails_and_the_other_checks_are_skipped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GDSSM_PORT", "70000")
    checks = check(1)
    assert checks["settings"]["found"].startswith("GDSSM_PORT: ")
    assert [one["status"] for one in checks.values()] == ["failed", *["skipped"] * (len(NAMES) - 1)]


def test_keys_are_needed_where_other_machines_can_call(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GDSSM_HOST", "0.0.0.0")  # noqa: S104  (read, never listened on)
    assert check(1)["keys"]["remedy"] == "Run: gdssm keys create NAME"
    database = Database.open("sqlite:///gdssm.db")
    keys = Keys(database)
    key = keys.create("alice")
    assert check()["keys"]["found"] == "1 valid."
    keys.revoke(key.split("_")[1])
    assert check(1)["keys"]["status"] == "failed"
    database.close()
    monkeypatch.setenv("GDSSM_AUTH", "off")
    assert check()["keys"]["status"] == "warning"


def test_steps_of_the_database_are_compared_and_not_made() -> None:
    database = Database.open("sqlite:///gdssm.db")
    assert check()["migrations"] == {
        "name": "migrations",
        "status": "ok",
        "found": f"At step {HEAD}, the last.",
        "remedy": "",
    }
    with database.transaction() as connection:
        alembic.downgrade(configuration(connection), "0005")
    for _ in range(2):
        assert check()["migrations"]["status"] == "warning"
    with database.transaction() as connection:
        connection.execute(update(VERSION).values(version_num="9999"))
    assert check(1)["migrations"]["remedy"] == "Start the version that made it, or a later one."
    database.close()


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("sqlite:///not/there/gdssm.db", "not/there of GDSSM_DATABASE_URL does not exist"),
        ("sqlite:///text.db", "cannot be used (file is not a database)"),
        ("mysql://there/gdssm", "GDSSM_DATABASE_URL must be sqlite:///a/file.db or postgresql:"),
        ("postgresql://gdssm@127.0.0.1:9/gdssm", "The database of GDSSM_DATABASE_URL does not answer ("),
    ],
)
def test_unusable_database_fails_and_keys_are_not_known(monkeypatch: pytest.MonkeyPatch, url: str, found: str) -> None:
    Path("text.db").write_text("This is a text of more than a hundred bytes, and no database of any kind. " * 20)
    monkeypatch.setenv("GDSSM_DATABASE_URL", url)
    monkeypatch.setenv("GDSSM_AUTH", "on")
    checks = check(1)
    assert found in checks["database"]["found"]
    assert {checks[name]["status"] for name in ("migrations", "keys")} == {"skipped"}
    assert Path("text.db").read_text().startswith("This is a text")


def test_postgresql_is_inspected_without_creating_tables(monkeypatch: pytest.MonkeyPatch, postgres: Postgres) -> None:
    url = postgres.empty_database()
    monkeypatch.setenv("GDSSM_DATABASE_URL", url)
    for _ in range(2):
        checks = check()
        assert checks["database"]["found"].endswith("answers, in UTF8.")
        assert checks["migrations"]["found"].startswith("No tables yet")
    monkeypatch.setenv("GDSSM_DATABASE_URL", f"{url}?options=-cdefault_transaction_read_only%3Don")
    assert check(1)["database"]["remedy"].endswith("or name the primary server.")
    monkeypatch.setenv("GDSSM_DATABASE_URL", postgres.database_in("SQL_ASCII"))
    assert "ENCODING 'UTF8'" in check(1)["database"]["remedy"]


def test_refused_model_file_and_missing_default_fail(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "broken.onnx").write_text("no graph")
    monkeypatch.setenv("GDSSM_MODELS", "models")
    models = check(1)["models"]
    assert models["found"].startswith("1 loaded; the default is linear. Refused: broken.onnx: ")
    monkeypatch.setenv("GDSSM_MODELS", "missing")
    assert "missing: the directory cannot be read" in check(1)["models"]["found"]
    monkeypatch.delenv("GDSSM_MODELS")
    monkeypatch.setenv("GDSSM_DEFAULT_MODEL", "cubic")
    assert "no model 'cubic'" in check(1)["models"]["found"]


def test_remedy_for_too_little_memory_is_sufficient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(configuration_checks, "memory_limit", lambda: 1024 * MIB)
    assert check()["memory"]["status"] == "ok"
    monkeypatch.setenv("GDSSM_WORKERS", "2")
    memory = check(1)["memory"]
    assert "Full bodies in flight take 1324 MiB in all workers; the limit is 1024 MiB." in memory["found"]
    variable, _, value = memory["remedy"].removeprefix("Set ").partition(", ")[0].partition("=")
    monkeypatch.setenv(variable, value)
    assert check()["memory"]["status"] == "ok"
    monkeypatch.setenv("GDSSM_WORKERS", "8")
    assert "GDSSM_WORKERS" in check(1)["memory"]["remedy"]


def test_memory_limits_of_the_shipped_deployments_suffice() -> None:
    compose: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]["service"]
    pod: dict[str, Any] = yaml.safe_load((ROOT / "deploy/kubernetes/deployment.yaml").read_text())["spec"]["template"]
    assert compose["deploy"]["resources"]["limits"]["memory"] == "1G"
    assert pod["spec"]["containers"][0]["resources"]["limits"]["memory"] == "1Gi"
    assert needed_memory(Settings()) <= 1024 * MIB


def test_memory_limit_is_the_least_of_all_control_groups(tmp_path: Path) -> None:
    groups, own = tmp_path / "cgroup", tmp_path / "own"
    (groups / "a" / "b").mkdir(parents=True)
    (groups / "a" / "memory.max").write_text("1000\n")
    (groups / "a" / "b" / "memory.max").write_text("max\n")
    own.write_text("0::/a/b\n")
    assert memory_limit(groups, own) == 1000
    (groups / "a" / "b" / "memory.max").write_text("900\n")
    assert memory_limit(groups, own) == 900
    own.write_text("0::/elsewhere\n")
    machine = memory_limit(groups, own)
    assert machine > 2**20
    (groups / "memory" / "a").mkdir(parents=True)
    (groups / "memory" / "a" / "memory.limit_in_bytes").write_text("800\n")
    own.write_text("4:cpu,memory:/a\n3:pids:/a\n")
    assert memory_limit(groups, own) == 800
    assert memory_limit(groups, tmp_path / "missing") == machine


def test_every_origin_without_keys_is_a_wrong_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GDSSM_CORS_ORIGINS", "*")
    assert check(1)["settings"]["found"].startswith("GDSSM_CORS_ORIGINS: with *")
