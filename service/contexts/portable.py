"""A context as bytes: its state in safetensors, with the model that it belongs to and a hash over everything.

What `compact` can add is not written; version 1 of the format has all, and is read too.

The hash tells an accident, or a careless change, from what was written; it is no signature. So nothing in the bytes is
believed because of it: names, shapes, dtypes and sizes are held against the model that is served here.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal, NoReturn

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from safetensors import SafetensorError
from safetensors.numpy import load, save

from service.artifact import UNHASHED, Manifest, content_hash
from service.contexts import drift
from service.contexts.compact import BUFFER, canonical, compact, unpacked, with_buffer
from service.contexts.drift import AUTO, Auto
from service.contexts.feature_scale import FeatureScale, check_scale
from service.contexts.history import History, HistoryHeader
from service.contexts.memory import Memory
from service.contexts.merge import State
from service.errors import InvalidInput, Problem
from service.predictor import Limits, size_problems
from service.shapes import Array, measure, shape_of

METADATA_KEY = "gdssm.context"
"""Where the label stands in the file's metadata."""
FIRST_FORMAT = "gdssm-context/1"
"""Has all of every tensor."""
LENGTH = 8
"""Bytes at the start of a safetensors file that tell how long its header is, little endian; the header is JSON."""
LARGEST = 2**53
"""Largest count that every reader of JSON can hold."""

Count = Annotated[int, Field(ge=0, le=LARGEST)]


class Label(BaseModel):
    """What stands beside the tensors: see `Memory` for the names that it shares with it."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, strict=True)

    format: Literal["gdssm-context/1", "gdssm-context/2"] = "gdssm-context/2"
    model: str
    model_version: str
    model_sha256: str
    decay: Annotated[float, Field(gt=0, le=1)] | Auto | None
    n_observations: Count
    n_counted: Count
    turnover: float = Field(ge=0)
    inputs: Annotated[int, Field(ge=1)] | None
    outputs: Annotated[int, Field(ge=1)] | None
    flat_y: bool | None
    scale: tuple[tuple[float, ...], tuple[float, ...]] | None = None
    history: HistoryHeader | None = None
    sha256: str = Field(UNHASHED, pattern=r"^[0-9a-f]{64}$")
    """Hash of all the bytes, with this value replaced by 64 zeros."""


REMEMBERED = ("decay", "n_observations", "n_counted", "turnover", "inputs", "outputs", "flat_y", "scale")
"""What a label says of a memory."""


@dataclass(frozen=True)
class Portable:
    """What bytes hold that are whole; not yet held against a model."""

    label: Label
    tensors: Mapping[str, Array]


def as_written(memory: Memory) -> Memory:
    """Make of a memory what is read of it after it was written: the same but for rounding."""
    return memory if memory.state is None else replace(memory, state=canonical(memory.state))


def write(manifest: Manifest, memory: Memory) -> bytes:
    """Write a memory down, to the bit if it is `as_written`.

    Args:
        manifest: Of its model.
        memory: With or without a state.
    """
    label = Label(
        model=manifest.name,
        model_version=manifest.version,
        model_sha256=manifest.sha256,
        history=None if memory.history is None else HistoryHeader.of(memory.history),
        **{name: getattr(memory, name) for name in REMEMBERED},
    )
    file = save(compact(memory.state or {}), {METADATA_KEY: label.model_dump_json()})
    return file.replace(UNHASHED.encode(), content_hash(file, UNHASHED).encode(), 1)


def read(file: bytes) -> Portable:
    """Read what `write` wrote.

    Raises:
        InvalidInput: The bytes are something else, cut short, or changed.
    """
    try:
        tensors = load(file)
        label = Label.model_validate_json(_metadata(file)[METADATA_KEY])
    except (SafetensorError, ValidationError, KeyError, ValueError, TypeError) as error:
        _refuse(f"are no exported context, or not all of one ({_line(error)}). Send what the export gave, unchanged.")
    if content_hash(file, label.sha256) != label.sha256:
        _refuse("do not match their hash: they were changed since they were written. Export the context again.")
    try:
        return Portable(label, unpacked(tensors))
    except ValueError as error:
        _refuse(f"hold other tensors than their model has: {error}. Send what the export gave, unchanged.")


def memory_of(portable: Portable, manifest: Manifest) -> Memory:
    """Hold the tensors against the model that they are for.

    Raises:
        InvalidInput: They are not the model's, or hold what no observations lead to.
    """
    remembered: dict[str, Any] = {name: getattr(portable.label, name) for name in REMEMBERED}
    if portable.label.scale is not None:
        remembered["scale"] = FeatureScale(*portable.label.scale)
        check_scale(manifest, remembered["scale"])
    memory = Memory(state=portable.tensors or None, history=_history_of(portable.label), **remembered)
    if memory.state is not None:
        state = _checked_state(manifest, memory, memory.state)
        return replace(memory, state=canonical(state) if portable.label.format == FIRST_FORMAT else state)
    if memory.n_observations or memory.flat_y is not None:
        _refuse(f"speak of {memory.n_observations} observations, and hold no state. Export the context again.")
    return memory


def check_size(memory: Memory, limits: Limits) -> None:
    """Hold a memory's columns to the limits.

    Raises:
        InvalidInput: They are over.
    """
    problems = size_problems(limits, memory.inputs or 0, memory.outputs or 0, 0)
    if problems:
        raise InvalidInput(*problems)


def _checked_state(manifest: Manifest, memory: Memory, state: State) -> State:
    """Hold tensors against the model; returns them in its order, with the buffer that was left out.

    safetensors has no order, and what a runtime keeps for tensors of some shapes it keeps for their order.
    """
    if memory.inputs is None or memory.outputs is None or memory.flat_y is None:
        _refuse("hold a state, and do not tell the columns of x and y. Export the context again.")
    if memory.flat_y and memory.outputs != 1:
        _refuse(f"speak of y as numbers, of {memory.outputs} columns. Export the context again.")
    batch = drift.FACTORS if memory.decay == AUTO else 1
    sizes = {"x": np.empty((batch, 0, memory.inputs)), "y": np.empty((batch, 0, memory.outputs))}
    widths = measure(manifest.inputs, sizes)
    if manifest.features is not None:
        present = state.get("state.present")
        with_indicators = present is not None and present.ndim == 2 and present.shape[1] > 0
        widths |= {"G": memory.inputs if with_indicators else 0, **manifest.features.sizes(memory.inputs)}
    expected = {spec.name: (spec.dtype, shape_of(spec, widths)) for spec in manifest.state}
    if memory.decay == AUTO:
        others = drift.shapes(state, memory.inputs, memory.outputs)
        expected |= {name: (manifest.dtype, shape) for name, shape in others.items()}
    found = {name: (str(tensor.dtype), tensor.shape) for name, tensor in state.items()}
    found |= {name: expected[name] for name in BUFFER if name in expected and name not in found}
    if expected != found:
        different = sorted(name for name in expected.keys() | found.keys() if expected.get(name) != found.get(name))
        _refuse(f"hold other tensors than model {manifest.name} has: {', '.join(different)[:200]}. Send its own.")
    for name, tensor in state.items():
        missing = np.isnan(tensor) if name == drift.X and manifest.missing_cells else False
        if not (np.isfinite(tensor) | missing).all():
            _refuse(f"hold what is not a finite number, in {name}. Export the context again.")
    if memory.decay == AUTO:
        drift.check_averages(manifest)
    if memory.count < 0 or (state.get(drift.WEIGHT, np.ones(1)) <= 0).any():
        _refuse(f"hold a count of {memory.count:g}; nothing is less than empty. Export the context again.")
    whole = with_buffer(state, expected)
    return {name: whole[name] for name in expected}


def _history_of(label: Label) -> History | None:
    if label.history is None:
        return None
    try:
        return label.history.history((label.inputs or 0) + (label.outputs or 0))
    except ValueError as error:
        _refuse(f"hold {error}, which is not that of this context. Export the context again.")


def _metadata(file: bytes) -> dict[str, str]:
    length = int.from_bytes(file[:LENGTH], "little")
    metadata: dict[str, str] = json.loads(file[LENGTH : LENGTH + length])["__metadata__"]
    return metadata


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:200]


def _refuse(text: str) -> NoReturn:
    raise InvalidInput(Problem("", f"The bytes {text}"))
