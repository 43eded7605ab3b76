"""Streams of rows of tables: as the requests with the same rows, message after message."""

from typing import Any

import httpx
import pytest

from tests.nonempty import nonempty
from tests.running import Server
from tests.service.api.routes.test_context_tables import ROWS
from tests.service.api.routes.test_stream import ask, look, streaming

QUERY = {"size": 90, "town": "Basel"}


def post(server: Server, path: str, body: dict[str, object]) -> Any:  # noqa: ANN401  (JSON)
    answer = httpx.post(f"{server.url}/v1/contexts{path}", json=body)
    assert answer.is_success, answer.text
    return answer.json()


def test_a_row_is_predicted_then_learnt_and_a_row_without_target_is_a_query(server: Server) -> None:
    streamed, same = (post(server, "", {"target": "price", "rows": ROWS[:3]})["id"] for _ in range(2))
    with streaming(server, streamed) as stream:
        for row in nonempty(ROWS[3:]):  # Chur is a town that the schema has not got
            asked = {name: value for name, value in row.items() if name != "price"}
            expected = post(server, f"/{same}/predictions", {"query": [asked], "interval": 0.9})
            after = post(server, f"/{same}/observations", {"rows": [row]})
            for query in (asked, asked | {"price": None}):
                answer = ask(stream, {"row": query})
                assert answer["prediction"] == pytest.approx(expected["prediction"][0], rel=1e-6)
                assert (answer["error"], answer["version"]) == (None, after["version"] - 1)
            answer = ask(stream, {"id": 1, "row": row, "interval": 0.9})
            assert answer["prediction"] == pytest.approx(expected["prediction"][0], rel=1e-6)
            assert answer["interval"]["lower"] == pytest.approx(expected["interval"]["lower"][0], rel=1e-5)
            assert answer["error"] == pytest.approx(row["price"] - answer["prediction"], rel=1e-6)
            assert (answer["n_observations"], answer["version"]) == (after["n_observations"], after["version"])
        found = ask(stream, {"row": QUERY})["prediction"]
    assert found == pytest.approx(post(server, f"/{same}/predictions", {"query": [QUERY]})["prediction"][0], rel=1e-6)
    assert look(server, streamed)["schema"] == look(server, same)["schema"]


def test_classes_are_named(server: Server) -> None:
    rows = [{"size": size, "kind": "large" if size > 80 else "small"} for size in (51, 134, 87, 64, 70, 112, 95, 143)]
    context = post(server, "", {"target": "kind", "rows": rows})["id"]
    with streaming(server, context) as stream:
        answer = ask(stream, {"row": {"size": 140}})
        assert (answer["class"], len(answer["prediction"])) == ("large", 2)
        assert ask(stream, {"row": {"size": 50, "kind": "small"}})["class"] == "small"


def test_a_row_is_learnt_once_under_its_key_and_findings_are_named(server: Server) -> None:
    context = post(server, "", {"target": "price", "rows": ROWS[:5]})["id"]
    message = {"row": ROWS[5] | {"size": "wide", "floor": 2}, "idempotency_key": "row 5"}
    with streaming(server, context) as stream:
        first, second = ask(stream, message), ask(stream, message)
    assert first == second
    assert first["n_observations"] == 6
    assert {(one["column"], one["what"]) for one in first["findings"]} == {
        ("size", "unreadable"),
        ("floor", "unknown_column"),
    }


@pytest.mark.parametrize(
    ("message", "message_part"),
    [
        ({"row": {"size": 3}}, "row: has no column 'town'"),
        ({"row": {"size": 3, "town": [1]}}, "row[0]"),
        ({"row": {}}, "row: has no rows with columns"),
        ({"row": QUERY, "query": [1]}, "row: comes alone"),
        ({"row": [1]}, "row: must be an object"),
    ],
)
def test_other_rows_are_refused_and_the_stream_goes_on(
    server: Server, message: dict[str, object], message_part: str
) -> None:
    context = post(server, "", {"target": "price", "rows": ROWS})["id"]
    with streaming(server, context) as stream:
        answer = ask(stream, message | {"id": "a"})
        assert (answer["error_type"], answer["id"]) == ("invalid_input", "a")
        assert message_part in answer["error"]
        assert ask(stream, {"row": QUERY})["n_observations"] == len(ROWS)


def test_a_context_of_arrays_takes_no_rows(server: Server) -> None:
    context = post(server, "", {"observations": {"x": [[1], [2]], "y": [1, 2]}})["id"]
    with streaming(server, context) as stream:
        assert "this one has observed arrays" in ask(stream, {"row": QUERY})["error"]
