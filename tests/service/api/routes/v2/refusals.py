"""Checks of refusals."""

import httpx
from hypothesis import strategies as st

from tests.service.api.routes.v2.protocol import Body


def check(answer: httpx.Response, status: int, error_type: str) -> Body:
    body: Body = answer.json()
    assert answer.status_code == status, body
    assert list(body) == ["error", "error_type", "detail"]
    assert body["error_type"] == error_type
    assert len(answer.text) < 10_000
    return body


def refused(answer: httpx.Response, field: str, words: str) -> None:
    body = check(answer, 422, "invalid_input")
    found = {entry["field"]: entry["message"] for entry in body["detail"]}
    assert field in found, found
    assert words in found[field]
    assert field in body["error"]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["name", "binary_data_size"]), inner),
    max_leaves=8,
)
"""Any JSON value, with some names of the protocol."""
