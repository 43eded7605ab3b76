"""Tasks on the nodes of a Ray cluster; needs ray, and gdssm of the same version on every node."""

import os
import socket
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, redirect_stdout
from importlib.metadata import version
from itertools import islice
from types import ModuleType, TracebackType
from typing import Any, Self

from service.datasets.engine import WAITING, AnyTask
from service.errors import InvalidInput, OperatorError, Problem, ServiceError, WorkerLost

RETRIES = 3
"""Times that a task is started again whose worker or node ended: more are the task's fault rather than the node's."""
LEAST_WAITING = 16
"""Tasks that are submitted at a time to a cluster without processors, so that it may start some."""
CONNECT_SECONDS = 5.0
ENVIRONMENT = {
    "RAY_AUTH_MODE": "token",  # Ray runs the code of every caller who reaches it
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_NUM_REDIS_GET_RETRIES": "1",  # 20 tries to connect take 14 minutes
}
"""Unless the environment says otherwise."""


class RayEngine:
    """Runs tasks on the nodes of a Ray cluster, one processor each.

    Args:
        address: HOST:PORT of the cluster, or `auto` on one of its nodes.
        in_flight: Tasks that are submitted at a time; twice the processors of the cluster if left out.
    """

    def __init__(self, address: str, in_flight: int | None = None) -> None:
        self._address, self._in_flight = address, in_flight
        self._ray: ModuleType | None = None
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        """Connect to the cluster.

        Raises:
            InvalidInput: There is none at the address, or it refuses the connection.
        """
        for name, value in ENVIRONMENT.items():
            os.environ.setdefault(name, value)
        if self._address != "auto":
            _check_reachable(self._address)
        import ray  # noqa: PLC0415  (it reads the environment when it is imported)

        with _errors_of_connecting(self._address):
            ray.init(self._address, log_to_driver=False, logging_level="ERROR")
        self._stack.enter_context(redirect_stdout(sys.stderr))  # Ray prints there which nodes were lost
        self._stack.callback(ray.shutdown)
        self._ray = ray
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Disconnect; the cluster ends the tasks that still run."""
        self._stack.close()

    def run(self, work: Callable[[AnyTask], bytes], tasks: Sequence[AnyTask]) -> Iterator[tuple[int, bytes]]:
        """Run a work for each task; see `Engine.run`. Tasks of a node that ends are run on others."""
        ray = self._ray
        assert ray is not None, "the engine is used within `with`"  # noqa: S101
        submit = ray.remote(num_cpus=1, max_retries=RETRIES, retry_exceptions=False)(_run).remote
        shared, own = ray.put(work), version("gdssm")
        running, waiting = dict[Any, int](), iter(enumerate(tasks))
        try:
            while True:
                for place, task in islice(waiting, self._limit(ray) - len(running)):
                    running[submit(shared, task, own)] = place
                if not running:
                    return
                yield from _finished(ray, running)
        finally:
            for reference in running:
                ray.cancel(reference)

    def _limit(self, ray: ModuleType) -> int:
        """Count the tasks to submit at a time; the cluster may grow."""
        return self._in_flight or max(LEAST_WAITING, WAITING * int(ray.cluster_resources().get("CPU", 0)))


def _run(work: Callable[[AnyTask], bytes], task: AnyTask, version_of_caller: str) -> bytes:
    """Run a task on a node."""
    own = version("gdssm")
    if own != version_of_caller:
        raise _unequal(f"a node has gdssm {own}, and this command is gdssm {version_of_caller}")
    return work(task)


def _finished(ray: ModuleType, running: dict[Any, int]) -> Iterator[tuple[int, bytes]]:
    """Wait for at least one task, and remove those that are finished."""
    ray.wait(list(running), num_returns=1)
    done, _ = ray.wait(list(running), num_returns=len(running), timeout=0)
    for reference in done:
        yield running.pop(reference), _result(ray, reference)


def _result(ray: ModuleType, reference: object) -> bytes:
    """Fetch a result.

    Raises:
        ServiceError: The task raised it, or a node cannot run it.
        WorkerLost: Every worker that ran it ended.
    """
    errors = ray.exceptions
    try:
        result: bytes = ray.get(reference)
    except errors.RayTaskError as error:
        cause = error.cause
        if isinstance(cause, ServiceError):
            raise cause from None
        if isinstance(cause, ImportError):
            raise _unequal(f"a node cannot import what the tasks need ({cause})") from error
        raise
    except (errors.WorkerCrashedError, errors.NodeDiedError, errors.OutOfMemoryError, errors.ObjectLostError) as error:
        raise WorkerLost from error
    return result


def _unequal(what: str) -> OperatorError:
    return OperatorError(f"The nodes need the same gdssm as the command: {what}. Install it on every node.")


def _check_reachable(address: str) -> None:
    """See that there is a port, because Ray would try for minutes.

    Raises:
        InvalidInput: There is none.
    """
    host, _, port = address.rpartition(":")
    if not host or "/" in host or not port.isdecimal():
        text = f"{address!r} is no address. Write HOST:PORT of the cluster, or auto on one of its nodes."
        raise InvalidInput(Problem("--ray", text))
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=CONNECT_SECONDS).close()
    except (OSError, OverflowError) as error:
        text = f"there is no Ray cluster at {address} ({error}). Name the address that `ray start --head` printed."
        raise InvalidInput(Problem("--ray", text)) from error


@contextmanager
def _errors_of_connecting(address: str) -> Iterator[None]:
    """Word the errors of a connection.

    Raises:
        InvalidInput: There is no cluster, or it refuses the connection.
    """
    try:
        yield
    except (ConnectionError, RuntimeError, ValueError) as error:
        reasons = f"{error} {error.__cause__ or ''}"
        if "Authentication" in reasons or "auth_token" in reasons:
            text = (
                f"the cluster at {address} does not accept the token. Set RAY_AUTH_TOKEN_PATH to the file with its "
                "token, and RAY_AUTH_MODE=token; for a cluster without tokens, RAY_AUTH_MODE=disabled."
            )
        else:
            first = " ".join(str(error).split())[:300]
            text = f"cannot connect to {address} ({first}). Run the command on a node of the cluster."
        raise InvalidInput(Problem("--ray", text)) from error
