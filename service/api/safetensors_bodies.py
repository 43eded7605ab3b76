"""Request bodies as safetensors: the same tensors as in JSON, without decimal digits.

| body | tensors | metadata |
| --- | --- | --- |
| prediction | `x`, `y`, `weight`, `query` | `model`, `version`, the metadata of a query, and parameters by name |
| observations | `x`, `y`, `weight` | `columns`, `allow_precision_loss` |
| query of a context | `query` | `columns`, `explain`, `interval`, `quantiles`, and parameters by name |

`columns` is JSON: `{"x": ["size", "rooms"], "y": ["price"]}`. `explain` is `true`, or names separated by commas;
`quantiles` are numbers separated by commas.
"""

from collections.abc import Collection, Iterable, Mapping
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic_core import from_json

from service import numbers
from service.api.body import validate
from service.errors import SHOWN, InvalidInput, Problem
from service.inference.sizes import Array
from service.inference.tensors import Tensors, numbers_of, unpack
from service.schemas.contexts import ContextQuery, NewObservations
from service.schemas.predictions import PredictRequest

AXES = {"x": (2,), "y": (1, 2), "weight": (1,), "query": (2,)}
"""Tensors of all bodies, and the numbers of axes that each may have."""
CELLS = {"x", "query"}
"""Tensors in which NaN is a missing cell."""
OBSERVED = ("x", "y", "weight")
OPTIONAL = {"weight"}
ALLOW = "allow_precision_loss"
BOOLEANS = {"true": True, "false": False}
FLOAT64 = np.dtype(np.float64)
NOT_NUMBERS = {"model", "version", "explain", "interval", "quantiles", "columns"}
"""Metadata that is not a numeric parameter."""


def read_predict_request(body: bytes) -> PredictRequest:
    """Read the body of a prediction.

    Raises:
        MalformedBody: It is not safetensors.
        InvalidInput: A tensor is missing, unknown, or not what it should be.
    """
    arrays, about = _read(body, AXES)
    _refuse_texts(name for name in about if name == "columns")
    given = {
        "model": about.get("model"),
        "version": about.get("version"),
        "context": {name: arrays[name] for name in OBSERVED if name in arrays},
        "query": arrays["query"],
        **_asked(about),
    }
    return validate(given, PredictRequest)


def read_observations(body: bytes) -> NewObservations:
    """Read observations; raises as `read_predict_request` does."""
    arrays, about = _read(body, OBSERVED)
    allow = about.pop(ALLOW, "false")
    _refuse_texts(name for name in about if name != "columns")
    if allow not in BOOLEANS:
        raise InvalidInput(Problem(ALLOW, f"must be true or false, as text; this is {allow[:40]!r}."))
    return validate({**arrays, **_columns(about), ALLOW: BOOLEANS[allow]}, NewObservations)


def read_context_query(body: bytes) -> ContextQuery:
    """Read the queries to a context; raises as `read_predict_request` does."""
    arrays, about = _read(body, ("query",))
    _refuse_texts(name for name in about if name in {"model", "version"})
    return validate({**arrays, **_asked(about), **_columns(about)}, ContextQuery)


def _read(body: bytes, names: Collection[str]) -> tuple[dict[str, Array], dict[str, str]]:
    """Read the tensors that a body has to have, and the texts about them; some libraries add a `format` themselves."""
    tensors, about = unpack(body)
    _check_names(tensors, names)
    about.pop("format", None)
    return {name: _array(name, tensor) for name, tensor in tensors.items()}, about


def _refuse_texts(names: Iterable[str]) -> None:
    told = islice(names, SHOWN)
    problems = [Problem(name[:100], "is not a text of this request. Leave it out.") for name in told]
    if problems:
        raise InvalidInput(*problems)


def _check_names(tensors: Tensors, names: Collection[str]) -> None:
    problems = [
        Problem(name[:100], f"is not a tensor of this request. Leave it out; the tensors here are {', '.join(names)}.")
        for name in islice((name for name in tensors if name not in names), SHOWN)
    ]
    missing = [name for name in names if name not in tensors and name not in OPTIONAL]
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
    return numbers_of(tensor, FLOAT64, name, missing=name in CELLS)


def _asked(about: Mapping[str, str]) -> dict[str, object]:
    """Read what texts may ask beside a model: parameters, and explanations."""
    asked: dict[str, object] = {}
    parameters = {
        name: _number(f"parameters.{name[:100]}", text) for name, text in about.items() if name not in NOT_NUMBERS
    }
    if parameters:
        asked["parameters"] = parameters
    if "explain" in about:
        text = about["explain"]
        asked["explain"] = text == "true" if text in {"true", "false"} else text.split(",")
    if "interval" in about:
        asked["interval"] = _number("interval", about["interval"])
    if "quantiles" in about:
        asked["quantiles"] = [_number("quantiles", text) for text in about["quantiles"].split(",")]
    return asked


def _columns(about: Mapping[str, str]) -> dict[str, object]:
    """Read the names of columns."""
    if "columns" not in about:
        return {}
    try:
        return {"columns": from_json(about["columns"])}
    except ValueError:
        text = f'must be the JSON of names, as {{"x": ["size", "rooms"]}}; this is {about["columns"][:40]!r}.'
        raise InvalidInput(Problem("columns", text)) from None


def _number(name: str, text: str) -> float:
    try:
        return numbers.number(float(text), name)
    except ValueError:
        problem = Problem(name, f"must be a number, written as text; this is {text[:40]!r}.")
        raise InvalidInput(problem) from None
