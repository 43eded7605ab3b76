"""The image of the service and containers of it, by podman, with images and volumes in a directory of this checkout.

Containers use the host's network and no control groups, so that they run where a container may not have its own.
"""

import json
import os
import shlex
import shutil
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.running import ROOT

STORAGE = ROOT / ".image"
TAG = "localhost/gdssm:test"
MISSING = "podman is not installed: apt-get install podman crun mmdebstrap"
HYBRID = Path("/sys/fs/cgroup/unified")
"""Where both versions of control groups are mounted, crun refuses to start; it sees the second version here."""
LIMITS = ["--ulimit=nofile=1024:1024", "--ulimit=nproc=1024:1024"]
"""By default podman raises both, which a root without CAP_SYS_RESOURCE may not do."""
HOST = ["--cgroups=disabled", "--pids-limit=-1", "--network=host", "--health-interval=disable", *LIMITS]
"""Options of `podman run` in a container."""
POLL_INTERVAL = 0.1


class Container:
    """A container that was started.

    Args:
        name: Its name.
    """

    def __init__(self, name: str) -> None:
        self._name = name

    def run(self, *command: str, user: str | None = None) -> "subprocess.CompletedProcess[str]":
        """Run a command in it, as its own user or as another."""
        options = [] if user is None else ["--user", user]
        return podman("exec", *options, self._name, *command, check=False)

    def output(self, *command: str) -> str:
        """Run a command in it, which must succeed; returns what it printed."""
        done = self.run(*command)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def is_healthy(self) -> bool:
        """Run the health check of the image once."""
        return podman("healthcheck", "run", self._name, check=False).returncode == 0

    def wait_until_healthy(self) -> None:
        """Wait until its health check passes."""
        while not self.is_healthy():
            assert self.inspect()["State"]["Status"] == "running", self.log
            time.sleep(POLL_INTERVAL)

    def wait_until_unhealthy(self) -> None:
        """Wait until its health check fails."""
        while self.is_healthy():
            time.sleep(POLL_INTERVAL)

    def signal(self, name: str) -> None:
        """Send a signal to its first process."""
        podman("kill", "--signal", name, self._name)

    def wait(self, timeout: float) -> int:
        """Wait for its end; returns its exit code.

        Raises:
            subprocess.TimeoutExpired: It still runs after `timeout` seconds.
        """
        return int(podman("wait", self._name, timeout=timeout).stdout)

    def stop(self, timeout: float) -> int:
        """Send SIGTERM and wait for its end, as `wait` does."""
        self.signal("TERM")
        return self.wait(timeout)

    def inspect(self) -> dict[str, Any]:
        """Read what podman knows about it."""
        found: list[dict[str, Any]] = json.loads(podman("inspect", self._name).stdout)
        return found[0]

    @property
    def log(self) -> str:
        """What it has written."""
        done = podman("logs", self._name)
        return done.stdout + done.stderr


def build() -> None:
    """Build the image, with the layers of unchanged files from last time; skip the test where podman is missing."""
    if shutil.which("podman") is None:
        pytest.skip(MISSING)
    command = [sys.executable, str(ROOT / "deploy" / "build_image.py"), "--storage", str(STORAGE), "--tag", TAG]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]


def image() -> dict[str, Any]:
    """Read the configuration of the image."""
    found: list[dict[str, Any]] = json.loads(podman("image", "inspect", TAG).stdout)
    return found[0]


@contextmanager
def started(options: list[str], environment: dict[str, str]) -> Iterator[Container]:
    """Start the image's command with the options of `podman run`; remove the container after use."""
    name = f"gdssm-{uuid.uuid4().hex[:8]}"
    settings = [f"--env={name}={value}" for name, value in environment.items()]
    podman("run", "--detach", f"--name={name}", *HOST, *options, *settings, TAG)
    try:
        yield Container(name)
    finally:
        podman("rm", "--force", "--time=0", name)


@contextmanager
def volume() -> Iterator[str]:
    """Make an empty volume; remove it after use."""
    name = f"gdssm-{uuid.uuid4().hex[:8]}"
    podman("volume", "create", name)
    try:
        yield name
    finally:
        podman("volume", "rm", "--force", name)


def podman(*arguments: str, check: bool = True, timeout: float = 120) -> "subprocess.CompletedProcess[str]":
    """Run podman as a root that may not raise its limits."""
    command = [*_command(), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=timeout)
    assert done.returncode == 0 or not check, f"{' '.join(arguments)}: {done.stdout}{done.stderr}"
    return done


def shell_command() -> str:
    """Return the command of `podman` as a shell reads it."""
    return shlex.join(_command())


def _command() -> list[str]:
    places = ["--root", str(STORAGE / "images"), "--runroot", str(STORAGE / "run"), "--cgroup-manager", "cgroupfs"]
    return [*_wrapper(), shutil.which("podman") or "podman", *places]


def _wrapper() -> list[str]:
    if os.geteuid() != 0:
        return []
    unprivileged = ["setpriv", "--inh-caps=-sys_resource", "--bounding-set=-sys_resource"]
    if not HYBRID.is_mount():
        return unprivileged
    return ["unshare", "--mount", "sh", "-c", f'umount {HYBRID} && exec "$@"', "sh", *unprivileged]
