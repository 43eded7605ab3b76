"""The servers that are compared, the payloads, and how each server is installed, started and sent requests.

Each peer has a separate environment, which the benchmark makes and keeps for the next run.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import venv
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load, save

Array = NDArray[np.float64]

ROOT = Path(__file__).parents[2]
UVICORN = ("-m", "uvicorn", "--loop", "uvloop", "--http", "httptools", "--port", "{port}")
RATE_LIMIT = 10**9
"""Requests a minute of our key: counted, and never reached."""
JSON = "application/json"
SAFETENSORS = "application/vnd.safetensors"
MODEL, CONNECTIONS = "gd-1", 32
"""Unless stated otherwise."""
SIZES = {"S": (10, 10, 1), "M": (100, 10, 10), "L": (1000, 32, 10)}
"""Observations N, inputs D and queries M of each payload."""


@dataclass(frozen=True)
class Payload:
    """A context of N observations with scalar y, and M queries."""

    x: Array
    """(N, D)."""
    y: Array
    """(N,)."""
    query: Array
    """(M, D)."""


def payload(name: str) -> Payload:
    """Draw the payload of a name: a noisy linear task, the same every time."""
    observations, inputs, queries = SIZES[name]
    generator = np.random.default_rng(observations)
    x = generator.uniform(-1, 1, (observations, inputs))
    y = x @ generator.normal(size=inputs) + 0.1 * generator.normal(size=observations)
    return Payload(x, y, generator.uniform(-1, 1, (queries, inputs)))


@dataclass(frozen=True)
class Form:
    """How a request is written and its answer read."""

    path: str
    write: Callable[[Payload, str], bytes]
    """From a payload and the name of the model to a body."""
    read: Callable[[bytes], Array]
    """From an answer to predictions (M,)."""
    content_type: str = JSON
    headers: Mapping[str, str] = field(default_factory=dict)
    """In addition to the content type."""


def _plain(payload: Payload, _: str) -> bytes:
    body = {"x": payload.x.tolist(), "y": payload.y.tolist(), "query": payload.query.tolist()}
    return json.dumps(body).encode()


def _gdssm(payload: Payload, model: str) -> bytes:
    context = {"x": payload.x.tolist(), "y": payload.y.tolist()}
    return json.dumps({"model": model, "context": context, "query": payload.query.tolist()}).encode()


def _safetensors(payload: Payload, model: str) -> bytes:
    return save({"x": payload.x, "y": payload.y, "query": payload.query}, {"model": model})


def _raw(payload: Payload, _: str) -> bytes:
    """N, D and M, then the numbers of x, y and query."""
    sizes = np.array([*payload.x.shape, len(payload.query)], "<i8")
    return sizes.tobytes() + payload.x.tobytes() + payload.y.tobytes() + payload.query.tobytes()


def _v2(payload: Payload, _: str) -> bytes:
    """Write the tensors of the Open Inference Protocol, flat, as its clients do."""
    arrays = {"x": payload.x, "y": payload.y, "query": payload.query}
    return json.dumps(
        {
            "id": "1",
            "inputs": [
                {"name": name, "shape": array.shape, "datatype": "FP64", "data": array.ravel().tolist()}
                for name, array in arrays.items()
            ],
        }
    ).encode()


def _prediction(answer: bytes) -> Array:
    return np.array(json.loads(answer)["prediction"])


def _first_output(answer: bytes) -> Array:
    return np.array(json.loads(answer)["outputs"][0]["data"])


GDSSM_JSON = Form("/v1/predict", _gdssm, _prediction)
GDSSM_BINARY = Form(
    "/v1/predict", _safetensors, lambda answer: load(answer)["prediction"], SAFETENSORS, {"Accept": SAFETENSORS}
)
PLAIN = Form("/predict", _plain, _prediction)
RAW = Form("/predict", _raw, lambda answer: np.frombuffer(answer, "<f8"), "application/octet-stream")


def v2(name: str) -> Form:
    """Return the form of the Open Inference Protocol, for the model of a name."""
    return Form(f"/v2/models/{name}/infer", _v2, _first_output)


@dataclass(frozen=True)
class ServerSpec:
    """A server for one model file on one port."""

    name: str
    arguments: tuple[str, ...]
    """Of Python; `{port}` stands for the port."""
    forms: Mapping[str, Form]
    """By kind: json, binary."""
    python: Path = Path(sys.executable)
    prepare: Callable[["ServerSpec", Path], tuple["ServerSpec", Mapping[str, str]]] | None = None
    """See `prepared`."""
    requirements: Path | None = None
    """Of its separate environment; None if it needs none."""

    def prepared(self, directory: Path) -> tuple["ServerSpec", Mapping[str, str]]:
        """Prepare an empty directory; returns the server to start and its environment variables."""
        return (self, {}) if self.prepare is None else self.prepare(self, directory)


def _with_key(ours: ServerSpec, directory: Path) -> tuple[ServerSpec, Mapping[str, str]]:
    """Make a database with a key in it, and the environment of production."""
    environment = {
        "GDSSM_DATABASE_URL": f"sqlite:///{directory}/gdssm.db",
        "GDSSM_AUTH": "on",
        "GDSSM_MAX_IN_FLIGHT": "256",  # more than the connections; the default is 64
    }
    create = [str(ours.python), "-m", "service", "keys", "create", "bench", "--rate-limit", str(RATE_LIMIT)]
    variables = {**os.environ, **environment}
    made = subprocess.check_output(create, cwd=ROOT, env=variables, stderr=subprocess.DEVNULL, text=True)  # noqa: S603
    key = {"Authorization": f"Bearer {made.strip()}"}
    forms = {kind: replace(form, headers={**form.headers, **key}) for kind, form in ours.forms.items()}
    return replace(ours, forms=forms), environment


OURS = ServerSpec(
    "gdssm",
    ("-m", "service", "serve", "--port", "{port}"),
    {"json": GDSSM_JSON, "binary": GDSSM_BINARY},
    prepare=_with_key,
)


def _app(name: str, form: Form, kind: str = "json", *options: str) -> ServerSpec:
    arguments = (*UVICORN, *options, "--factory", f"benchmarks.serving.apps:{name}")
    return ServerSpec(name, arguments, {kind: form})


CONTROLS = (
    _app("bare", PLAIN, "json", "--no-access-log"),
    _app("orjson_app", PLAIN, "json", "--no-access-log"),
    _app("simd_app", PLAIN, "json", "--no-access-log"),
    _app("binary_app", RAW, "binary", "--no-access-log"),
)
FASTAPI = (_app("fastapi_async", PLAIN), _app("fastapi_sync", PLAIN))


PEERS = Path(__file__).parent / "peers"


def _peer(name: str, form: Form, *arguments: str) -> ServerSpec:
    """Make a server with a separate environment, see `installed`."""
    return ServerSpec(
        name,
        arguments or (str(PEERS / name / "server.py"),),
        {"json": form},
        requirements=PEERS / name / "requirements.txt",
    )


OTHERS = (
    _peer("litserve", PLAIN),
    _peer("mlserver", v2("model")),
    _peer(
        "bentoml",
        PLAIN,
        "-m",
        "bentoml",
        "serve",
        "benchmarks.serving.peers.bentoml.server:Predict",
        "--port",
        "{port}",
    ),
    _peer("kserve", v2("model")),
    _peer("ray", PLAIN),
)


CACHE = ROOT / ".bench"
"""Not in git; `make clean` removes it."""
INSTALL_TIMEOUT = 300
"""Seconds."""
PARALLEL_INSTALLATIONS = 2
"""pip unpacks and compiles on one core."""


class NotInstalled(Exception):
    """A peer cannot be installed here; the message says why."""


def installed(peers: Sequence[ServerSpec], skipped: dict[str, str], cache: Path = CACHE) -> list[ServerSpec]:
    """Install the environment of each peer; a peer whose installation fails is skipped."""

    def one(spec: ServerSpec) -> ServerSpec | None:
        assert spec.requirements is not None  # noqa: S101
        try:
            return replace(spec, python=environment(spec.requirements, cache))
        except NotInstalled as error:
            skipped[spec.name] = str(error)
            print(f"{spec.name} is skipped: {error}", flush=True)
            return None

    with ThreadPoolExecutor(PARALLEL_INSTALLATIONS) as pool:
        return [spec for spec in pool.map(one, peers) if spec]


def environment(requirements: Path, cache: Path = CACHE) -> Path:
    """Find or make the environment of some requirements.

    Args:
        requirements: A file of exact versions; the environment depends on its content.
        cache: Directory of environments.

    Returns:
        Its Python.

    Raises:
        NotInstalled: pip refused.
    """
    content = requirements.read_bytes() + sys.version.encode()
    directory = cache / f"{requirements.parent.name}-{hashlib.sha256(content).hexdigest()[:12]}"
    ready = directory / "ready"
    if not ready.exists():
        print(f"installing {requirements.parent.name} …", flush=True)
        install(created(directory), "--no-deps", "--requirement", str(requirements))
        ready.touch()
    return directory / "bin" / "python"


def created(directory: Path) -> Path:
    """Make an empty environment without pip; returns its Python."""
    venv.create(directory, clear=True)
    return directory / "bin" / "python"


def install(python: Path, *arguments: str) -> None:
    """Install into an environment with the pip of this one.

    Raises:
        NotInstalled: pip refused.
    """
    command = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet", *arguments]
    try:
        subprocess.run(command, check=True, capture_output=True, text=True, timeout=INSTALL_TIMEOUT)  # noqa: S603
    except subprocess.CalledProcessError as error:
        reason = [line for line in error.stderr.splitlines() if line.startswith("ERROR")] or [error.stderr[-300:]]
        raise NotInstalled(f"pip: {reason[-1]}") from error
    except subprocess.TimeoutExpired as error:
        raise NotInstalled(f"pip took more than {INSTALL_TIMEOUT} seconds") from error


def has_program(program: str) -> bool:
    """Return whether a program exists, after an attempt to install the Debian package of its name."""
    if not shutil.which(program) and shutil.which("apt-get"):
        for command in (["apt-get", "update"], ["apt-get", "install", "--yes", program]):
            subprocess.run(command, check=False, capture_output=True)  # noqa: S603
    return shutil.which(program) is not None
