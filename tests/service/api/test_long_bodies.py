"""A large body is parsed in chunks, with the values and messages of `from_json`."""

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
