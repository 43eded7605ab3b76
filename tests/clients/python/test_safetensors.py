"""The client's safetensors are those of the library that defines them."""

import numpy as np
import pytest
import safetensors
from safetensors.numpy import save

from gdssm_client.safetensors import pack, unpack

ARRAYS = {
    "x": np.arange(15.0).reshape(5, 3),
    "turned": np.arange(6.0).reshape(2, 3).T,
    "single": np.array([1.5, np.nan], np.float32),
    "count": np.array(7),
    "none": np.empty((0, 3)),
    "big endian": np.array([1.0, 2.0], ">f8"),
}
ABOUT = {"model": "linear", "columns": '{"x": ["größe"]}'}


@pytest.mark.parametrize("name", ARRAYS)
def test_library_reads_what_the_client_writes(name: str) -> None:
    (found,) = safetensors.deserialize(pack({name: ARRAYS[name]}, ABOUT))  # type: ignore[no-untyped-call]
    assert found[0] == name
    array = np.frombuffer(found[1]["data"], ARRAYS[name].dtype.newbyteorder("<")).reshape(found[1]["shape"])
    np.testing.assert_array_equal(array, ARRAYS[name])


def test_client_reads_what_the_library_writes() -> None:
    arrays = {name: np.ascontiguousarray(array, array.dtype.newbyteorder("=")) for name, array in ARRAYS.items()}
    found, about = unpack(save(arrays, ABOUT))
    assert about == ABOUT
    assert found.keys() == arrays.keys()
    for name, array in ARRAYS.items():
        np.testing.assert_array_equal(found[name], array)


def test_arrays_and_texts_come_back() -> None:
    found, about = unpack(pack(ARRAYS, ABOUT))
    assert about == ABOUT
    assert [array.shape for array in found.values()] == [array.shape for array in ARRAYS.values()]


@pytest.mark.parametrize(
    "content", [b"", b"{}", (2).to_bytes(8, "little") + b"[]", (8).to_bytes(8, "little") + b'{"a": 1}']
)
def test_other_bytes_are_refused(content: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        unpack(content)
