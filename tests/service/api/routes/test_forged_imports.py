"""Forged archives: each is refused, or makes a context that can be used."""

import json
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import httpx
import numpy as np
import pytest
from safetensors.numpy import load, save

from service.column_names import ColumnNames
from service.contexts import serialization
from service.inference.artifact import UNHASHED, content_hash
from service.inference.checks import Limits
from service.settings import Settings
from service.states.context_state import ContextState, FeatureScale, new_state
from service.states.forgetting import Decay
from service.states.learning import learn
from tests.service.in_process import InProcess, in_process
from tests.service.states.test_context_state import STREAMING, observations, zoo

pytestmark = pytest.mark.filterwarnings("ignore:.*encountered in.*:RuntimeWarning")

Tensors = dict[str, np.ndarray]
Header = dict[str, Any]
Change = Callable[[Tensors, Header], object]
Answers = Iterator[httpx.Response]
OCTETS = {"Content-Type": "application/octet-stream"}
STEP = 7
"""The step between tested values of a field or a tensor; each archive has another offset."""


@pytest.fixture(scope="module")
def service() -> Iterator[InProcess]:
    """A service without keys, in memory."""
    with in_process(Settings(database_url="sqlite://")) as client:
        yield client


def kept(
    model: str,
    rows: int = 11,
    decay: Decay = None,
    *,
    missing: bool = False,
    scaled: bool = False,
    named: bool = False,
    wide: int = 0,
) -> ContextState:
    """The state of a context of a model."""
    runtime, (seen, _) = zoo()[model], observations(model, 0, rows or 1)
    if wide:
        seen = seen._replace(x=np.random.default_rng(0).normal(size=(rows, wide)))
    if missing:
        seen.x[1, 0] = np.nan
    width, outputs = seen.x.shape[1], seen.y.shape[1]
    scale = FeatureScale((0.0,) * width, (1.0,) * width) if scaled else None
    names = ColumnNames(tuple(f"x{i}" for i in range(width)), tuple(f"y{i}" for i in range(outputs)))
    memory = new_state(runtime.manifest, decay, scale, names if named else ColumnNames())
    return learn(runtime, Limits(100, 100), memory, seen) if rows else memory


ALIKE = {"gd-8", "linear-2step-trained", "linear-vector-trained", "sine-trained"}
"""Models whose states have the tensors of gd-1, linear-trained and sine-4step-trained, in other sizes."""

VALID: dict[str, tuple[str, Callable[[str], ContextState]]] = {
    **{model: (model, kept) for model in STREAMING if model not in ALIKE},
    "linear, empty": ("linear", partial(kept, rows=0)),
    "linear, decay 0.9": ("linear", partial(kept, decay=0.9)),
    "linear, decay auto": ("linear", partial(kept, decay="auto")),
    "linear, missing cells": ("linear", partial(kept, missing=True)),
    "linear, names": ("linear", partial(kept, named=True)),
    "linear, names, empty": ("linear", partial(kept, rows=0, named=True)),
    "linear, 70 columns": ("linear", partial(kept, rows=20, wide=70)),
    "gd-1, decay 0.9": ("gd-1", partial(kept, decay=0.9)),
    "sine-trained, empty": ("sine-trained", partial(kept, rows=0)),
    "nonlinear, 40 rows": ("nonlinear", partial(kept, rows=40)),
    "nonlinear, decay auto": ("nonlinear", partial(kept, rows=40, decay="auto")),
    "nonlinear, missing cells": ("nonlinear", partial(kept, missing=True)),
    "nonlinear, a scale": ("nonlinear", partial(kept, scaled=True)),
    "nonlinear, a scale, empty": ("nonlinear", partial(kept, rows=0, scaled=True)),
}

VALUES: list[object] = [
    *(0, 1, 2, 7, -1, 2**31, 2**53 - 1, 2**53, 2**63, 10**30, 0.5, 1.5, 5e-324, 1e300, -1e300, 1.7e308),
    *(None, True, False, "", "auto", "0.5", "\0", "linear", "2.0.0", float("nan"), float("inf")),
    *([], {}, [[0.0], [1.0]], [[], []], [[0.0] * 5, [-1.0] * 5], [[0.0] * 5, [1e300] * 5], [[0.0] * 4, [1.0] * 5]),
    *({"x": []}, {"x": ["a"]}, {"x": list("abcde")}, {"x": list("aabcd")}, {"y": ["\0", "b", "c"]}, {"z": ["a"]}),
]
FILLS = [0.0, 1.0, -1.0, 0.5, 2.0**53, 1e19, 1e160, -1e160, 1e308, -1e308, 5e-324, np.nan, np.inf]


def entry(tensor: np.ndarray, *, value: float, place: int) -> np.ndarray:
    """Replace one number of an array."""
    changed = tensor.copy()
    if changed.size:
        changed.flat[place % changed.size] = value
    return changed


RETYPED: list[Callable[[np.ndarray], np.ndarray]] = [
    *(partial(np.full_like, fill_value=fill) for fill in FILLS),
    *(partial(entry, value=fill, place=place) for fill in FILLS for place in (0, 1, -1)),
    np.negative,
    lambda tensor: tensor * 1e150,
    lambda tensor: tensor * 1e-300,
    lambda tensor: tensor[..., None],
    lambda tensor: tensor[None],
    lambda tensor: tensor[:0],
    lambda tensor: tensor[..., :-1],
    lambda tensor: np.concatenate([tensor, tensor]),
    lambda tensor: tensor.T,
    lambda tensor: tensor.astype(np.float32 if tensor.dtype == np.float64 else np.float64),
    lambda tensor: tensor.astype(np.int64),
    lambda tensor: tensor != 0,
    lambda tensor: np.random.default_rng(0).normal(size=tensor.shape).astype(tensor.dtype),
]


def relabel(_: Tensors, header: Header, *, path: tuple[str, ...], value: object) -> None:
    *outer, name = path
    for field in outer:
        header = header[field]
    header[name] = value


def paths(header: Header, outer: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Return the paths of all fields of a header."""
    for name, value in header.items():
        yield (*outer, name)
        if isinstance(value, dict):
            yield from paths(value, (*outer, name))


def retype(tensors: Tensors, _: Header, *, names: list[str], change: Callable[[np.ndarray], np.ndarray]) -> None:
    with np.errstate(all="ignore"):
        tensors |= {name: np.ascontiguousarray(change(tensors[name])) for name in names}


def leave_out(tensors: Tensors, header: Header, *, name: str) -> None:
    tensors.pop(name, None)
    header.pop(name, None)


def add(tensors: Tensors, _: Header, *, name: str) -> None:
    tensors[name] = np.ones((1, 8, 8))


def changes(tensors: Tensors, header: Header, start: int) -> Iterator[tuple[str, Change]]:
    """Change every field and every tensor of an archive, and all tensors in one way."""
    fields = [*paths(header), ("columns",), ("scale",), ("note",)]
    for number, path in enumerate(fields):
        for value in VALUES[(start + number) % STEP :: STEP]:
            yield f"{'.'.join(path)} = {value!r}", partial(relabel, path=path, value=value)
    kinds = [*([name] for name in tensors), sorted(tensors)]
    for number, names in enumerate(kinds):
        for place in range((start + number) % STEP, len(RETYPED), STEP):
            yield f"{', '.join(names)}, change {place}", partial(retype, names=names, change=RETYPED[place])
    for name in (*header, *tensors):
        yield f"{name} left out", partial(leave_out, name=name)
    yield "no tensors", lambda tensors, _: tensors.clear()
    for name in ("state.more", "state.comoment", "drift.log_weight", "state.buffer", "x"):
        yield f"{name} added", partial(add, name=name)


def forged(file: bytes, change: Change) -> bytes:
    """Change an archive, and hash it again."""
    tensors = {name: tensor.copy() for name, tensor in load(file).items()}
    header = header_of(file) | {"sha256": UNHASHED}
    change(tensors, header)
    changed = save(tensors, {serialization.METADATA_KEY: json.dumps(header)})
    return changed.replace(UNHASHED.encode(), content_hash(changed, UNHASHED).encode(), 1)


def header_of(file: bytes) -> Header:
    found: Header = json.loads(serialization._metadata(file)[serialization.METADATA_KEY])
    return found


def load_into(service: InProcess, file: bytes) -> httpx.Response:
    return service.request("POST", "/v1/contexts/import", content=file, headers=OCTETS)


def use(service: InProcess, record: Header, other: str) -> Answers:
    """Use a context in every way, and import it again."""
    one = f"/v1/contexts/{record['id']}"
    yield from _ask(service, one, record)
    yield from _observe(service, one, record)
    yield from _merge(service, one, record, other)
    yield from _ask(service, one, record)
    state = service.get(f"{one}/state")
    yield state
    if state.status_code == 200:
        again = load_into(service, state.content)
        yield again
        assert again.status_code == 201, again.text
        yield service.request("DELETE", again.headers["location"])
    yield service.get("/v1/contexts")
    yield service.request("DELETE", one)


def _ask(service: InProcess, one: str, record: Header) -> Answers:
    yield service.get(one)
    query = np.linspace(-1.0, 2.0, 2 * (record["inputs"] or 5)).reshape(2, -1).tolist()
    for more in ({}, {"explain": True, "interval": 0.9}):
        yield service.request("POST", f"{one}/predictions", json={"query": query, **more})


def _observe(service: InProcess, one: str, record: Header) -> Answers:
    inputs, outputs = record["inputs"] or 5, record["outputs"] or 3
    x = np.linspace(-2.0, 1.0, 2 * inputs).reshape(2, -1).tolist()
    y = np.eye(outputs)[np.arange(2) % outputs].tolist()
    for weight in ([1.0, 1.0], [0.5, 1e300], [-1.0, -0.5]):
        yield service.request("POST", f"{one}/observations", json={"x": x, "y": y, "weight": weight})


def _merge(service: InProcess, one: str, record: Header, other: str) -> Answers:
    yield service.request("POST", f"{one}/merge", json={"context": other})
    body = {"model": record["model"]["name"], "version": record["model"]["version"], "decay": record["decay"]}
    made = service.request("POST", "/v1/contexts", json=body)
    yield made
    mine = f"/v1/contexts/{made.json()['id']}"
    yield service.request("POST", f"{mine}/merge", json={"context": record["id"]})
    yield service.request("POST", f"{mine}/merge", json={"context": record["id"]})
    yield service.request("POST", f"{one}/merge", json={"context": made.json()["id"]})
    yield service.request("DELETE", mine)


@pytest.mark.slow
@pytest.mark.parametrize("name", VALID)
def test_forged_archive_is_refused_or_usable(service: InProcess, name: str) -> None:
    model, make = VALID[name]
    file = serialization.export(zoo()[model].manifest, serialization.canonical_state(make(model)))
    other = load_into(service, file).json()["id"]
    wrong, accepted, refused = [], 0, 0
    for what, change in changes(load(file), header_of(file), list(VALID).index(name)):
        answer = load_into(service, forged(file, change))
        used = use(service, answer.json(), other) if answer.status_code == 201 else ()
        wrong += [
            (what, one.request.method, one.request.url.path, one.status_code, one.text[:100])
            for one in (answer, *used)
            if one.status_code >= 500
        ]
        accepted, refused = accepted + (answer.status_code == 201), refused + (answer.status_code != 201)
    assert wrong == []
    assert refused > 50
    assert accepted > 5
