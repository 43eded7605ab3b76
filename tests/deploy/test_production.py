"""The commands of the first production deployment run as printed, with stand-ins for programs that need root."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from service.access.keys import Keys
from service.settings import ENV_PREFIX, Settings
from service.store.database import Database
from tests.contracts.documents import blocks
from tests.nonempty import nonempty
from tests.postgres import Postgres
from tests.running import ROOT

PAGE = ROOT / "docs/production.md"
SYSTEMD = ROOT / "deploy/systemd"
UNITS = sorted(path for path in SYSTEMD.iterdir() if path.suffix in {".service", ".timer"})
MOVED = ("/etc/", "/opt/gdssm", "/var/lib/gdssm", "/usr/local/bin")
"""Paths of the page and its files that are in a temporary directory here."""
SUDO = """#!/bin/sh
if [ "$1" = -u ]; then shift 2; fi
exec "$@"
"""
INSTALL = """#!/usr/bin/env bash
arguments=()
for argument in "$@"; do case $argument in --owner=*|--group=*) ;; *) arguments+=("$argument");; esac; done
exec /usr/bin/install "${arguments[@]}"
"""
SYSTEMCTL = """#!/usr/bin/env bash
set -euo pipefail
printf '%s\\n' "$*" >> ROOT/systemctl.txt
if [ "$*" = "start gdssm-backup.service" ]; then
    set -a; . ROOT/etc/gdssm/environment; set +a
    mkdir -p ROOT/var/lib/gdssm/backups
    $(sed -n 's/^ExecStart=//p' ROOT/etc/systemd/system/gdssm-backup.service)
fi
"""
NOTHING = "#!/bin/sh\n"
GDSSM = """#!/bin/sh
PYTHONPATH=CHECKOUT exec PYTHON -m service "$@"
"""


class Machine:
    """A directory in place of a machine's root, with stand-ins of programs."""

    def __init__(self, root: Path, postgres: Postgres) -> None:
        self.root = root
        self.checkout = root / "checkout"
        shutil.copytree(ROOT / "deploy", self.checkout / "deploy")
        for path in (self.checkout / "deploy").rglob("*"):
            if path.is_file() and path.parent.name in {"systemd", "nginx"}:
                path.write_text(self.moved(path.read_text()))
        self._write_stand_ins()
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(ENV_PREFIX)},
            "PATH": os.pathsep.join([str(root / "stand-ins"), str(root / "usr/local/bin"), os.environ["PATH"]]),
            "PGHOST": "127.0.0.1",
            "PGPORT": str(postgres.port),
            "PGUSER": "gdssm",
        }

    def moved(self, text: str) -> str:
        """Replace absolute paths by those below the root."""
        for path in MOVED:
            text = text.replace(path, f"{self.root}{path}")
        return text

    def run(self, code: str) -> str:
        command = ["bash", "-euo", "pipefail", "-c", self.moved(code)]
        done = subprocess.run(
            command, cwd=self.checkout, env=self.environment, capture_output=True, text=True, timeout=300, check=False
        )
        assert done.returncode == 0, f"{code}\n{done.stdout}{done.stderr}"
        return done.stdout

    def _write_stand_ins(self) -> None:
        directories = [self.root / name for name in ("stand-ins", "opt/gdssm/bin", "usr/local/bin", "etc/nginx/conf.d")]
        for directory in directories:
            directory.mkdir(parents=True)
        (self.root / "etc/systemd/system").mkdir(parents=True)
        programs = {"sudo": SUDO, "install": INSTALL, "systemctl": SYSTEMCTL.replace("ROOT", str(self.root))}
        programs |= dict.fromkeys(("apt-get", "useradd", "python3", "createuser", "nginx"), NOTHING)
        for name, text in programs.items():
            write_program(directories[0] / name, text)
        write_program(directories[1] / "python", NOTHING)
        gdssm = GDSSM.replace("CHECKOUT", str(ROOT)).replace("PYTHON -m", f"{sys.executable} -m")
        write_program(directories[1] / "gdssm", gdssm)


def write_program(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(0o755)


@pytest.fixture
def machine(tmp_path: Path, postgres: Postgres) -> Iterator[Machine]:
    for program in ("createdb", "dropdb", "pg_dump", "pg_restore"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed: apt-get install postgresql")
    machine = Machine(tmp_path, postgres)
    yield machine
    for name in ("gdssm", "restored"):
        machine.run(f"dropdb --if-exists --force {name}")


def test_commands_of_the_page_lead_to_a_checked_service_with_a_restored_backup(machine: Machine) -> None:
    commands = [block.code for block in blocks(PAGE) if block.language == "bash"]
    printed = [machine.run(code) for code in nonempty(commands)]
    (first_check,) = [text for code, text in zip(commands, printed, strict=True) if "keys create smoke-test" in code]
    assert first_check.startswith("gdssm_")
    assert {line.split()[0] for line in first_check.splitlines()[1:]} == {"ok"}
    (restored,) = [text for code, text in zip(commands, printed, strict=True) if "pg_restore" in code]
    assert "smoke-test" in restored
    backups = sorted(path.name for path in (machine.root / "var/lib/gdssm/backups").iterdir())
    assert backups
    assert all(name.endswith(".dump") for name in backups)
    done = (machine.root / "systemctl.txt").read_text().splitlines()
    assert "enable --now gdssm.service" in done
    assert (machine.root / "etc/nginx/gdssm/keys.map").stat().st_mode & 0o777 == 0o600


def test_old_dumps_are_removed_and_an_unreadable_one_is_not_kept(machine: Machine) -> None:
    backups = machine.root / "backups"
    backups.mkdir()
    machine.run("sudo -u postgres createdb --template=template0 gdssm")
    old, other = backups / "gdssm-2020-01-01T02-30-00.dump", backups / "by hand.dump"
    for path in (old, other):
        path.touch()
        os.utime(path, (0, 0))
    script = "export GDSSM_DATABASE_URL=postgresql:///gdssm; bash deploy/systemd/gdssm-backup"
    machine.run(f"{script} {backups}")
    assert not old.exists()
    assert other.exists()
    assert len(list(backups.glob("gdssm-*.dump"))) == 1
    machine.run(f"! GDSSM_DATABASE_URL=postgresql:///missing bash deploy/systemd/gdssm-backup {backups}")
    assert len(list(backups.glob("gdssm-*.dump"))) == 1


def test_dump_of_the_page_on_operating_is_restored(machine: Machine, postgres: Postgres) -> None:
    url = postgres.empty_database()
    database = Database.open(url)
    Keys(database).create("alice")
    commands = [block.code for block in blocks(ROOT / "docs/operating.md") if "pg_dump" in block.code]
    (code,) = commands
    dump, restore = code.splitlines()
    machine.environment["GDSSM_DATABASE_URL"] = url
    machine.run(dump)
    Keys(database).create("created after the dump")
    database.close()
    machine.run(restore)
    database = Database.open(url)
    assert [key.name for key in Keys(database).list()] == ["alice"]
    database.close()


def test_printed_settings_are_those_of_the_file_and_exist() -> None:
    (block,) = [block for block in blocks(PAGE) if block.language == "ini"]
    text = (SYSTEMD / "environment").read_text()
    assert block.code == text
    given = dict(line.split("=", 1) for line in text.splitlines() if not line.startswith("#"))
    fields = {name.removeprefix(ENV_PREFIX).lower(): value for name, value in given.items()}
    assert fields.keys() <= Settings.model_fields.keys()
    settings = Settings.model_validate(fields)
    unit = (SYSTEMD / "gdssm.service").read_text()
    (stop,) = [int(line.removeprefix("TimeoutStopSec=")) for line in unit.splitlines() if "TimeoutStopSec" in line]
    assert stop >= settings.drain_seconds + settings.shutdown_timeout + 5


@pytest.mark.slow
@pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.name)
def test_units_pass_the_check_of_systemd(unit: Path, tmp_path: Path) -> None:
    verify = shutil.which("systemd-analyze") or pytest.skip("systemd-analyze is not installed: apt-get install systemd")
    for path in UNITS:
        text = path.read_text().replace("User=gdssm", "User=root")
        for program in ("/opt/gdssm/bin/gdssm", "/usr/local/bin/gdssm-backup"):
            text = text.replace(program, "/bin/true")
        (tmp_path / path.name).write_text(text)
    command = [verify, "verify", "--man=no", "--recursive-errors=no", str(tmp_path / unit.name)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert unit.name not in done.stderr, done.stderr
    assert done.returncode == 0, done.stderr
