"""Only the first of many errors in a body are found, which limits time and memory."""

import json
from itertools import islice, product
from string import ascii_letters

import numpy as np
import pytest
from pydantic import BaseModel

from service.api import body
from service.api.body import parse
from service.api.object_limits import FIELD_LIMIT, TRUNCATED_LIST_LENGTH
from service.api.routes.v2.schemas import InferRequest
from service.api.safetensors_bodies import read_observations
from service.errors import MAX_REPORTED_PROBLEMS, InvalidInput, MalformedBody
from service.evaluations.request import EvaluationRequest
from service.inference.tensors import HEADER_BYTES, pack
from service.schemas.contexts import CreateContext
from service.schemas.predictions import ObservationsBody, PredictRequest
from service.schemas.streams import StreamMessage
from tests.service.in_process import InProcess

MANY = 50_000
ROWS = {"x": [[1], [2]], "y": [1, 2]}
PREDICT: dict[str, object] = {"context": ROWS, "query": [[1]]}
TENSOR = {"name": "x", "shape": [1], "datatype": "FP64", "data": [1]}
TABLE = {"models": ["linear"], "suite": "data"}


def names(count: int, value: object = 1) -> dict[str, object]:
    return {f"a{i}": value for i in range(count)}


FLOODS: dict[str, tuple[type[BaseModel], dict[str, object], str]] = {
    "rows": (EvaluationRequest, TABLE | {"data": {"x": [""] * MANY, "y": [1]}}, "data.x[0]"),
    "cells": (EvaluationRequest, TABLE | {"data": {"x": [[""] * MANY], "y": [1]}}, "data.x[0][0]"),
    "wide rows": (EvaluationRequest, TABLE | {"data": {"x": [[1] * 600] * (MANY // 10), "y": [1]}}, "data.x"),
    "outputs": (EvaluationRequest, TABLE | {"data": {"x": [[1], [2]], "y": [None] * MANY}}, "data.y[0]"),
    "models": (EvaluationRequest, {"models": [1] * MANY}, "models"),
    "lengths": (EvaluationRequest, {"models": ["linear"], "curve": [0] * MANY}, "curve"),
    "names": (PredictRequest, PREDICT | names(MANY), "a0"),
    "some names": (PredictRequest, PREDICT | names(FIELD_LIMIT), "a0"),
    "names in an object": (PredictRequest, {"context": ROWS | names(MANY), "query": [[1]]}, "context.a0"),
    "parameters": (PredictRequest, PREDICT | {"parameters": names(MANY, "")}, "parameters.a0"),
    "objects": (PredictRequest, {"context": {"x": [{"a": 1}] * MANY, "y": [1]}, "query": [[1]]}, "context.x[0]"),
    "empty rows": (PredictRequest, {"context": {"x": [[]] * MANY, "y": [1]}, "query": [[1]]}, "context.x[0]"),
    "names of observations": (ObservationsBody, ROWS | names(MANY), "a0"),
    "names of a context": (CreateContext, {"observations": ROWS | names(MANY)}, "observations.a0"),
    "names of a message": (StreamMessage, {"id": 7} | names(MANY), "a0"),
    "names of a tensor": (InferRequest, {"inputs": [TENSOR | names(MANY)]}, "inputs[0].a0"),
    "tensors": (InferRequest, {"inputs": [{}] * MANY}, "inputs"),
    "parameters of the protocol": (InferRequest, {"inputs": [TENSOR], "parameters": names(MANY, "")}, "parameters"),
}


@pytest.mark.slow
@pytest.mark.parametrize("flood", FLOODS.values(), ids=FLOODS)
def test_the_first_of_many_mistakes_are_named(flood: tuple[type[BaseModel], dict[str, object], str]) -> None:
    model, sent, first = flood
    with pytest.raises(InvalidInput) as refused:
        parse(json.dumps(sent).encode(), model)
    assert refused.value.problems[0].field == first
    assert len(refused.value.problems) <= MAX_REPORTED_PROBLEMS + len(model.model_fields)


def test_too_many_valid_items_are_refused() -> None:
    for count in (FIELD_LIMIT + 1, MANY):
        with pytest.raises(InvalidInput, match=f"parameters: has more than {FIELD_LIMIT} fields"):
            parse(json.dumps(PREDICT | {"parameters": names(count)}).encode(), PredictRequest)
    parse(json.dumps(PREDICT | {"parameters": names(FIELD_LIMIT)}).encode(), PredictRequest)


def test_incomplete_body_with_many_names_is_malformed() -> None:
    with pytest.raises(MalformedBody):
        parse(json.dumps(names(MANY)).encode()[:-1], PredictRequest)


@pytest.mark.slow
def test_fields_after_many_unknown_names_are_found() -> None:
    with pytest.raises(InvalidInput) as refused:
        parse(json.dumps(names(MANY) | PREDICT).encode(), PredictRequest)
    assert {problem.field[0] for problem in refused.value.problems} == {
        "a"
    }  # context and query are not reported as missing


def test_many_tensors_are_refused_by_the_size_of_their_names() -> None:
    tensors = {f"a{i:0100}": np.zeros(0) for i in range(HEADER_BYTES // 100)}
    with pytest.raises(MalformedBody, match=str(HEADER_BYTES)):
        read_observations(pack(tensors, {}))


def test_first_unknown_tensors_and_texts_are_named() -> None:
    right = {"x": np.ones((2, 1)), "y": np.ones(2)}
    for tensors, about in ((right | {name: np.zeros(1) for name in names(500)}, {}), (right, names(500, "a"))):
        with pytest.raises(InvalidInput) as refused:
            read_observations(pack(tensors, {name: str(text) for name, text in about.items()}))
        assert len(refused.value.problems) == MAX_REPORTED_PROBLEMS


@pytest.mark.slow
def test_many_parameters_of_an_address_are_refused(client: InProcess) -> None:
    unknown = ["".join(letters) for letters in islice(product(ascii_letters, repeat=3), 10_000)]
    answer = client.get("/v1/contexts?" + "&".join(unknown))
    assert answer.status_code == 422
    assert f"And {MAX_REPORTED_PROBLEMS - 3} more." in answer.json()["error"]


@pytest.mark.parametrize("entry", [{}, [], {"a": 1}, ["", ""]])
def test_many_invalid_items_are_not_constructed(monkeypatch: pytest.MonkeyPatch, entry: object) -> None:
    monkeypatch.setattr(body, "from_json", None)
    with pytest.raises(InvalidInput, match=r"context.x\[0\]"):
        parse(json.dumps({"context": {"x": [entry] * MANY, "y": [1]}, "query": [[1]]}).encode(), PredictRequest)


def test_mistakes_after_a_valid_beginning_are_refused() -> None:
    data: list[object] = [1] * TRUNCATED_LIST_LENGTH + [[]] * MANY
    tensor = {"name": "x", "shape": [TRUNCATED_LIST_LENGTH], "datatype": "FP64", "data": data}
    with pytest.raises(InvalidInput, match="more than 10000 names, objects or empty lists"):
        parse(json.dumps({"inputs": [tensor]}).encode(), InferRequest)
