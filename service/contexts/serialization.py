"""A state as bytes: safetensors of its tensors for its row, and with a header and a hash for an export.

`compact` omits half of a symmetric tensor; version 1 of the exported format has all of it, and is read too.

The hash detects accidental changes; it is no signature. So names, shapes, dtypes and values of an import are checked
against the model that is served here. A row is not an import: only the shapes of its tensors are checked, because the
model file may have been replaced.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal, NoReturn

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import to_json
from safetensors import SafetensorError
from safetensors.numpy import load, save

from service.column_names import NO_NAMES, ColumnNames
from service.contexts.tables import SCHEMA_LENGTH_LIMIT, check_schema
from service.errors import InvalidInput, Problem
from service.inference.artifact import UNHASHED, Manifest, content_hash
from service.inference.checks import LARGEST_VALUE, Limits
from service.inference.sizes import Array, measure, shape_of
from service.levels import check_levels
from service.states import drift
from service.states.context_state import COUNT_LIMIT, ContextState, FeatureScale, check_size, declared, new_state
from service.states.forgetting import AUTO, Auto
from service.states.history import HistoryHeader, history_fields
from service.states.removal import check_possible, has_possible_squares
from service.states.tensors import (
    BUFFER,
    COMOMENT,
    COUNT,
    SCALE,
    SQUARES,
    State,
    as_safetensors,
    canonical,
    compact,
    unpacked,
    with_buffer,
)

EXPORT_AGAIN = "Export the context again."
WEIGHT_SUM_TOLERANCE = 0.01
"""Relative error that a sum of a million weights in float32 may have."""
METADATA_KEY = "gdssm.context"
"""Key of the header in the metadata of a file."""
FIRST_FORMAT = "gdssm-context/1"
"""Has all of every tensor."""
LENGTH = 8
"""Bytes at the start of a safetensors file with the length of its JSON header, little endian."""
Count = Annotated[int, Field(ge=0, le=COUNT_LIMIT)]
Width = Annotated[int, Field(ge=1, le=2**31 - 1)]
"""Columns; the database has a column of 32 bits for them."""


class StateHeader(BaseModel):
    """The fields of a state that are neither tensors nor columns of its row."""

    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False, strict=True)

    n_counted: Count
    absolute_weight_sum: float = Field(ge=0, alias="turnover")
    y_is_1d: bool | None = Field(alias="flat_y")
    scale: tuple[tuple[float, ...], tuple[float, ...]] | None = None
    history: HistoryHeader | None = None
    levels: tuple[Annotated[int, Field(ge=0)], ...] = ()


class Header(StateHeader):
    """The header of an exported context: see `ContextState` for its fields."""

    model_config = ConfigDict(extra="forbid")

    format: Literal["gdssm-context/1", "gdssm-context/2"] = "gdssm-context/2"
    model: str
    model_version: str
    model_sha256: str
    decay: Annotated[float, Field(gt=0, le=1)] | Auto | None
    n_observations: Count
    inputs: Width | None
    outputs: Width | None
    columns: ColumnNames = NO_NAMES
    table_schema: Annotated[str, Field(max_length=SCHEMA_LENGTH_LIMIT)] | None = None
    sha256: str = Field(UNHASHED, pattern=r"^[0-9a-f]{64}$")
    """Hash of all the bytes, with this value replaced by 64 zeros."""


ROW_FIELDS = ("decay", "n_observations", "inputs", "outputs", "columns", "table_schema")
"""Fields of a state that are columns of its row."""
STATE_FIELDS = ("n_counted", "absolute_weight_sum", "y_is_1d", "scale", "levels")


@dataclass(frozen=True)
class ContextArchive:
    """An exported context whose bytes are whole; not yet checked against a model."""

    header: Header
    tensors: Mapping[str, Array]


def canonical_state(state: ContextState) -> ContextState:
    """Round a state as storage does: the same state is read after it was written."""
    return state if state.tensors is None else replace(state, tensors=canonical(state.tensors))


def store(state: ContextState) -> bytes:
    """Write a state for its row: the tensors, and the fields that the row has no column for."""
    fields: dict[str, object] = {
        "n_counted": state.n_counted,
        "turnover": state.absolute_weight_sum,
        "flat_y": state.y_is_1d,
        "scale": state.scale,
        "history": None if state.history is None else history_fields(state.history),
    }
    if state.levels:
        fields["levels"] = state.levels
    return as_safetensors(compact(state.tensors or {}), METADATA_KEY, to_json(fields).decode())


def restore(stored: bytes, manifest: Manifest, fields: Mapping[str, Any]) -> ContextState:
    """Read the state of a row, which this version or an earlier one has stored.

    Args:
        stored: The bytes that `store` wrote; before, they were those of an export.
        manifest: Of the model that is served now.
        fields: The ROW_FIELDS.

    Raises:
        InvalidInput: The tensors are not those of the model.
    """
    tensors = load(stored)
    header = StateHeader.model_validate_json(_metadata(stored)[METADATA_KEY])
    state = _state(header, unpacked(tensors), fields)
    if state.tensors is None:
        return state
    whole = _whole_state(manifest, state, state.tensors)
    return replace(state, tensors=canonical(whole) if COMOMENT in tensors else whole)


def export(manifest: Manifest, state: ContextState) -> bytes:
    """Write a state with a header and a hash, to the bit if it is `canonical_state`.

    Args:
        manifest: Of its model.
        state: With or without tensors.
    """
    header = Header.model_validate(
        {
            "model": manifest.name,
            "model_version": manifest.version,
            "model_sha256": manifest.sha256,
            "history": None if state.history is None else history_fields(state.history),
            **{name: getattr(state, name) for name in (*ROW_FIELDS, *STATE_FIELDS)},
        },
        by_name=True,
    )
    unknown = {  # to earlier versions
        "columns": state.columns != NO_NAMES,
        "levels": bool(state.levels),
        "table_schema": state.table_schema is not None,
    }
    left_out = {field for field, is_used in unknown.items() if not is_used}
    file = save(compact(state.tensors or {}), {METADATA_KEY: header.model_dump_json(by_alias=True, exclude=left_out)})
    return file.replace(UNHASHED.encode(), content_hash(file, UNHASHED).encode(), 1)


def read(file: bytes) -> ContextArchive:
    """Read an exported context.

    Raises:
        InvalidInput: The bytes are something else, cut short, or changed.
    """
    try:
        tensors = load(file)
        header = Header.model_validate_json(_metadata(file)[METADATA_KEY])
    except (SafetensorError, ValidationError, KeyError, ValueError, TypeError) as error:
        _refuse(f"are no exported context, or not all of one ({_line(error)}). Send what the export gave, unchanged.")
    if content_hash(file, header.sha256) != header.sha256:
        _refuse("do not match their hash: they were changed since they were written. Export the context again.")
    try:
        if header.format != FIRST_FORMAT and COMOMENT in tensors:
            raise ValueError(f"{COMOMENT} in full")
        return ContextArchive(header, unpacked(tensors))
    except ValueError as error:
        _refuse(f"hold other tensors than their model has: {error}. Send what the export gave, unchanged.")


def state_of_archive(archive: ContextArchive, manifest: Manifest) -> ContextState:
    """Check the tensors of an import against the model that they are for.

    Raises:
        InvalidInput: They are not the model's, or hold values that no observations lead to.
    """
    header = archive.header
    if header.history is not None and header.history.rows > header.n_observations:
        _refuse(
            f"hold a history of {header.history.rows} rows, of {header.n_observations} observations. {EXPORT_AGAIN}"
        )
    state = _state(header, archive.tensors, {name: getattr(header, name) for name in ROW_FIELDS})
    empty = replace(new_state(manifest, state.decay, state.scale, state.columns), table_schema=state.table_schema)
    check_schema(state, manifest)
    if state.tensors is not None:
        _check_columns(empty, state)
        whole = _whole_state(manifest, state, state.tensors)
        return replace(state, tensors=canonical(whole) if header.format == FIRST_FORMAT else whole)
    if state.history is not None or state != empty:
        _refuse(f"speak of {state.n_observations} observations, or of their columns, and hold no state. {EXPORT_AGAIN}")
    return state


def check_imported(state: ContextState, manifest: Manifest, limits: Limits) -> None:
    """Check an imported state against the limits, and its values for consistency.

    Raises:
        InvalidInput: It is over a limit, or no observations lead to such values.
    """
    check_size(state, limits)
    if state.tensors is None:
        return
    for problem in _state_problems(manifest, state.tensors):
        _refuse(f"hold {problem}. {EXPORT_AGAIN}")
    if any((state.tensors[name] != tensor).any() for name, tensor in declared(state.scale).items()):
        _refuse(f"hold features of another scale than the one that they declare. {EXPORT_AGAIN}")
    check_possible(drift.of_model(state.tensors), state.absolute_weight_sum)
    counted, enough = state.n_counted, state.absolute_weight_sum * (1 + WEIGHT_SUM_TOLERANCE)
    possible = 0 < state.n_observations >= counted >= (state.count > 0) and state.count <= enough
    largest = LARGEST_VALUE if SQUARES in state.tensors else np.inf
    if not possible or enough > largest or not has_possible_squares(state.tensors, enough + counted):
        _refuse(f"speak of {state.n_observations} observations, of which no such state comes. {EXPORT_AGAIN}")


def _check_columns(empty: ContextState, state: ContextState) -> None:
    """Check the numbers of columns against the model, the declared scale and the names."""
    if state.inputs is None or state.outputs is None or state.y_is_1d is None:
        _refuse(f"hold a state, and not the numbers of columns of x and y. {EXPORT_AGAIN}")
    if list(state.levels) != sorted({*state.levels}):
        _refuse(f"hold levels out of order. {EXPORT_AGAIN}")
    if state.y_is_1d and state.outputs != 1:
        _refuse(f"speak of y as numbers, of {state.outputs} columns. {EXPORT_AGAIN}")
    if empty.inputs not in {None, state.inputs} or empty.outputs not in {None, state.outputs}:
        text = f"speak of {state.inputs} columns of x and {state.outputs} of y"
        _refuse(f"{text}; the model, the scale or the names are for {empty.inputs} and {empty.outputs}. {EXPORT_AGAIN}")


def _whole_state(manifest: Manifest, context_state: ContextState, state: State) -> State:
    """Check names, dtypes and shapes; returns the tensors in the model's order, with the buffer that was left out.

    safetensors has no order, and what a runtime keeps for tensors of some shapes it keeps for their order.
    """
    assert context_state.inputs is not None  # noqa: S101  (as `_check_columns` has seen, and the next)
    assert context_state.outputs is not None  # noqa: S101
    if context_state.levels:
        check_levels(manifest, context_state.levels, context_state.inputs)
    batch = drift.FACTORS if context_state.decay == AUTO else 1
    sizes = {"x": np.empty((batch, 0, context_state.inputs)), "y": np.empty((batch, 0, context_state.outputs))}
    widths = measure(manifest.inputs, sizes)
    if manifest.features is not None:
        present = state.get("state.present")
        with_indicators = present is not None and present.ndim == 2 and present.shape[1] > 0
        features = manifest.features.sizes(context_state.inputs - len(context_state.levels))
        widths |= {"G": context_state.inputs if with_indicators else 0, **features}
    expected = {spec.name: (spec.dtype, shape_of(spec, widths)) for spec in manifest.state}
    if context_state.decay == AUTO:
        others = drift.shapes(state, context_state.inputs, context_state.outputs)
        expected |= {name: (manifest.dtype, shape) for name, shape in others.items()}
    found = {name: (str(tensor.dtype), tensor.shape) for name, tensor in state.items()}
    found |= {name: expected[name] for name in BUFFER if name in expected and name not in found}
    if expected != found:
        different = sorted(name for name in expected.keys() | found.keys() if expected.get(name) != found.get(name))
        _refuse(f"hold other tensors than model {manifest.name} has: {', '.join(different)[:200]}. Send its own.")
    whole = with_buffer(state, expected)
    return {name: whole[name] for name in expected}


def _state(header: StateHeader, tensors: Mapping[str, Array], row: Mapping[str, Any]) -> ContextState:
    fields = {**row, **{name: getattr(header, name) for name in STATE_FIELDS}}
    if header.scale is not None:
        fields["scale"] = FeatureScale(*header.scale)
    columns = (fields["inputs"] or 0) + (fields["outputs"] or 0)
    try:
        history = None if header.history is None else header.history.history(columns)
    except ValueError as error:
        _refuse(f"hold {error}, which is not that of this context. {EXPORT_AGAIN}")
    return ContextState(tensors=tensors or None, history=history, **fields)


def _metadata(file: bytes) -> dict[str, str]:
    length = int.from_bytes(file[:LENGTH], "little")
    metadata: dict[str, str] = json.loads(file[LENGTH : LENGTH + length])["__metadata__"]
    return metadata


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:200]


def _refuse(text: str) -> NoReturn:
    raise InvalidInput(Problem("", f"The bytes {text}"))


ROUNDING = 1e-6
"""Relative error that sums of squares may have, and that a share of the weights may be beyond 0 or 1."""
NOT_NEGATIVE = (COUNT, "state.peak", "state.spread", "state.last_weight")
SUM = "state.gated_sum"
MEAN = "state.mean"
SUMS = (COMOMENT, SUM, SQUARES)
FLAGS = ("state.frozen", "state.buffer_present")
"""Zeros and ones."""


def _state_problems(manifest: Manifest, state: State) -> Iterator[str]:
    """Describe values that a state of a model cannot hold.

    Args:
        manifest: Of the model.
        state: Tensors by input name, of the right dtypes and shapes.
    """
    for name, tensor in state.items():
        if not _is_finite(manifest, name, tensor):
            yield f"a value that is not a finite number, in {name}"
            return
    for name in NOT_NEGATIVE:
        if name in state and (state[name] < 0).any():
            yield f"a negative number, in {name}"
    for name in FLAGS:
        if name in state and not np.isin(state[name], (0, 1)).all():
            yield f"flags that are neither 0 nor 1, in {name}"
    if "state.present" in state and (np.abs(state["state.present"] - 0.5) > 0.5 + ROUNDING).any():
        yield "a share that is not between 0 and 1, in state.present"
    yield from _without_squares(state)
    if drift.WEIGHT in state and (state[drift.WEIGHT] <= 0).any():
        yield f"a weight that is not positive, in {drift.WEIGHT}"
    if SCALE[0] in state:
        yield from _unlike_buffer(state)
    yield from _negative_squares(manifest, state)


def _is_finite(manifest: Manifest, name: str, tensor: Array) -> bool:
    missing = np.isnan(tensor) if name == drift.X and manifest.missing_cells else False
    return bool((np.isfinite(tensor) | missing).all())


def _without_squares(state: State) -> Iterator[str]:
    """Observations have values with squares, and nothing is left of none."""
    for name in (MEAN, *BUFFER):
        if name in state and (np.abs(state[name]) > LARGEST_VALUE).any():
            yield f"a value beyond {LARGEST_VALUE:g}, in {name}"
    if not state[COUNT].any() and any(state[name].any() for name in SUMS if name in state):
        yield "sums of no observations"


def _unlike_buffer(state: State) -> Iterator[str]:
    """Until the scale of the features is fixed, a state holds all of its observations as they came, and then none."""
    is_fixed = state[SCALE[0]] == 1
    if any(state[name][is_fixed].any() for name in BUFFER):
        yield "observations that wait for a scale which is fixed, in state.buffer"
    weight = state["state.buffer_weight"]
    rounding = ROUNDING * np.maximum(np.abs(weight).sum(1), 1.0)
    if (~is_fixed & (np.abs(weight.sum(1) - state[COUNT]) > rounding)).any():
        yield f"another sum of weights than their observations have, in {COUNT}"


def _negative_squares(manifest: Manifest, state: State) -> Iterator[str]:
    """Sums of squares on the diagonal of plain sums that forget nothing by themselves; of comoments see `removal`."""
    if manifest.merge.rule != "scan":
        return
    squares = np.diagonal(state[SUM], axis1=1, axis2=2)
    if (squares < -ROUNDING * np.abs(squares).max(1, keepdims=True, initial=0.0)).any():
        yield f"a negative sum of squares, in {SUM}"
