"""Invalid requests: each is refused with a 4xx that names the field."""

import json
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.service.api.routes.v2.protocol import (
    JSON_LENGTH_HEADER,
    Body,
    X,
    in_json,
    infer,
    task,
)
from tests.service.api.routes.v2.refusals import JSON, check, refused
from tests.service.in_process import InProcess


def changed(which: int, **changes: object) -> Body:
    """A request in JSON with one changed input."""
    body = task()
    body["inputs"][which].update(changes)
    return body


HUGE = 2**31 - 1
IN_JSON = {
    "BYTES": (changed(2, datatype="BYTES"), "inputs[2].datatype", "'FP64'"),
    "BOOL": (changed(2, datatype="BOOL"), "inputs[2].datatype", "'FP64'"),
    "BF16": (changed(2, datatype="BF16"), "inputs[2].datatype", "'FP16'"),
    "a datatype in small letters": (changed(0, datatype="fp64"), "inputs[0].datatype", "'FP64'"),
    "a datatype that is a number": (changed(0, datatype=64), "inputs[0].datatype", "'FP64'"),
    "a negative axis": (changed(2, shape=[1, -2, 2]), "inputs[2].shape[1]", "greater than or equal to 0"),
    "a huge axis": (changed(2, shape=[1, 2**63, 2]), "inputs[2].shape[1]", "less than or equal to"),
    "an endless axis": (changed(2, shape=[1, 10**300, 2]), "inputs[2].shape[1]", ""),
    "an axis that is a text": (changed(2, shape=[1, "2", 2]), "inputs[2].shape[1]", "integer"),
    "an axis that is true": (changed(2, shape=[True, 2, 2]), "inputs[2].shape[0]", "integer"),
    "an axis with a fraction": (changed(2, shape=[1, 2.5, 2]), "inputs[2].shape[1]", "integer"),
    "a shape that is a number": (changed(2, shape=4), "inputs[2].shape", "list"),
    "a hundred axes": (changed(2, shape=[1] * 100), "inputs[2].shape", "at most 8"),
    "a shape that overflows": (changed(2, shape=[HUGE] * 8), "inputs[2].data", "has 4 entries; by the shape"),
    "an empty shape that overflows": (changed(2, shape=[HUGE] * 7 + [0], data=[]), "inputs[2].data", "larger than any"),
    "a flat list too short": (
        changed(0, data=[1, 2, 3]),
        "inputs[0].data",
        "has 3 entries; by the shape there should be 6",
    ),
    "a flat list too long": (changed(0, data=[1] * 7), "inputs[0].data", "has 7 entries"),
    "no numbers": (changed(0, data=[]), "inputs[0].data", "has 0 entries"),
    "ragged lists": (changed(0, data=[[[1, 2], [3], [5, 6]]]), "inputs[0].data[0][1]", "has 1 entries"),
    "too few lists": (changed(0, data=[[[1, 2], [3, 4]]]), "inputs[0].data[0]", "has 2 entries"),
    "lists not as deep as the shape": (changed(0, data=[[1, 2, 3]]), "inputs[0].data[0][0]", "must be a list"),
    "lists deeper than the shape": (
        changed(0, data=[[[[1], [2]]] * 3]),
        "inputs[0].data[0][0][0]",
        "this is a list",
    ),
    "cells that are lists": (
        changed(0, data=[[[1, [2]], [3, 4], [5, 6]]]),
        "inputs[0].data[0][0][1]",
        "this is a list",
    ),
    "a number, then lists": (changed(0, data=[1, [2], [3], [4], [5], [6]]), "inputs[0].data[1]", "this is a list"),
    "a list for a scalar": (changed(0, shape=[], data=[[1]]), "inputs[0].data[0]", "this is a list"),
    "a text": (changed(0, data=[1, 2, 3, "4", 5, 6]), "inputs[0].data[3]", "this is the text '4'"),
    "true": (changed(0, data=[1, 2, 3, True, 5, 6]), "inputs[0].data[3]", "this is true"),
    "null": (changed(1, data=[1, None, 3]), "inputs[1].data[1]", "this is null"),
    "null for a whole number": (
        changed(0, datatype="INT32", data=[1, 2, 3, None, 5, 6]),
        "inputs[0].data[3]",
        "this is null",
    ),
    "a missing cell": (
        changed(0, data=[1, 2, 3, None, 5, 6]),
        "x[0][1][1]",
        "is missing; model gd-1 takes no missing cells",
    ),
    "data that is a number": (changed(0, data=1), "inputs[0].data", "list"),
    "data that is a text": (changed(0, data="AAAA"), "inputs[0].data", "list"),
    "a fraction for a whole number": (
        changed(0, datatype="INT32"),
        "inputs[0].data",
        "has 0.5, which is not INT32. Send it as FP64, or other numbers.",
    ),
    "a number beyond INT8": (changed(2, datatype="INT8", data=[1, 2, 300, 4]), "inputs[2].data", "has 300"),
    "2**63 for INT64": (
        changed(2, datatype="INT64", data=[1, 2, 2**63, 4]),
        "inputs[2].data",
        "has 9223372036854775808",
    ),
    "2**64 for UINT64": (
        changed(2, datatype="UINT64", data=[1, 2, 2**64, 4]),
        "inputs[2].data",
        "has 18446744073709551616",
    ),
    "a negative number for UINT8": (changed(1, datatype="UINT8"), "inputs[1].data", "has -1"),
    "a number beyond FP32": (changed(2, datatype="FP32", data=[1, 2, 1e300, 4]), "x_query[0][1][0]", "is infinite"),
    "neither data nor bytes": (changed(0, data=None), "inputs[0].data", "must be a list; this is null"),
    "bytes announced and not sent": (
        changed(0, data=None, parameters={"binary_data_size": 48}),
        "inputs",
        "have 48 bytes after the JSON by their binary_data_size; there are 0",
    ),
    "a negative size": (
        changed(0, parameters={"binary_data_size": -1}),
        "inputs[0].parameters.binary_data_size",
        "greater than or equal to 0",
    ),
    "a size that is a text": (
        changed(0, parameters={"binary_data_size": "48"}),
        "inputs[0].parameters.binary_data_size",
        "integer",
    ),
    "shared memory": (
        changed(0, parameters={"shared_memory_region": "r"}),
        "inputs[0].parameters.shared_memory_region",
        "the fields here are binary_data_size",
    ),
    "one name twice": (changed(2, name="x"), "inputs[2].name", "'x' is repeated. Send each tensor once."),
    "an unknown name": (changed(2, name="query"), "query", "is not an input of model gd-1"),
    "no name": (changed(2, name=None), "inputs[2].name", "must be a text"),
    "an endless name": (changed(2, name="x" * 1000), "inputs[2].name", "at most 200"),
    "an unknown field": (changed(2, dtype="FP64"), "inputs[2].dtype", "name, shape, datatype, parameters, data"),
    "no inputs": (task(inputs=[]), "inputs", "at least 1"),
    "too many inputs": (task(inputs=[in_json("x", X)] * 101), "inputs", "at most 100"),
    "inputs that are an object": (task(inputs={}), "inputs", "list"),
    "an input that is a list": (task(inputs=[[1]]), "inputs[0]", "must be an object"),
    "an unknown output": (
        task(outputs=[{"name": "answer"}]),
        "outputs[0].name",
        "'answer' is not an output. Model gd-1 has prediction",
    ),
    "an output wanted twice": (task(outputs=[{"name": "prediction"}] * 2), "outputs[1].name", "each once."),
    "a classification": (
        task(outputs=[{"name": "prediction", "parameters": {"classification": 2}}]),
        "outputs[0].parameters.classification",
        "the fields here are binary_data",
    ),
    "a text for a truth value": (
        task(outputs=[{"name": "prediction", "parameters": {"binary_data": "yes"}}]),
        "outputs[0].parameters.binary_data",
        "boolean",
    ),
    "an unknown parameter": (
        task(parameters={"momentum": 1}),
        "parameters.momentum",
        "is not a parameter of model gd-1; it takes learning_rate",
    ),
    "an unknown parameter that is a text": (
        task(parameters={"momentum": "a"}),
        "parameters.momentum",
        "is not a parameter of model gd-1; it takes learning_rate",
    ),
    "a sequence": (task(parameters={"sequence_id": 7}), "parameters.sequence_id", "sequence, which is not supported"),
    "a sequence by name": (task(parameters={"sequence_id": "a"}), "parameters.sequence_id", "state.*"),
    "the start of a sequence": (
        task(parameters={"sequence_start": True}),
        "parameters.sequence_start",
        "sequence, which is not supported",
    ),
    "a number too large for FP16": (
        changed(0, datatype="FP16", data=[1, 2, 3, 4, 5, 70000]),
        "x[0][2][1]",
        "is 70000, too large for FP16 (at most 65504), where it is infinite. Send it as FP64.",
    ),
    "a number too small for FP16": (
        changed(0, datatype="FP16", data=[-70000] * 6),
        "x[0][0][0]",
        "is -70000, too large for FP16",
    ),
    "a number too large for FP32": (
        changed(0, datatype="FP32", data=[1, 2, 3, 4, 5, 1e39]),
        "x[0][2][1]",
        "is 1e+39, too large for FP32",
    ),
    "a parameter that is a text": (task(parameters={"learning_rate": "1"}), "parameters.learning_rate", "the text '1'"),
    "a learning rate of 0": (task(parameters={"learning_rate": 0}), "parameters.learning_rate", "greater than 0"),
    "a learning rate that is true": (
        task(parameters={"learning_rate": True}),
        "parameters.learning_rate",
        "this is true",
    ),
    "an id that is a number": (task(id=7), "id", "must be a text"),
    "the name of another model": (task(model_name="linear"), "model_name", "the address is that of 'gd-1'"),
    "another version": (task(model_version="2.0.0"), "model_version", "the address is that of '1.0.0'"),
}


@pytest.mark.parametrize(("body", "field", "words"), IN_JSON.values(), ids=IN_JSON)
def test_wrong_json_is_refused_by_field(client: InProcess, body: Body, field: str, words: str) -> None:
    refused(infer(client, body), field, words)


@pytest.mark.parametrize("content_type", ["text/csv", "application/x-www-form-urlencoded", "application/jsonl"])
def test_another_content_type_is_refused(client: InProcess, content_type: str) -> None:
    for more in ({}, {JSON_LENGTH_HEADER: "10"}):
        headers = {"Content-Type": content_type, **more}
        answer = client.request("POST", "/v2/models/gd-1/infer", content=b"{}", headers=headers)
        check(answer, 415, "unsupported_content_type")


def test_a_compressed_body_is_refused(client: InProcess) -> None:
    headers = {"Content-Encoding": "gzip"}
    answer = client.request("POST", "/v2/models/gd-1/infer", content=b"\x1f\x8b", headers=headers)
    check(answer, 415, "unsupported_content_type")


@pytest.mark.parametrize(
    "content", [b"{", b"[]", b"nonsense", b"\xff", b"[" * 100_000], ids=lambda content: content[:9]
)
def test_body_that_is_no_json_object_is_refused(client: InProcess, content: bytes) -> None:
    answer = client.request("POST", "/v2/models/gd-1/infer", content=content)
    assert answer.status_code in {400, 422}


def test_deep_lists_are_refused(client: InProcess) -> None:
    deep: Any = 1
    for _ in range(150):
        deep = [deep]
    refused(infer(client, changed(0, data=deep)), "inputs[0].data[0]", "has 1 entries")


def test_numbers_that_overflow_are_refused_as_such(client: InProcess) -> None:
    check(infer(client, changed(0, data=[1e200] * 6)), 422, "numeric_overflow")


def test_an_unknown_model_is_404(client: InProcess) -> None:
    check(infer(client, task(), "cubic"), 404, "unknown_model")


@given(field=st.sampled_from(["name", "shape", "datatype", "parameters", "data"]), value=JSON)
def test_any_description_of_an_input_is_answered_or_refused(client: InProcess, field: str, value: object) -> None:
    answer = infer_json(client, changed(2, **{field: value}))
    assert answer.status_code in {200, 422}, answer.text


def infer_json(client: InProcess, body: Body) -> httpx.Response:
    """Call `infer` with the literals of Python's json (NaN, Infinity)."""
    headers = {"Content-Type": "application/json"}
    return client.request("POST", "/v2/models/gd-1/infer", content=json.dumps(body), headers=headers)
