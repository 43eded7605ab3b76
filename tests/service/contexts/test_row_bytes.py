"""Rows have the bytes that the library writes."""

import numpy as np
import pytest
from safetensors.numpy import load, save

from service.inference.sizes import Array
from service.states.tensors import as_safetensors
from tests.nonempty import nonempty

KEY = "a key"
TEXTS = ["", "{}", '{"a":"\\"\\\\ \\n"}', "x" * 1001]
TENSORS: list[dict[str, Array]] = [
    {},
    {"b": np.arange(6.0).reshape(1, 2, 3), "a": np.ones(1)},
    {"a": np.ones((1, 3), np.float32), "b": np.ones((2, 1)), "é": np.arange(2).astype(np.float32)},
    {"empty": np.zeros((1, 0, 4)), "z": np.array([np.nan, -0.0])},
    {"sliced": np.arange(12.0).reshape(3, 4)[:, 1:3]},
]


@pytest.mark.parametrize("tensors", TENSORS)
@pytest.mark.parametrize("text", TEXTS)
def test_bytes_are_those_of_the_library(tensors: dict[str, Array], text: str) -> None:
    written = as_safetensors(tensors, KEY, text)
    assert written == save({name: np.ascontiguousarray(tensor) for name, tensor in tensors.items()}, {KEY: text})
    read = load(written)
    assert read.keys() == tensors.keys()


def test_tensors_are_read_as_they_were_written() -> None:
    read = load(as_safetensors(TENSORS[1], KEY, ""))
    for name, tensor in nonempty(TENSORS[1].items()):
        np.testing.assert_array_equal(read[name], tensor)
