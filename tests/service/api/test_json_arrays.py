"""The fast path equals the strict parser, or does not parse a document."""

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from service.api import json_arrays
from service.api.body import parse, parse_strict
from service.api.object_limits import FIELD_LIMIT
from service.errors import ServiceError
from service.numbers import RowsWithNull
from service.schemas.contexts import ContextQuery, CreateContext
from service.schemas.predictions import ObservationsBody, PredictRequest

FLOATS = st.floats(allow_nan=False, allow_infinity=False)
NUMBERS = st.one_of(FLOATS, st.integers(-(2**63), 2**64 - 1))


def rows(width: int, numbers: st.SearchStrategy[Any] = NUMBERS) -> st.SearchStrategy[list[Any]]:
    return st.lists(st.lists(numbers, min_size=width, max_size=width), min_size=1, max_size=6)


def bodies(cells: st.SearchStrategy[Any]) -> st.SearchStrategy[bytes]:
    """Generate nearly valid bodies of predictions."""
    lists = st.one_of(rows(2, cells), st.lists(cells, max_size=4), cells)
    context = st.fixed_dictionaries({"x": lists}, optional={"y": lists, "weight": lists, "z": cells})
    whole = st.fixed_dictionaries(
        {"context": context, "query": lists},
        optional={"model": cells, "version": cells, "explain": lists, "parameters": st.dictionaries(st.text(), cells)},
    )
    return whole.map(lambda value: json.dumps(value).encode())


CELLS = st.one_of(NUMBERS, st.none(), st.booleans(), st.text(max_size=3), st.lists(st.integers(0, 3), max_size=2))


def outcome(read: Callable[[bytes, type[BaseModel]], BaseModel], body: bytes, model: type[BaseModel]) -> object:
    """Read a body; returns the values, or the text of the error."""
    try:
        return {name: plain(value) for name, value in read(body, model)}
    except ServiceError as error:
        return type(error), str(error), error.detail


def plain(value: object) -> object:
    """Return a comparable form of a value."""
    if isinstance(value, np.ndarray):
        return value.dtype, value.shape, value.tobytes()
    return {name: plain(inner) for name, inner in value} if isinstance(value, ObservationsBody) else value


@given(rows(3), st.lists(NUMBERS, min_size=1))
def test_common_bodies_are_parsed_exactly(x: list[list[float]], y: list[float]) -> None:
    found = json_arrays.decode(json.dumps({"context": {"x": x, "y": y}, "model": "a"}).encode())
    assert found is not None
    assert found["model"] == "a"
    context = found["context"]
    assert isinstance(context, dict)
    assert context["x"].tobytes() == np.array(x, np.float64).tobytes()
    assert context["x"].shape == (len(x), 3)
    assert context["y"].tobytes() == np.array(y, np.float64).tobytes()


@given(bodies(CELLS))
def test_fast_reader_agrees_with_the_strict_parser(body: bytes) -> None:
    assert outcome(parse, body, PredictRequest) == outcome(parse_strict, body, PredictRequest)


@given(bodies(st.one_of(NUMBERS, st.none())))
def test_missing_cells_equal_the_strict_parser(body: bytes) -> None:
    assert outcome(parse, body, PredictRequest) == outcome(parse_strict, body, PredictRequest)


@pytest.mark.parametrize("rows_at_once", [1, 2, 7])
def test_missing_cells_are_parsed_in_chunks(monkeypatch: pytest.MonkeyPatch, rows_at_once: int) -> None:
    monkeypatch.setattr(json_arrays, "CELLS_AT_ONCE", 3 * rows_at_once)
    x = [[i, None if i % 3 else i / 7, 2**64 - 1] for i in range(20)]
    found = json_arrays.decode(json.dumps({"x": x}).encode())
    assert found is not None
    assert isinstance(found["x"], RowsWithNull)
    assert found["x"].array.tobytes() == np.array(x, np.float64).tobytes()


@given(bodies(NUMBERS), st.data())
def test_modified_bodies_have_the_messages_of_the_strict_parser(body: bytes, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(body) - 1))
    tampered = body[:at] + data.draw(st.binary(max_size=2)) + body[at + data.draw(st.integers(0, 2)) :]
    assert outcome(parse, tampered, PredictRequest) == outcome(parse_strict, tampered, PredictRequest)


@pytest.mark.parametrize("digits", ["0.1", "1e-400", "4.9e-324", "2.2250738585072011e-308", "1e22", "1e23", "-0.0"])
def test_numbers_that_are_hard_to_round(digits: str) -> None:
    found = json_arrays.decode(b'{"x": [' + digits.encode() + b"]}")
    assert found is not None
    assert np.asarray(found["x"]).tobytes() == np.array([json.loads(digits)], np.float64).tobytes()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[1]",
        b"{",
        b'\xef\xbb\xbf{"x": [1]}',
        b'{"x": [1]} 2',
        b'{"x": [NaN]}',
        b'{"x": [1e400]}',
        b'{"x": [18446744073709551616]}',
        b'{"x": [1, true]}',
        b'{"x": [1, null]}',
        b'{"x": [1, "1"]}',
        b'{"x": [[1], [2, 3]]}',
        b'{"x": [[1], 2]}',
        b'{"x": [[], []]}',
        b'{"x": [[1, [2]], [3, 4]]}',
        b'{"x": [[[1]], [[2]]]}',
        b'{"x": [1, [2]]}',
        b'{"x": [[1, 2], {"a": 1, "b": 2}]}',
        b'{"x": [1], "x": [2]}',
        b'{"x": ["["]}',
        b'{"\\u0000": 1, "x": "\xff"}',
        b'{"x": ' + b"[" * 5000 + b"]" * 5000 + b"}",
        json.dumps({str(i): i for i in range(FIELD_LIMIT + 1)}).encode(),
    ],
)
def test_unusual_bodies_are_left_to_the_strict_parser(body: bytes) -> None:
    assert json_arrays.decode(body) is None
    assert outcome(parse, body, ObservationsBody) == outcome(parse_strict, body, ObservationsBody)


@pytest.mark.parametrize(
    ("model", "value"),
    [
        (CreateContext, {"model": "linear", "decay": 0.5, "ttl": 60, "observations": {"x": [[1]], "y": [2]}}),
        (ContextQuery, {"query": [[1, 2]], "explain": ["implicit_weights"], "parameters": {"learning_rate": 1}}),
        (ObservationsBody, {"x": [[1], [2]], "y": [[1, 0], [0, 1]], "weight": [1, -1]}),
    ],
)
def test_other_models_use_the_fast_path(model: type[BaseModel], value: object) -> None:
    body = json.dumps(value).encode()
    assert json_arrays.decode(body) is not None
    assert outcome(parse, body, model) == outcome(parse_strict, body, model)
