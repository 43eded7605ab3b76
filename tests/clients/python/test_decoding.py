"""Responses become dataclasses; what does not fit is refused with its place."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

import pytest

from gdssm_client import Client
from gdssm_client.decoding import Mismatch, decoder
from gdssm_client.errors import UnexpectedAnswer
from gdssm_client.schemas import FailedItem, ObservationResults, ObservedItem
from tests.clients.python.stand_in import Reply, standing_in


@dataclass(frozen=True, kw_only=True)
class Part:
    """A field with a default, and one that has a name of Python in JSON."""

    count: int
    class_: str | None = None
    texts: list[str] = field(default_factory=list)


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        (float, 1, 1.0),
        (list[float], [1, 2.5], [1, 2.5]),
        (list[float | None], [1.5, None], [1.5, None]),
        (list[float] | list[list[float]], [[1.0], [2.0]], [[1.0], [2.0]]),
        (tuple[int, int], [1, 2], (1, 2)),
        (tuple[int, ...], [], ()),
        (dict[str, list[int]], {"a": [1]}, {"a": [1]}),
        (Literal["a"], "later", "later"),
        (datetime, "2026-01-02T03:04:05Z", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)),
        (str | int | None, None, None),
        (Any, {"a": [None]}, {"a": [None]}),
        (Part, {"count": 1, "class": "a", "later": 2}, Part(count=1, class_="a")),
        (Part | None, {"count": 1, "texts": ["a"]}, Part(count=1, texts=["a"])),
    ],
)
def test_json_becomes_the_type(kind: Any, value: object, expected: object) -> None:  # noqa: ANN401  (an annotation)
    found = decoder(kind)(value)
    assert found == expected
    assert type(found) is type(expected)


@pytest.mark.parametrize(
    ("kind", "value", "reason"),
    [
        (int, True, "bool where there must be int"),
        (float, "1", "str where there must be float"),
        (list[float], [1.0, "2"], "str where there must be float"),
        (list[float], None, "NoneType where there must be list"),
        (tuple[int, int], [1], "a list of 1 where there must be 2"),
        (datetime, "soon", "Invalid isoformat"),
        (int | None, "a", "str where there must be int and str where there must be NoneType"),
        (Part, {"class": "a"}, "Part has no count"),
        (Part, [], "list where there must be dict"),
    ],
)
def test_other_values_are_refused(kind: Any, value: object, reason: str) -> None:  # noqa: ANN401  (an annotation)
    with pytest.raises(Mismatch, match=reason):
        decoder(kind)(value)


def test_items_are_told_apart_by_their_fields() -> None:
    items = [{"context": "a", "version": 1, "n_observations": 2}, {"error": "no", "error_type": "conflict"}]
    found = decoder(ObservationResults)({"results": items, "failed": 1})
    assert list(map(type, found.results)) == [ObservedItem, FailedItem]


@pytest.mark.parametrize("body", [b"<html>", b'{"default": "linear"}', b"[]"])
def test_unexpected_answer_is_reported_with_its_path(body: bytes) -> None:
    with (
        standing_in(Reply(200, body)) as service,
        Client(service.url) as client,
        pytest.raises(UnexpectedAnswer, match=r"^The answer of /v1/models cannot be read: .* another version\.$"),
    ):
        client.models()
