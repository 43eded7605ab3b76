import json
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.errors import CallerError, InvalidInput, MalformedBody
from service.inference.tensors import NUMBERS, numbers_of, pack, unpack
from tests.nonempty import nonempty

X = {"dtype": "F64", "shape": [1], "data_offsets": [0, 8]}
NUMBER = struct.pack("<d", 1.5)


def safetensors(header: object, data: bytes = NUMBER) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "int8", "int64", "uint8", "uint64"])
def test_tensors_and_texts_come_back_as_they_were(dtype: str) -> None:
    tensors = {
        "x": np.arange(6).reshape(2, 3).astype(dtype),
        "empty": np.zeros((0, 3), dtype),
        "one": np.ones((), dtype),
    }
    found, about = unpack(pack(tensors, {"model": "gd-1"}))
    assert about == {"model": "gd-1"}
    assert found.keys() == tensors.keys()
    for name, array in tensors.items():
        np.testing.assert_array_equal(found[name], array)
        assert found[name].dtype == dtype


def test_an_array_that_is_a_view_is_packed_as_it_looks() -> None:
    array = np.arange(12.0).reshape(3, 4).T[::2]
    np.testing.assert_array_equal(unpack(pack({"x": array}, {}))[0]["x"], array)


MALFORMED = {
    "nothing": b"",
    "less than a length": b"1234",
    "a length beyond the end": struct.pack("<Q", 100) + b"{}",
    "a huge length": struct.pack("<Q", 2**63) + b"{}",
    "a header that is no JSON": safetensors(b"{,}"),
    "a header that is a list": safetensors([]),
    "a header that is no text": safetensors(b'{"\xff": 1}'),
    "a deep header": safetensors(b"[" * 100_000),
    "a deep field": safetensors(b'{"x":' + b'{"x":' * 100_000),
    "a negative shape": safetensors({"x": {**X, "shape": [-1]}}),
    "a shape that overflows": safetensors({"x": {**X, "shape": [2**40, 2**40]}}),
    "an endless shape": safetensors({"x": {**X, "shape": [2**70]}}),
    "a shape that is not that of the bytes": safetensors({"x": {**X, "shape": [2]}}),
    "bytes left over": safetensors({"x": X}, NUMBER + b"\0"),
    "bytes missing": safetensors({"x": X}, NUMBER[:-1]),
    "a hole": safetensors({"x": {**X, "data_offsets": [8, 16]}}, NUMBER * 2),
    "two tensors in one place": safetensors({"x": X, "y": X}),
    "places in reverse": safetensors({"x": {**X, "data_offsets": [8, 0]}}),
    "an unknown dtype": safetensors({"x": {**X, "dtype": "F65"}}),
    "metadata that is a number": safetensors({"__metadata__": {"model": 1}, "x": X}),
    "no dtype": safetensors({"x": {"shape": [1], "data_offsets": [0, 8]}}),
}


@pytest.mark.parametrize("content", MALFORMED.values(), ids=MALFORMED)
def test_bytes_that_are_no_safetensors_are_refused(content: bytes) -> None:
    with pytest.raises(MalformedBody, match="not safetensors that can be read"):
        unpack(content)


@pytest.mark.parametrize("header", [{"x": X}, {"x": X, "__metadata__": None}, {"x": X, "__metadata__": {}}])
def test_there_may_be_no_texts(header: object) -> None:
    assert unpack(safetensors(header))[1] == {}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (
            safetensors(b'{"x": %s, "x": %s}' % ((json.dumps(X).encode(),) * 2)),
            "x: is there twice. Send each tensor once.",
        ),
        (safetensors(b'{"__metadata__": {"model": "a", "model": "b"}}', b""), "model: is there twice"),
        (safetensors({"x": {**X, "dtype": "BF16", "shape": [4]}}), "x: has the dtype BF16"),
        (safetensors({"x": {**X, "dtype": "BOOL", "shape": [8]}}), "x: has the dtype BOOL"),
        (safetensors({"x": {**X, "dtype": "F4", "shape": [16]}}), "x: has the dtype F4"),
        (safetensors({"x": {**X, "shape": [2**40, 2**40, 0], "data_offsets": [0, 0]}}, b""), "larger than any array"),
    ],
)
def test_tensors_that_cannot_be_taken_are_refused_by_name(content: bytes, words: str) -> None:
    with pytest.raises((InvalidInput, MalformedBody)) as refusal:
        unpack(content)
    assert words in str(refusal.value) or "overflow" in str(refusal.value)


@given(cut=st.integers(0, 100), noise=st.binary(max_size=20))
def test_whatever_the_bytes_are_they_are_read_or_refused(cut: int, noise: bytes) -> None:
    content = pack({"x": np.arange(3.0)}, {"model": "gd-1"})
    for damaged in (content[:cut] + noise, content[:cut] + noise + content[cut + len(noise) :]):
        try:
            found, _ = unpack(damaged)
        except CallerError:
            continue
        assert all(array.dtype.kind in "iuf" for array in nonempty(found.values()))


def test_every_dtype_of_the_table_is_that_of_numpy() -> None:
    for name, dtype in NUMBERS.items():
        bits = int(name[1:])
        assert (np.dtype(dtype).itemsize * 8, np.dtype(dtype).kind) == (bits, name[0].lower())


def test_what_is_not_finite_is_named_by_its_place() -> None:
    array = np.ones((2, 3))
    array[0, 2], array[1, 0] = np.nan, -np.inf
    with pytest.raises(InvalidInput) as refusal:
        numbers_of(array, "float32", "x")
    assert [problem.field for problem in refusal.value.problems] == ["x[0][2]", "x[1][0]"]


def test_where_a_cell_may_be_missing_only_what_is_infinite_is_named() -> None:
    array = np.array([[1.0, np.nan, np.inf], [np.nan, 2.0, 3.0]])
    with pytest.raises(InvalidInput) as refusal:
        numbers_of(array, "float32", "x", missing=True)
    assert [problem.field for problem in refusal.value.problems] == ["x[0][2]"]
    np.testing.assert_array_equal(numbers_of(array[1:], "float32", "x", missing=True), [[np.nan, 2.0, 3.0]])


def test_what_is_not_aligned_is_copied_and_what_is_as_it_should_be_is_not() -> None:
    array = np.frombuffer(b"\0" + NUMBER, "<f8", offset=1)
    copy = numbers_of(array, "float64", "x")
    assert copy.flags.aligned
    assert copy == 1.5
    assert numbers_of(copy, "float64", "x") is copy
