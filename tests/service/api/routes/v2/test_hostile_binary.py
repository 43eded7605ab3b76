"""Wrong binary tensors and headers: each is refused with a 4xx that names the field."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.settings import Settings
from tests.service.api.routes.v2.protocol import (
    BINARY_TENSORS,
    JSON_LENGTH_HEADER,
    Body,
    binary_task,
    infer_binary,
)
from tests.service.api.routes.v2.refusals import JSON, check, refused
from tests.service.in_process import InProcess, in_process


def changed_binary(which: int, **changes: object) -> Body:
    body = binary_task()
    body["inputs"][which].update(changes)
    return body


HUGE = 2**31 - 1
NAN = np.where(np.arange(6) == 3, np.nan, 1.0).tobytes() + BINARY_TENSORS[48:]
IN_BINARY = {
    "a missing cell": (binary_task(), NAN, "x[0][1][1]", "is missing; model gd-1 takes no missing cells"),
    "too few bytes": (binary_task(), BINARY_TENSORS[:-1], "inputs", "have 104 bytes after the JSON"),
    "too many bytes": (binary_task(), BINARY_TENSORS + b"\0", "inputs", "there are 105"),
    "no bytes": (binary_task(), b"", "inputs", "there are 0"),
    "sizes that add up but are not those of the shapes": (
        {
            "inputs": [
                {**tensor, "parameters": {"binary_data_size": size}}
                for tensor, size in zip(binary_task()["inputs"], (40, 32, 32), strict=True)
            ]
        },
        BINARY_TENSORS,
        "inputs[0].parameters.binary_data_size",
        "is 40; FP64 of the shape [1, 3, 2] has 48 bytes",
    ),
    "a shape that says more": (
        changed_binary(2, shape=[1, 3, 2]),
        BINARY_TENSORS,
        "inputs[2].parameters.binary_data_size",
        "is 32; FP64 of the shape [1, 3, 2] has 48 bytes",
    ),
    "a shape that overflows": (
        changed_binary(2, shape=[HUGE] * 8),
        BINARY_TENSORS,
        "inputs[2].parameters.binary_data_size",
        "is 32",
    ),
    "an empty shape that overflows": (
        changed_binary(2, shape=[HUGE, HUGE, HUGE, 0], parameters={"binary_data_size": 0}),
        BINARY_TENSORS[:72],
        "inputs[2].shape",
        "larger than any array",
    ),
    "an empty shape that is huge": (
        changed_binary(2, shape=[1, HUGE, 0], parameters={"binary_data_size": 0}),
        BINARY_TENSORS[:72],
        "x_query",
        "has D = 0",
    ),
    "a smaller datatype": (
        changed_binary(2, datatype="FP32"),
        BINARY_TENSORS,
        "inputs[2].parameters.binary_data_size",
        "FP32 of the shape [1, 2, 2] has 16 bytes",
    ),
    "a huge size": (
        changed_binary(2, parameters={"binary_data_size": HUGE}),
        BINARY_TENSORS,
        "inputs",
        "have 2147483719 bytes",
    ),
    "data in addition to the bytes": (
        changed_binary(2, data=[1, 2, 3, 4]),
        BINARY_TENSORS,
        "inputs[2].data",
        "must be left out",
    ),
    "one name twice": (changed_binary(2, name="x"), BINARY_TENSORS, "inputs[2].name", "'x' is repeated"),
    "BYTES": (changed_binary(2, datatype="BYTES"), BINARY_TENSORS, "inputs[2].datatype", "'FP64'"),
}


@pytest.mark.parametrize(("body", "binary_tensors", "field", "words"), IN_BINARY.values(), ids=IN_BINARY)
def test_wrong_binary_tensors_are_refused_by_field(
    client: InProcess, body: Body, binary_tensors: bytes, field: str, words: str
) -> None:
    refused(infer_binary(client, body, binary_tensors), field, words)


@pytest.mark.parametrize("header", ["", "-1", "0", "1e3", "99999", "9" * 5000, "٣", "0x10", "12, 12", "none", "+40"])
def test_a_header_that_cannot_be_the_length_of_the_json_is_refused(client: InProcess, header: str) -> None:
    headers = {JSON_LENGTH_HEADER.encode(): header.encode(), b"Content-Type": b"application/octet-stream"}
    content = json.dumps(binary_task()).encode() + BINARY_TENSORS
    answer = client.request("POST", "/v2/models/gd-1/infer", content=content, headers=headers)
    assert JSON_LENGTH_HEADER in check(answer, 400, "malformed_body")["error"]


@pytest.mark.parametrize("shift", [-1, 1, -40, 40])
def test_wrong_json_length_is_refused(client: InProcess, shift: int) -> None:
    body = binary_task()
    answer = infer_binary(client, body, header=str(len(json.dumps(body)) + shift))
    check(answer, 400, "malformed_body")


def test_bytes_without_the_header_are_refused(client: InProcess) -> None:
    headers = {"Content-Type": "application/octet-stream"}
    answer = client.request("POST", "/v2/models/gd-1/infer", content=BINARY_TENSORS, headers=headers)
    assert JSON_LENGTH_HEADER in check(answer, 400, "malformed_body")["error"]


@pytest.mark.slow
def test_a_body_over_the_limit_is_refused() -> None:
    with in_process(Settings(max_body_bytes=10_000)) as client:
        check(infer_binary(client, binary_task(), b"\0" * 10_000), 413, "body_too_large")


@given(binary_tensors=st.binary(max_size=200), header=st.integers(0, 400))
def test_any_bytes_are_answered_or_refused(client: InProcess, binary_tensors: bytes, header: int) -> None:
    assert infer_binary(client, binary_task(), binary_tensors).status_code in {200, 422}
    assert infer_binary(client, binary_task(), binary_tensors, header=str(header)).status_code in {400, 422}


@given(field=st.sampled_from(["name", "shape", "datatype", "parameters", "data"]), value=JSON)
def test_any_description_of_an_input_is_answered_or_refused(client: InProcess, field: str, value: object) -> None:
    answer = infer_binary(client, changed_binary(2, **{field: value}))
    assert answer.status_code in {200, 422}, answer.text
