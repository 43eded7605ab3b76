"""Bodies and answers as safetensors: the same tensors as in JSON, without a digit written out or read.

| body of | tensors | texts |
| --- | --- | --- |
| predict | `x`, `y`, `weight`, `query` | `model`, `version`, those of a context, and numbers by name |
| observations | `x`, `y`, `weight` | `columns`, `allow_precision_loss` |
| predictions of a context | `query` | `columns`, `explain`, `interval`, `quantiles`, and numbers by name |

`columns` are names as JSON, `{"x": ["size", "rooms"], "y": ["price"]}`. `explain` is `true`, or names with commas;
`quantiles` are numbers with commas.

An answer has the tensors `prediction` and, if asked for, `lower` and `upper`, `quantiles` (one more axis, the first),
`contributions`, `implicit_weights`, `intercept`, `effects.*`, `pairs.*` and `blocks.*` (see `explaining.as_tensors`);
and as texts `model`, `version`, `sha256` and `n_observations`, with a context `context_version` too, and, if there are
any, `notes` (codes) and `blocks` (names) with commas.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from itertools import islice
from typing import Any

import numpy as np
from fastapi import Request, Response
from numpy.typing import NDArray
from pydantic import BaseModel
from pydantic_core import from_json

from service import numbers
from service.api.body import JSON, JsonBodyRoute, Reader, json_reader, validate
from service.api.headers import header
from service.api.ready import PreparedResponse
from service.errors import SHOWN, InvalidInput, Problem
from service.explaining.as_tensors import tensors_of_blocks, tensors_of_effects, tensors_of_pairs
from service.explaining.terms import Explanation
from service.predictor import Prediction
from service.schemas.contexts import ContextQuery, NewObservations
from service.schemas.predictions import PredictRequest
from service.shapes import Array
from service.tensors import Tensors, numbers_of, pack, unpack

CONTENT_TYPE = "application/vnd.safetensors"
BYTES = {"content": {CONTENT_TYPE: {"schema": {"type": "string", "format": "binary"}}}}
"""How OpenAPI says it."""

AXES = {"x": (2,), "y": (1, 2), "weight": (1,), "query": (2,)}
"""Every tensor that a body may have, and how many axes."""
CELLS = {"x", "query"}
"""Those in which NaN is a missing cell."""
OBSERVED = ("x", "y", "weight")
OPTIONAL = {"weight"}
ALLOW = "allow_precision_loss"
BOOLEANS = {"true": True, "false": False}
FLOAT64 = np.dtype(np.float64)
NOT_NUMBERS = {"model", "version", "explain", "interval", "quantiles", "columns"}
"""Texts that are no parameter."""


class BinaryRoute(JsonBodyRoute):
    """Takes safetensors beside JSON, where the body is of a kind that has arrays."""

    def reader(self, request: Request, model: type[BaseModel]) -> Reader:
        """Choose by the content type."""
        sent = header(request.scope, b"content-type")
        if sent == JSON:
            return json_reader(model)
        if sent.partition(";")[0].strip().lower() == CONTENT_TYPE and model in READERS:
            return Reader(CONTENT_TYPE, READERS[model])
        return super().reader(request, model)


def predict_request(body: bytes) -> PredictRequest:
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


def observations(body: bytes) -> NewObservations:
    """Read observations; raises as `predict_request` does."""
    arrays, about = _read(body, OBSERVED)
    allow = about.pop(ALLOW, "false")
    _refuse_texts(name for name in about if name != "columns")
    if allow not in BOOLEANS:
        raise InvalidInput(Problem(ALLOW, f"must be true or false, as text; this is {allow[:40]!r}."))
    return validate({**arrays, **_columns(about), ALLOW: BOOLEANS[allow]}, NewObservations)


def context_query(body: bytes) -> ContextQuery:
    """Read the queries to a context; raises as `predict_request` does."""
    arrays, about = _read(body, ("query",))
    _refuse_texts(name for name in about if name in {"model", "version"})
    return validate({**arrays, **_asked(about), **_columns(about)}, ContextQuery)


READERS: dict[type[BaseModel], Callable[[bytes], BaseModel]] = {
    PredictRequest: predict_request,
    NewObservations: observations,
    ContextQuery: context_query,
}
"""What reads each kind of body."""


def wants_binary(request: Request) -> bool:
    """Tell whether to answer in safetensors, however the request came: if Accept names it."""
    return CONTENT_TYPE in header(request.scope, b"accept").lower()


def answer_of(answer: Prediction, explanation: Explanation | None, **more: str) -> Response:
    """Write a prediction as safetensors, in the model's precision; `more` are further texts about it."""
    model = answer.model
    about = {"model": model.name, "version": model.version, "sha256": model.file_sha256}
    shape = answer.prediction.shape[1:]
    tensors = {"prediction": answer.prediction, **_distribution(answer), **_explaining(explanation, shape)}
    about |= {"n_observations": str(answer.n_observations), **more}
    if answer.notes:
        about["notes"] = ",".join(note.code for note in answer.notes)
    if explanation and explanation.blocks:
        about["blocks"] = ",".join(block.block for block in explanation.blocks)
    content = pack(tensors, about)
    return PreparedResponse(content, CONTENT_TYPE)


def _distribution(answer: Prediction) -> dict[str, Array]:
    found = {"lower": answer.lower, "upper": answer.upper, "quantiles": answer.quantiles}
    return {name: array for name, array in found.items() if array is not None}


def _explaining(explanation: Explanation | None, shape: tuple[int, ...]) -> dict[str, Array]:
    found: dict[str, Array] = {}
    if explanation is None:
        return found
    if explanation.contributions is not None:
        found["contributions"] = explanation.contributions
    if explanation.implicit_weights:
        found["implicit_weights"] = explanation.implicit_weights.weights
        found["intercept"] = explanation.implicit_weights.intercept
    if explanation.effects:
        found |= tensors_of_effects(explanation.effects)
    if explanation.pairs is not None:
        found |= tensors_of_pairs(explanation.pairs, shape)
    if explanation.blocks:
        found |= tensors_of_blocks(explanation.blocks)
    return found


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
