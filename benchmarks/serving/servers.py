"""A running server: started in a new session, its answers compared with the model's, its processes ended."""

import json
import os
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from types import MappingProxyType

import numpy as np

from benchmarks.models import model_file, runtime_of
from benchmarks.processes import family
from benchmarks.serving.specs import ROOT, Array, Form, Payload, ServerSpec, payload

GRACE_SECONDS = 5.0
"""Between SIGTERM and SIGKILL."""
TOLERANCE = 1e-6
"""Largest difference to the reference, relative to the largest prediction."""


class Disqualified(Exception):
    """A server did not start, did not answer, or answered wrong."""


@dataclass(frozen=True)
class Server:
    """A running server, at a port of this machine."""

    spec: ServerSpec
    model: str
    port: int
    process: "subprocess.Popen[bytes]"
    seconds: float = 0.0
    """From the start of the process to the first right answer."""

    def request(self, kind: str, name: str) -> bytes:
        """Write a request for the prediction of a payload, headers and all."""
        form = self.spec.forms[kind]
        return self._written(form, form.path, form.write(payload(name), self.model))

    def post(self, path: str, value: object) -> bytes:
        """Write a request with a value as its JSON body."""
        return self._written(self.spec.forms["json"], path, json.dumps(value).encode())

    def _written(self, form: Form, path: str, body: bytes) -> bytes:
        headers = {
            "Host": f"127.0.0.1:{self.port}",
            "Content-Type": form.content_type,
            "Content-Length": str(len(body)),
        }
        lines = [f"POST {path} HTTP/1.1", *(f"{key}: {text}" for key, text in {**headers, **form.headers}.items())]
        return "\r\n".join([*lines, "", ""]).encode() + body

    def ask(self, kind: str, name: str) -> Array:
        """Ask once for the prediction of a payload.

        Raises:
            OSError: There is no answer.
            Disqualified: The answer is no prediction.
        """
        with self.connect() as connection:
            return self.spec.forms[kind].read(send(connection, self.request(kind, name)))

    def connect(self) -> socket.socket:
        """Open a connection."""
        return socket.create_connection(("127.0.0.1", self.port), timeout=120)

    def check(self, kind: str, name: str) -> None:
        """Compare its answer with that of the model file.

        Raises:
            Disqualified: They differ.
        """
        expected, found = reference(self.model, payload(name)), self.ask(kind, name)
        wrong = found.shape != expected.shape or np.abs(found - expected).max() > TOLERANCE * np.abs(expected).max()
        if wrong and self.spec.name != "bare":
            raise Disqualified(f"{self.spec.name} answers {found} instead of {expected}.")


def send(connection: socket.socket, request: bytes, status: int = 200) -> bytes:
    """Send one request, in one piece, and read its answer.

    Raises:
        OSError: The connection broke.
        Disqualified: The status is another.
    """
    connection.sendall(request)
    with HTTPResponse(connection, method="POST") as answer:
        answer.begin()
        content = answer.read()
    if answer.status != status:
        raise Disqualified(f"answers {answer.status}: {content[:500]!r}")
    return content


def reference(model: str, sample: Payload) -> Array:
    """Predict with the service's own runtime, in this process: (M,)."""
    runtime = runtime_of(model)
    tensors = {"x": sample.x[None], "y": sample.y[None, :, None], "x_query": sample.query[None]}
    return runtime.run(tensors)["prediction"][0, :, 0].astype(np.float64)


@contextmanager
def started(
    spec: ServerSpec,
    model: str,
    before: Sequence[str] = (),
    environment: Mapping[str, str] = MappingProxyType({}),
    timeout: float = 60,
) -> Iterator[Server]:
    """Start a server on a free port, wait until it answers, and end it and all its children after use.

    Args:
        spec: The server.
        model: Name of a file of the zoo.
        before: A command to run it under, such as `taskset -c 0`.
        environment: Further variables.
        timeout: Seconds until it has to answer.

    Raises:
        Disqualified: It does not start.
    """
    with tempfile.TemporaryDirectory(prefix=f"{spec.name}-") as name, socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        probe.close()
        directory = Path(name)
        spec, prepared = spec.prepared(directory)
        arguments = [argument.format(port=port) for argument in spec.arguments]
        variables = {
            **os.environ,
            "MODEL_FILE": str(model_file(model)),
            "PORT": str(port),
            "PYTHONPATH": str(ROOT),
            "PYTHONHASHSEED": "0",
            "ORT_DISABLE_TELEMETRY": "1",
            **prepared,
            **environment,
        }
        with (directory / "log").open("wb") as log:
            begun = time.monotonic()
            process = subprocess.Popen(  # noqa: S603
                [*before, spec.python, *arguments],
                cwd=directory,
                env=variables,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
            server = Server(spec, model, port, process)
            try:
                _wait(server, directory / "log", timeout)
                yield replace(server, seconds=time.monotonic() - begun)
            finally:
                end(process)


def _wait(server: Server, log: Path, timeout: float) -> None:
    """Ask until it answers."""
    deadline, kind = time.monotonic() + timeout, next(iter(server.spec.forms))
    while True:
        try:
            server.ask(kind, "S")
        except (OSError, HTTPException, Disqualified) as error:
            if server.process.poll() is not None or time.monotonic() > deadline:
                text = log.read_text(errors="replace")[-2000:]
                raise Disqualified(f"{server.spec.name} does not start ({error}): {text}") from error
            time.sleep(0.02)
        else:
            return


def end(process: "subprocess.Popen[bytes]") -> None:
    """End a server and its children: by SIGTERM, then by SIGKILL."""
    children = family(process.pid)
    process.terminate()
    with suppress(subprocess.TimeoutExpired):
        process.wait(GRACE_SECONDS)
    for child in {*children, *family(process.pid)}:
        with suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
    process.wait()
