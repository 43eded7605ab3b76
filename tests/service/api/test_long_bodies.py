"""A large body is parsed in chunks, with the values and messages of `from_json`."""

import gc
import json
import threading
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic_core import from_json

from service.api import body, json_arrays, object_limits, table_bodies
from service.api.body import LARGE_BODY_BYTES, decode, parse_strict
from service.api.object_limits import decode_in_chunks, free_in_chunks
from service.api.routes.v2.body import tensors_of
from service.api.routes.v2.schemas import InferRequest
from service.errors import MalformedBody, ServiceError
from service.schemas.predictions import PredictRequest
from service.server.garbage_collection import NEVER
from tests.service.api.test_json_arrays import CELLS, FLOATS, bodies
from tests.service.in_process import InProcess

VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-(2**63), 2**64 - 1), FLOATS, st.text()),
    lambda inner: st.one_of(st.lists(inner), st.dictionaries(st.text(), inner)),
)


@pytest.fixture(scope="module", autouse=True)
def short_runs() -> Any:  # noqa: ANN401  (a fixture)
    """Parse small documents in several chunks."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(object_limits, "ENTRIES_AT_ONCE", 3)
        yield


@pytest.mark.slow
@given(VALUES)
def test_values_are_the_same(value: object) -> None:
    document = json.dumps(value).encode()
    assert repr(decode_in_chunks(document)) == repr(from_json(document))


@pytest.mark.parametrize("document", ['{"a": 1, "b": 2, "a": [3]}', "[-0, -0.0, 1e3, 1E-400]", '"\\ud83d\\ude00"'])
def test_values_are_the_same_in_undefined_cases_of_json(document: str) -> None:
    assert repr(decode_in_chunks(document.encode())) == repr(from_json(document))


@pytest.mark.slow
@given(bodies(CELLS))
def test_results_and_messages_are_the_same(sent: bytes) -> None:
    with pytest.MonkeyPatch.context() as patch:
        short = outcome(sent)
        patch.setattr(body, "LARGE_BODY_BYTES", 0)
        assert outcome(sent) == short


def outcome(sent: bytes) -> str:
    try:
        return repr(parse_strict(sent, PredictRequest))
    except ServiceError as error:
        return f"{type(error)} {error} {error.detail}"


@pytest.mark.parametrize("number", ["NaN", "-Infinity", "1" + "0" * 30])
def test_numbers_that_simdjson_refuses_are_parsed(number: str) -> None:
    rest = ",".join(["1"] * LARGE_BODY_BYTES)
    found = decode(f'{{"inputs": [{number}, {rest}]}}'.encode(), InferRequest)
    assert repr(found["inputs"][0]) == repr(from_json(number))


def test_incomplete_large_body_has_the_message_of_the_strict_parser() -> None:
    with pytest.raises(MalformedBody, match="EOF while parsing a list at line 1 column"):
        decode(b'{"inputs": [' + b"1," * LARGE_BODY_BYTES + b"1", InferRequest)


@pytest.mark.slow
def test_other_threads_run_while_a_large_body_is_parsed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(object_limits, "ENTRIES_AT_ONCE", 8192)
    sent = json.dumps({"inputs": [[0.5, 0.25]] * 1_000_000}).encode()
    begun, ended, turns = threading.Event(), threading.Event(), []

    def count_turns() -> None:
        begun.set()
        while not ended.is_set():
            time.sleep(0.001)
            turns.append(time.monotonic())

    other = threading.Thread(target=count_turns)
    other.start()
    begun.wait()
    turns.clear()
    decode(sent, InferRequest)
    within = len(turns)
    ended.set()
    other.join()
    assert within >= 10  # `from_json` lets no other thread run


def test_objects_and_lists_are_emptied_in_chunks() -> None:
    flat, row, rows = list(range(10)), [1, 2], [[3], [4], [5], [6]]
    value = {"flat": flat, "inner": [{"rows": rows, "row": [row]}]}
    free_in_chunks(value)
    assert (value, flat, rows, row) == ({}, [], [], [1, 2])


@pytest.mark.parametrize("sent", [[[[1, 2], [3, 4], [5, 6]]], [[1, 2], [3, 4]], [1, 2, 3, 4], None])
def test_lists_in_short_lists_are_emptied_on_request(sent: list[Any] | None) -> None:
    inner = [item for item in sent or () if isinstance(item, list)]
    free_in_chunks(sent, inner=True)
    assert not sent
    assert inner == [[]] * len(inner)


@pytest.mark.slow
def test_nested_numbers_of_a_large_body_outlive_their_json() -> None:
    rows = [[i, 0.5] for i in range(100_000)]
    tensor = {"name": "x", "shape": [1, len(rows), 2], "datatype": "FP64", "data": [rows]}
    sent = json.dumps({"inputs": [tensor]}).encode()
    assert len(sent) > LARGE_BODY_BYTES
    request = parse_strict(sent, InferRequest)
    assert tensors_of(request)["x"].tolist() == [rows]
    assert not request.inputs[0].data


@pytest.mark.slow
@pytest.mark.parametrize(
    ("end", "status"),
    [("]}, ", 200), ("]} ", 400), (', [1, 2]]}, "unknown": 1, ', 422)],
    ids=["valid", "not JSON", "invalid"],
)
def test_no_full_collection_begins_while_a_large_body_is_read(
    client: InProcess, monkeypatch: pytest.MonkeyPatch, end: str, status: int
) -> None:
    thresholds, within = gc.get_threshold(), list[tuple[int, int, int]]()
    whole = body.parse_strict

    def noting(sent: bytes, model: Any) -> Any:  # noqa: ANN401  (any model)
        within.append(gc.get_threshold())
        return whole(sent, model)

    monkeypatch.setattr(table_bodies, "parse_strict", noting)
    monkeypatch.setattr(json_arrays, "decode", lambda _: None)
    rows = ",".join(["[1]"] * (LARGE_BODY_BYTES // 4))
    y = ",".join(["1"] * (LARGE_BODY_BYTES // 4))
    sent = f'{{"query": [[1]], "context": {{"y": [{y}], "x": [{rows}{end}"model": "linear"}}'
    answer = client.send(sent.encode())
    assert answer.status_code == status, answer.text
    assert within == [(*thresholds[:2], NEVER)]
    assert gc.get_threshold() == thresholds
