"""A long body is read in runs, to the same values and the same words as by the parser of record."""

import json
import threading
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic_core import from_json

from service.api import body, object_limits
from service.api.body import LARGE_BODY_BYTES, decode, parse_strict
from service.api.object_limits import decode_in_chunks
from service.api.routes.v2.schemas import InferRequest
from service.errors import MalformedBody, ServiceError
from service.schemas.predictions import PredictRequest
from tests.service.api.test_json_arrays import CELLS, FLOATS, bodies

VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-(2**63), 2**64 - 1), FLOATS, st.text()),
    lambda inner: st.one_of(st.lists(inner), st.dictionaries(st.text(), inner)),
)


@pytest.fixture(scope="module", autouse=True)
def short_runs() -> Any:  # noqa: ANN401  (a fixture)
    """Let small documents have several runs."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(object_limits, "ENTRIES_AT_ONCE", 3)
        yield


@pytest.mark.slow
@given(VALUES)
def test_values_are_the_same(value: object) -> None:
    document = json.dumps(value).encode()
    assert repr(decode_in_chunks(document)) == repr(from_json(document))


@pytest.mark.parametrize("document", ['{"a": 1, "b": 2, "a": [3]}', "[-0, -0.0, 1e3, 1E-400]", '"\\ud83d\\ude00"'])
def test_values_are_the_same_where_json_leaves_it_open(document: str) -> None:
    assert repr(decode_in_chunks(document.encode())) == repr(from_json(document))


@given(bodies(CELLS))
def test_requests_are_accepted_and_refused_in_the_same_words(sent: bytes) -> None:
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
def test_numbers_that_simdjson_does_not_read_are_read(number: str) -> None:
    rest = ",".join(["1"] * LARGE_BODY_BYTES)
    found = decode(f'{{"inputs": [{number}, {rest}]}}'.encode(), InferRequest)
    assert repr(found["inputs"][0]) == repr(from_json(number))


def test_a_long_body_that_breaks_off_is_refused_in_the_words_of_the_parser_of_record() -> None:
    with pytest.raises(MalformedBody, match="EOF while parsing a list at line 1 column"):
        decode(b'{"inputs": [' + b"1," * LARGE_BODY_BYTES + b"1", InferRequest)


@pytest.mark.slow
def test_other_threads_run_while_a_long_body_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
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
    assert within >= 10  # within `from_json` there is none
