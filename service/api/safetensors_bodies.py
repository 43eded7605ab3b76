"""Request bodies as safetensors: the same fields as in JSON.

| body | tensors | metadata |
| --- | --- | --- |
| prediction | `x`, `y`, `weight`, `query` | `model`, `version`, `levels`, the metadata of a query, and parameters |
| observations | `x`, `y`, `weight` | `columns`, `allow_precision_loss` |
| observations of many contexts | the same | the same, and `contexts` or `names`, and `create` |
| queries to many contexts | `query` | `contexts` or `names`, `columns`, `interval`, `quantiles` |
| query of a context | `query` | `columns`, `explain`, `interval`, `quantiles`, and parameters by name |

`columns` is JSON: `{"x": ["size", "rooms"], "y": ["price"]}`, and so is `levels`: `[3, 4]`. `explain` is `true`, or
names separated by commas; `quantiles` are numbers separated by commas.
"""

from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError
from pydantic_core import from_json

from service import numbers
from service.api.body import validate
from service.errors import MAX_REPORTED_PROBLEMS, InvalidInput, Problem
from service.inference.sizes import Array
from service.inference.tensors import Tensors, numbers_of, unpack
from service.schemas.batches import ObservationColumns, QueryColumns
from service.schemas.contexts import ContextQuery, NewObservations
from service.schemas.predictions import PredictRequest

AXES = {"x": (2,), "y": (1, 2), "weight": (1,), "query": (2,)}
"""Numbers of axes that a tensor may have."""
TENSORS_WITH_MISSING = {"x", "query"}
"""Tensors in which NaN is a missing cell."""
OBSERVATION_TENSORS = ("x", "y", "weight")
OPTIONAL_TENSORS = {"weight"}
CONTEXTS = ("contexts", "names")
"""Metadata with the contexts of the rows, as JSON."""
ALLOW_PRECISION_LOSS = "allow_precision_loss"
BOOLEANS = {"true": True, "false": False}
FLOAT64 = np.dtype(np.float64)
TEXT_METADATA = {"model", "version", "explain", "interval", "quantiles", "columns", "levels"}
"""Metadata that is not a parameter of the model."""


def read_predict_request(body: bytes) -> PredictRequest:
    """Read the body of a prediction.

    Raises:
        MalformedBody: It is not safetensors.
        InvalidInput: A tensor is missing, unknown or invalid.
    """
    arrays, metadata = _read(body, AXES)
    fields: dict[str, Any] = {"query": arrays.pop("query"), "context": arrays}
    fields |= {name: metadata[name] for name in ("model", "version") if name in metadata}
    if metadata.keys() <= {"model", "version"}:  # no lists and no parameters, of which there may be too many
        with suppress(ValidationError):  # `validate` names all problems
            return PredictRequest.model_validate(fields)
    _refuse_metadata(name for name in metadata if name == "columns")
    fields["context"] = arrays | _levels(metadata)
    return validate(fields | _options(metadata), PredictRequest)


def read_observations(body: bytes) -> NewObservations:
    """Read observations; raises the errors of `read_predict_request`."""
    arrays, metadata = _read(body, OBSERVATION_TENSORS)
    allow = _allow_precision_loss(metadata)
    _refuse_metadata(name for name in metadata if name != "columns")
    return validate({**arrays, **_columns(metadata), **allow}, NewObservations)


def read_observation_columns(body: bytes) -> ObservationColumns:
    """Read observations of many contexts; raises the errors of `read_predict_request`."""
    arrays, metadata = _read(body, OBSERVATION_TENSORS)
    allow = _allow_precision_loss(metadata)
    _refuse_metadata(name for name in metadata if name not in {*CONTEXTS, "create", "columns"})
    fields = _json_fields(metadata, (*CONTEXTS, "create"))
    return validate({**arrays, **fields, **_columns(metadata), **allow}, ObservationColumns)


def read_query_columns(body: bytes) -> QueryColumns:
    """Read queries to many contexts; raises the errors of `read_predict_request`."""
    arrays, metadata = _read(body, ("query",))
    _refuse_metadata(name for name in metadata if name not in {*CONTEXTS, "columns", "interval", "quantiles"})
    fields = _json_fields(metadata, CONTEXTS)
    options = _options({name: text for name, text in metadata.items() if name in {"interval", "quantiles"}})
    return validate({**arrays, **fields, **options, **_columns(metadata)}, QueryColumns)


def _allow_precision_loss(metadata: dict[str, str]) -> dict[str, bool]:
    allow = metadata.pop(ALLOW_PRECISION_LOSS, "false")
    if allow not in BOOLEANS:
        raise InvalidInput(Problem(ALLOW_PRECISION_LOSS, f"must be true or false, as text; this is {allow[:40]!r}."))
    return {ALLOW_PRECISION_LOSS: BOOLEANS[allow]}


def _json_fields(metadata: Mapping[str, str], names: Collection[str]) -> dict[str, object]:
    try:
        return {name: from_json(metadata[name]) for name in names if name in metadata}
    except ValueError:
        raise InvalidInput(Problem("", f"The metadata {', '.join(names)} must be JSON.")) from None


def read_context_query(body: bytes) -> ContextQuery:
    """Read the queries to a context; raises the errors of `read_predict_request`."""
    arrays, metadata = _read(body, ("query",))
    _refuse_metadata(name for name in metadata if name in {"model", "version", "levels"})
    return validate({**arrays, **_options(metadata), **_columns(metadata)}, ContextQuery)


def _read(body: bytes, names: Collection[str]) -> tuple[dict[str, Array], dict[str, str]]:
    """Read the tensors and the metadata of a body, without `format`, which some libraries add."""
    tensors, metadata = unpack(body)
    _check_names(tensors, names)
    metadata.pop("format", None)
    return {name: _array(name, tensor) for name, tensor in tensors.items()}, metadata


def _refuse_metadata(names: Iterable[str]) -> None:
    reported = islice(names, MAX_REPORTED_PROBLEMS)
    problems = [Problem(name[:100], "is not a text of this request. Leave it out.") for name in reported]
    if problems:
        raise InvalidInput(*problems)


def _check_names(tensors: Tensors, names: Collection[str]) -> None:
    if {*names} - OPTIONAL_TENSORS <= tensors.keys() <= {*names}:
        return
    problems = [
        Problem(name[:100], f"is not a tensor of this request. Leave it out; the tensors here are {', '.join(names)}.")
        for name in islice((name for name in tensors if name not in names), MAX_REPORTED_PROBLEMS)
    ]
    missing = [name for name in names if name not in tensors and name not in OPTIONAL_TENSORS]
    problems += [Problem(name, "is missing. Send it.") for name in missing]
    if problems:
        raise InvalidInput(*problems)


def _array(name: str, tensor: NDArray[Any]) -> Array:
    if tensor.ndim not in AXES[name]:
        axes = " or ".join(map(str, AXES[name]))
        remedy = " Send one column as rows of one number." if tensor.ndim == 1 else ""
        raise InvalidInput(Problem(name, f"must have {axes} axes; this has the shape {tensor.shape}.{remedy}"))
    if tensor.size == 0:
        raise InvalidInput(Problem(name, f"is empty; it has the shape {tensor.shape}. Send at least one number."))
    return numbers_of(tensor, FLOAT64, name, missing=name in TENSORS_WITH_MISSING)


def _options(metadata: Mapping[str, str]) -> dict[str, object]:
    """Read the parameters of the model, and the fields `explain`, `interval` and `quantiles`."""
    options: dict[str, object] = {}
    parameters = {
        name: _number(f"parameters.{name[:100]}", text) for name, text in metadata.items() if name not in TEXT_METADATA
    }
    if parameters:
        options["parameters"] = parameters
    if "explain" in metadata:
        text = metadata["explain"]
        options["explain"] = text == "true" if text in {"true", "false"} else text.split(",")
    if "interval" in metadata:
        options["interval"] = _number("interval", metadata["interval"])
    if "quantiles" in metadata:
        options["quantiles"] = [_number("quantiles", text) for text in metadata["quantiles"].split(",")]
    return options


def _columns(metadata: Mapping[str, str]) -> dict[str, object]:
    if "columns" not in metadata:
        return {}
    try:
        return {"columns": from_json(metadata["columns"])}
    except ValueError:
        text = f'must be the JSON of names, such as {{"x": ["size", "rooms"]}}; this is {metadata["columns"][:40]!r}.'
        raise InvalidInput(Problem("columns", text)) from None


def _levels(metadata: Mapping[str, str]) -> dict[str, object]:
    if "levels" not in metadata:
        return {}
    try:
        return {"levels": from_json(metadata["levels"])}
    except ValueError:
        text = f"must be the JSON of column numbers, such as [3, 4]; this is {metadata['levels'][:40]!r}."
        raise InvalidInput(Problem("context.levels", text)) from None


def _number(name: str, text: str) -> float:
    try:
        return numbers.number(float(text), name)
    except ValueError:
        problem = Problem(name, f"must be a number, written as text; this is {text[:40]!r}.")
        raise InvalidInput(problem) from None
