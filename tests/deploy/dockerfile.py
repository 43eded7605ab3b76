"""A Dockerfile carried out without containers: its stages in one directory that stands for the root of their files."""

import json
import os
import re
import shlex
import shutil
import subprocess
from pathlib import Path

from dockerfile_parse import DockerfileParser

from tests.running import ROOT

OWNER = "10001"
"""The user of the image; here the user who runs the test, who may not be allowed to change owners of files."""
OURS = re.compile(r"/(src|opt|data|models)(?=[/\"'\s:]|$)")
"""The directories that the Dockerfile makes; every other path is the machine's."""
HIDDEN = shutil.ignore_patterns("__pycache__", "*.db*")


class Image:
    """What the stages up to one of them leave behind.

    Args:
        root: An empty directory: the root file system.
        python: The interpreter of the base image.
    """

    def __init__(self, root: Path, python: Path) -> None:
        self.root = root
        self.environment = {"PATH": f"{python.parent}:/usr/bin:/bin", "LANG": "C.UTF-8"}
        self.directory = root
        self.volumes: list[Path] = []
        self.healthcheck: list[str] = []
        self.entrypoint: list[str] = []
        self.command: list[str] = []
        self.user = ""

    def build(self, stage: str) -> None:
        """Carry out a stage, after the one that it begins from and those that it copies from."""
        base, steps = _stages()[stage]
        needed = [base, *re.findall(r"--from=(\w+)", "\n".join(value for _, value in steps))]
        for name in needed:
            if name in _stages():
                self.build(name)
        for instruction, value in steps:
            getattr(self, f"_{instruction.lower()}", _nothing)(self._here(value))

    def run(self, command: list[str], **further: str) -> "subprocess.Popen[str]":
        """Start a command as the container would."""
        return subprocess.Popen(
            self._found(command),
            env={**self.environment, **further},
            cwd=self.directory,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def files(self) -> dict[Path, tuple[int, int]]:
        """List every file outside the volumes, with its size and time."""
        files = [path for path in self.root.rglob("*") if path.is_file() and not path.is_symlink()]
        kept = [path for path in files if not any(path.is_relative_to(volume) for volume in self.volumes)]
        return {path: (path.stat().st_size, path.stat().st_mtime_ns) for path in kept}

    def _here(self, text: str) -> str:
        return OURS.sub(lambda found: f"{self.root}{found[0]}", text).replace(OWNER, str(os.getuid()))

    def _found(self, command: list[str]) -> list[str]:
        program = shutil.which(command[0], path=self.environment["PATH"])
        assert program is not None, f"{command[0]} is not in the image"
        return [program, *command[1:]]

    def _workdir(self, value: str) -> None:
        self.directory = Path(value)
        self.directory.mkdir(parents=True, exist_ok=True)

    def _copy(self, value: str) -> None:
        *sources, target = value.split()
        if sources[0].startswith("--from="):
            assert sources[1:] == [target], "between stages everything keeps its place"
            return
        for source in sources:
            place = self.directory / target / (source if target.endswith("/") else "")
            place.parent.mkdir(parents=True, exist_ok=True)
            if (ROOT / source).is_dir():
                shutil.copytree(ROOT / source, place, ignore=HIDDEN)
            else:
                shutil.copy(ROOT / source, place)

    def _run(self, value: str) -> None:
        done = subprocess.run(
            ["/bin/sh", "-ec", value],
            env={**os.environ, **self.environment},
            cwd=self.directory,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]

    def _env(self, value: str) -> None:
        for setting in shlex.split(value):
            name, _, text = setting.partition("=")
            self.environment[name] = text.replace("$PATH", self.environment["PATH"])

    def _volume(self, value: str) -> None:
        self.volumes = [Path(volume) for volume in json.loads(value)]

    def _healthcheck(self, value: str) -> None:
        self.healthcheck = json.loads(value.partition("CMD")[2])

    def _entrypoint(self, value: str) -> None:
        self.entrypoint = json.loads(value)

    def _cmd(self, value: str) -> None:
        self.command = json.loads(value)

    def _user(self, value: str) -> None:
        self.user = value


def instructions(stage: str) -> dict[str, str]:
    """Read the last of each instruction of a stage, verbatim."""
    return dict(_stages()[stage][1])


def copied() -> set[str]:
    """Name everything that is copied from the source tree."""
    steps = [step for _, stage in _stages().values() for step in stage]
    values = [value.split() for name, value in steps if name == "COPY" and "--from=" not in value]
    return {source for value in values for source in value[:-1]}


def _stages() -> dict[str, tuple[str, list[tuple[str, str]]]]:
    stages: dict[str, tuple[str, list[tuple[str, str]]]] = {}
    name = ""
    for step in DockerfileParser(str(ROOT / "Dockerfile")).structure:
        if step["instruction"] == "FROM":
            base, _, name = step["value"].split()
            stages[name] = (base, [])
        elif name and step["instruction"] != "COMMENT":
            stages[name][1].append((step["instruction"], step["value"]))
    return stages


def _nothing(_: str) -> None:
    """An instruction that only means something to containers."""
