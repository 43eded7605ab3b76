"""Rows of tables as items of batches: learnt and answered as by the routes of one context, item by item."""

import json
from typing import Any

import numpy as np
import pytest

from service.api.batch_bodies import NDJSON
from service.schemas.batches import PredictionResults
from tests.nonempty import nonempty
from tests.service.api.routes.test_batches import OBSERVATIONS, PREDICTIONS, learnt, send
from tests.service.api.routes.test_context_tables import QUERY, ROWS, create, post, predict
from tests.service.in_process import InProcess

GAPS: list[dict[str, Any]] = [{"size": None, "town": "Bern", "price": 140.0}, {"size": 77, "price": 150.0}]


def answered(client: InProcess, *items: object) -> list[dict[str, Any]]:
    answer = send(client, PREDICTIONS, {"items": items})
    assert answer.status_code == 200, answer.text
    PredictionResults.model_validate(answer.json())
    results: list[dict[str, Any]] = answer.json()["results"]
    assert answer.json()["failed"] == sum("error" in result for result in results)
    return results


def test_rows_are_learnt_as_by_the_route_of_one_context(client: InProcess) -> None:
    batched, single = ([create(client, model="linear") for _ in range(2)] for _ in range(2))
    parts = [ROWS[5:], [{**ROWS[5], "town": "Thun", "floor": 2}, *GAPS]]
    items = [{"context": context, "rows": rows} for context, rows in zip(batched, parts, strict=True)]
    results = learnt(client, {"items": items})
    for result, context, rows, other in nonempty(list(zip(results, batched, parts, single, strict=True))):
        alone = post(client, f"/{other}/observations", {"rows": rows})
        assert result == {"context": context} | {
            name: alone[name] for name in ("version", "n_observations", "findings")
        }
        states = [client.get(f"/v1/contexts/{one}/state").content for one in (context, other)]
        assert states[0] == states[1]
    assert results[0]["findings"] == []
    assert [(one["column"], one["what"]) for one in results[1]["findings"]] == [("floor", "unknown_column")]


def test_rows_are_predicted_as_by_the_route_of_one_context(client: InProcess) -> None:
    context = create(client, model="nonlinear", rows=ROWS)
    kinds = [{"length": i % 5 + 3 * (i % 2), "kind": ["setosa", "virginica"][i % 2]} for i in range(20)]
    classes = post(client, "", {"target": "kind", "rows": kinds}, 201)["id"]
    asked: list[dict[str, Any]] = [
        {"query": QUERY, "keys": ["town"], "interval": 0.9, "quantiles": [0.5]},
        {"query": {"size": [90, None], "town": ["Bern", None]}},
        {"query": {"length": [0, 7, "?"]}, "missing": ["?"]},
    ]
    contexts = [context, context, classes]
    results = answered(client, *({"context": to, **one} for to, one in zip(contexts, asked, strict=True)))
    for result, to, one in nonempty(list(zip(results, contexts, asked, strict=True))):
        alone = post(client, f"/{to}/predictions", one)
        assert result.keys() == {"context", *alone}
        different = {"context", "prediction", "probabilities", "interval", "quantiles"}
        assert {name: result[name] for name in alone.keys() - different} == {
            name: alone[name] for name in alone.keys() - different
        }
        if "probabilities" in alone:
            assert result["prediction"] == alone["prediction"]
            np.testing.assert_allclose(result["probabilities"], alone["probabilities"], rtol=1e-9)
        else:
            np.testing.assert_allclose(result["prediction"], alone["prediction"], rtol=1e-9)
    for bound in ("lower", "upper"):
        alone = predict(client, context, keys=["town"], interval=0.9)["interval"][bound]
        np.testing.assert_allclose(results[0]["interval"][bound], alone, rtol=1e-9)
    assert results[0]["keys"] == {"town": ["Basel", "Thun"]}
    assert [one["what"] for one in results[0]["findings"]] == ["new_level"]
    assert results[2]["classes"] == ["setosa", "virginica"]


def test_arrays_and_rows_are_items_of_one_batch(client: InProcess) -> None:
    table, arrays = create(client), post(client, "", {"observations": {"x": [[1], [2]], "y": [1, 2]}}, 201)["id"]
    items = [{"context": table, "rows": ROWS[5:]}, {"context": arrays, "x": [[3]], "y": [3]}]
    assert [result["version"] for result in learnt(client, {"items": items})] == [2, 2]
    results = answered(client, {"context": arrays, "query": [[4]]}, {"context": table, "query": QUERY})
    assert [len(result["prediction"]) for result in results] == [1, 2]
    assert "findings" not in results[0]


WRONG: list[tuple[dict[str, Any], str, str]] = [
    ({"rows": []}, "rows", "Send at least one"),
    ({"rows": [{"size": 1, "town": [1], "price": 3}]}, "rows[0].town", "a finite number, a text, true, false or null"),
    ({"rows": [{"size": 1, "price": 3}]}, "rows", "has no column 'town'"),
    ({"rows": [{"size": 1, "town": "Bern", "price": "much"}]}, "rows", "nothing to learn"),
    ({"rows": {"size": [1], "town": ["Bern", "Bern"], "price": [3]}}, "rows", "1 rows in column 'size'"),
    ({"rows": 3}, "rows", "a list of records or an object of columns"),
    ({"rows": [1]}, "rows[0]", "an object of columns"),
    ({"rows": ROWS[:1], "x": [[1.0]]}, "x", ""),
    ({"rows": ROWS[:1], "weight": [1]}, "weight", ""),
    ({"x": [[1.0, 2.0]], "y": [1.0]}, "x", ""),
]


def test_errors_are_of_their_items_and_name_field_and_remedy(client: InProcess) -> None:
    context = create(client)
    items = [{"context": context, **fields} for fields, _, _ in WRONG]
    results = learnt(client, {"items": [*items, {"context": context, "rows": ROWS[5:]}]})
    assert results[-1]["version"] == 2
    for result, (fields, field, text) in nonempty(list(zip(results, WRONG, strict=False))):
        assert result["error_type"] == "invalid_input", fields
        assert (result["detail"][0]["field"], text in result["error"]) == (field, True), result


def test_contexts_of_arrays_refuse_rows_and_queries_are_checked_by_the_schema(client: InProcess) -> None:
    arrays, table = post(client, "", {"observations": {"x": [[1], [2]], "y": [1, 2]}}, 201)["id"], create(client)
    (refused,) = learnt(client, {"items": [{"context": arrays, "rows": ROWS}]})
    assert (refused["detail"][0]["field"], "Send x and y" in refused["error"]) == ("rows", True)
    results = answered(
        client,
        {"context": arrays, "query": QUERY},
        {"context": table, "query": [{"size": 3}]},
        {"context": table, "query": QUERY, "keys": ["id"]},
        {"context": table, "query": QUERY},
    )
    assert [result.get("error_type") for result in results] == [*["invalid_input"] * 3, None]
    assert ["town" in results[1]["error"], "id" in results[2]["error"]] == [True, True]
    assert results[3]["prediction"] == pytest.approx(predict(client, table)["prediction"], rel=1e-9)


def test_lines_take_rows_and_unknown_names_are_created_like_another(client: InProcess) -> None:
    context = create(client)
    lines = [
        {"create": {"like": context, "model": "linear"}},
        {"name": "house 8", "rows": ROWS[:5]},
        {"context": context, "rows": [{"size": "wide"}]},
        {"context": context, "rows": ROWS[5:], "weight": 2, "if_version": 1},
    ]
    content = "\n".join(map(json.dumps, lines)).encode()
    headers = {"Content-Type": NDJSON, "Accept": NDJSON}
    answer = client.request("POST", OBSERVATIONS, content=content, headers=headers)
    results = [json.loads(line) for line in answer.text.splitlines()]
    assert [result.get("version") for result in results] == [2, None, 2]
    queries = b"\n".join(json.dumps({"name": "house 8", "query": [row]}).encode() for row in QUERY)
    answer = client.request("POST", PREDICTIONS, content=queries, headers=headers)
    found = [json.loads(line)["prediction"][0] for line in answer.text.splitlines()]
    assert found == pytest.approx(predict(client, create(client))["prediction"], rel=1e-9)


def test_rows_are_learnt_once_under_the_key_of_their_item_or_of_the_request(client: InProcess) -> None:
    context = create(client)
    item = {"context": context, "rows": [{**ROWS[5], "floor": 2}], "idempotency_key": f"{context} row"}
    first, again = learnt(client, {"items": [item, item]})
    assert (first["version"], again["version"]) == (2, 2)
    assert post(client, f"/{context}/observations", {"rows": item["rows"]}, key=f"{context} row")["version"] == 2
    (other,) = learnt(client, {"items": [item | {"rows": ROWS[6:]}]})
    assert other["error_type"] == "conflict"
    body = {"items": [{"context": context, "rows": [{**ROWS[6], "floor": 2}]}]}
    whole = learnt(client, body, idempotency_key=f"{context} whole")
    assert learnt(client, body, idempotency_key=f"{context} whole") == whole
    assert [one["what"] for one in whole[0]["findings"]] == ["unknown_column"]


def test_rows_of_all_items_are_limited(client: InProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    context, limits = create(client), client.state.predictor.limits
    monkeypatch.setattr(client.state.predictor, "limits", type(limits)(limits.max_columns, 3, 3))
    items = [{"context": context, "rows": ROWS[:2]}, {"context": context, "rows": ROWS[2:4]}]
    assert send(client, OBSERVATIONS, {"items": items}).status_code == 422
    queries = [{"context": context, "query": QUERY}] * 2
    assert send(client, PREDICTIONS, {"items": queries}).status_code == 422
