"""Who takes part: how each is started, and in which words it is asked."""

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.serving.forms import GDSSM_BINARY, GDSSM_JSON, PLAIN, RAW, Form, v2

ROOT = Path(__file__).parents[2]
UVICORN = ("-m", "uvicorn", "--loop", "uvloop", "--http", "httptools", "--port", "{port}")
OFTEN = 10**9
"""Requests a minute that our key may send: a limit that is counted, and never reached."""


@dataclass(frozen=True)
class Contestant:
    """A server, as it is started for one model file on one port."""

    name: str
    arguments: tuple[str, ...]
    """Of Python; `{port}` stands for the port."""
    forms: Mapping[str, Form]
    """By kind: json, binary."""
    python: Path = Path(sys.executable)
    own: Callable[["Contestant", Path], tuple["Contestant", Mapping[str, str]]] | None = None
    """See `prepared`."""
    requirements: Path | None = None
    """Of an environment of its own, see `environments`."""

    def prepared(self, directory: Path) -> tuple["Contestant", Mapping[str, str]]:
        """Do what comes before the start, in an empty directory; returns what is started, with which variables."""
        return (self, {}) if self.own is None else self.own(self, directory)


def _with_key(ours: Contestant, directory: Path) -> tuple[Contestant, Mapping[str, str]]:
    """Make a database with a key in it, and the environment of production."""
    environment = {
        "GDSSM_DATABASE_URL": f"sqlite:///{directory}/gdssm.db",
        "GDSSM_AUTH": "on",
        "GDSSM_MAX_IN_FLIGHT": "256",  # as many as are sent at a time, and more; by default it sheds beyond 64
    }
    create = [str(ours.python), "-m", "service", "keys", "create", "bench", "--rate-limit", str(OFTEN)]
    variables = {**os.environ, **environment}
    made = subprocess.check_output(create, cwd=ROOT, env=variables, stderr=subprocess.DEVNULL, text=True)  # noqa: S603
    key = {"Authorization": f"Bearer {made.strip()}"}
    forms = {kind: replace(form, headers={**form.headers, **key}) for kind, form in ours.forms.items()}
    return replace(ours, forms=forms), environment


OURS = Contestant(
    "gdssm",
    ("-m", "service", "serve", "--port", "{port}"),
    {"json": GDSSM_JSON, "binary": GDSSM_BINARY},
    own=_with_key,
)


def _by_hand(name: str, form: Form, kind: str = "json") -> Contestant:
    arguments = (*UVICORN, "--no-access-log", f"benchmarks.serving.controls.{name}:app")
    return Contestant(name, arguments, {kind: form})


def _fastapi(name: str) -> Contestant:
    return Contestant(name, (*UVICORN, f"benchmarks.serving.peers.{name}:app"), {"json": PLAIN})


CONTROLS = (
    _by_hand("bare", PLAIN),
    _by_hand("orjson_app", PLAIN),
    _by_hand("simd_app", PLAIN),
    _by_hand("binary_app", RAW, "binary"),
)
FASTAPI = (_fastapi("fastapi_async"), _fastapi("fastapi_sync"))


PEERS = Path(__file__).parent / "peers"


def _peer(name: str, form: Form, *arguments: str) -> Contestant:
    """One that needs an environment of its own, see `installed`."""
    return Contestant(
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
