"""A Ray cluster of several nodes on the loopback addresses of this machine, for tests and benchmarks."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.contracts.documents import blocks
from tests.running import ROOT, free_port

PYTHON = Path(os.environ.get("ENGINES_PYTHON", ROOT / ".venv-engines/bin/python"))
"""A separate environment: Ray, Spark and Dask take more than a gigabyte."""
MARK = "NODE_OF_TEST_CLUSTER"
"""A variable in the environment of each process of a node, with its name."""
OBJECT_STORE = 100_000_000
"""Bytes of shared memory of a node."""
HOLD_SECONDS = 120
"""To start the first worker of a node on a loaded machine."""

needs_engines = pytest.mark.skipif(
    not PYTHON.exists(),
    reason=f"{PYTHON} is missing: make .venv-engines/ready, or set ENGINES_PYTHON",
)


class RayCluster:
    """A running cluster: node 0 is its head, and the one that commands run on."""

    def __init__(self, folder: Path, processors: int) -> None:
        self._folder, self._processors = folder, processors
        self._name, self._nodes = uuid.uuid4().hex, set[int]()
        self.address = f"{host(0)}:{free_port()}"
        self.environment: Mapping[str, str] = {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "PYTHONDONTWRITEBYTECODE": "",
            "PATH": f"{PYTHON.parent}{os.pathsep}{os.environ['PATH']}",
            "HOME": str(folder),  # for the token
            "RAY_AUTH_MODE": "token",
            "RAY_USAGE_STATS_ENABLED": "0",
            "OMP_NUM_THREADS": "1",
        }
        """Of commands that use it."""

    @property
    def token(self) -> str:
        """The token of its nodes."""
        return Path(self.environment["HOME"], ".ray/auth_token").read_text("ascii").strip()

    def start(self, node: int) -> None:
        """Start a node, or start it again."""
        token, head, further = printed_commands()
        options = [f"--node-ip-address={host(node)}", f"--num-cpus={self._processors}"]
        options += [f"--object-store-memory={OBJECT_STORE}", "--include-log-monitor=false"]
        # Ports that are free: the fixed ones may be those of another test.
        options += ["--min-worker-port=0", "--max-worker-port=0", "--dashboard-agent-listen-port=0"]
        if node == 0:
            self._run(token, node)
            command = head.replace("6379", self.address.rpartition(":")[2])
            options += ["--include-dashboard=false", "--no-monitor", f"--temp-dir={self._folder}"]
        else:
            command = further.replace("HEAD:6379", self.address)
        self._run(" ".join([command, *options]), node)
        self._nodes.add(node)

    def _run(self, code: str, node: int) -> None:
        environment = {**self.environment, MARK: f"{self._name}-{node}"}
        command = ["bash", "-c", code]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 0, done.stdout + done.stderr

    def hold(self, node: int, command: "subprocess.Popen[str]", ready: Callable[[], bool] = lambda: True) -> None:
        """Stop a node amid a task, which is then unfinished when the node is killed.

        The tasks of other nodes are stopped until it has one: a node whose workers still start would get none.

        Args:
            node: The node.
            command: Submits the tasks.
            ready: Says whether the node may be stopped.
        """
        deadline, stopped = time.monotonic() + HOLD_SECONDS, set[int]()
        try:
            while True:
                assert command.poll() is None, command.communicate()
                assert time.monotonic() < deadline, f"node {node} has no task"
                for other in self._nodes - {node}:
                    stopped |= _signal(signal.SIGSTOP, self.tasks(other))
                running = _signal(signal.SIGSTOP, self.tasks(node)) if ready() else set()
                if running & self.tasks(node):
                    return
                _signal(signal.SIGCONT, running)  # the task has ended meanwhile
                time.sleep(0.01)
        finally:
            _signal(signal.SIGCONT, stopped)

    def kill(self, node: int) -> set[int]:
        """Kill every process of a node at once; return those that ran a task, and were perhaps stopped."""
        tasks = self.tasks(node)
        self._nodes.discard(node)
        _signal(signal.SIGKILL, self.processes(node))
        return tasks

    def tasks(self, node: int) -> set[int]:
        """Return the processes of a node that run a task."""
        return {process for process, title in self.processes(node).items() if "ray::_run" in title}

    def processes(self, node: int) -> dict[int, str]:
        """Return the titles of the processes of a node: those with its mark, and their descendants.

        A worker's title overwrites its environment.
        """
        mark, parents, found = f"{MARK}={self._name}-{node}".encode(), dict[int, int](), dict[int, str]()
        titles = dict[int, str]()
        for directory in Path("/proc").iterdir():
            if directory.name.isdecimal():
                with suppress(OSError):
                    process = int(directory.name)
                    titles[process] = (directory / "cmdline").read_text(errors="replace").replace("\0", " ")
                    state, parent = (directory / "stat").read_text(errors="replace").rpartition(")")[2].split()[:2]
                    parents[process] = int(parent)
                    if state != "Z" and mark in (directory / "environ").read_bytes().split(b"\0"):
                        found[process] = titles[process]
        while more := {p: titles[p] for p, parent in parents.items() if parent in found and p not in found}:
            found |= more
        return found


@contextmanager
def ray_cluster(nodes: int = 2, processors: int = 1) -> Iterator[RayCluster]:
    """Start a cluster; kill all its processes after use."""
    folder = Path(tempfile.mkdtemp(prefix="ray"))  # not tmp_path: the path of a socket has 107 characters at most
    cluster = RayCluster(folder, processors)
    try:
        for node in range(nodes):
            cluster.start(node)
        yield cluster
    finally:
        while any(cluster.processes(node) for node in range(nodes)):
            for node in range(nodes):
                cluster.kill(node)
            time.sleep(0.05)
        shutil.rmtree(folder, ignore_errors=True)


def printed_commands() -> list[str]:
    """Return the commands of docs/cluster.md: they make a token, start the head, and start a further node."""
    (block,) = [block for block in blocks(ROOT / "docs/cluster.md") if block.language == "bash"]
    return block.code.splitlines()


def _signal(number: signal.Signals, processes: Iterable[int]) -> set[int]:
    """Send a signal to processes; return those that were there."""
    found = set[int]()
    for process in processes:
        with suppress(ProcessLookupError):
            os.kill(process, number)
            found.add(process)
    return found


def host(node: int) -> str:
    """Return the address of a node; Ray replaces 127.0.0.1 by an address that other machines reach."""
    return f"127.0.0.{node + 2}"
