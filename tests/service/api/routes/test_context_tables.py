"""Contexts of rows of tables: created, observed, predicted, merged and exported by their stored schema."""

import json
from typing import Any

import httpx
import numpy as np
import pytest

from tests.service.in_process import InProcess

TOWNS = ["Bern", "Basel", "Bern", "Chur", "Basel", "Bern", "Chur", "Basel"]
ROWS = [
    {"size": size, "town": town, "price": 2.0 * size + 40 * (town == "Bern") + (size % 7)}
    for size, town in zip([51, 134, 87, 64, 70, 112, 95, 143], TOWNS, strict=True)
]
QUERY = [{"town": "Basel", "size": 90}, {"town": "Thun", "size": 60}]


def post(client: InProcess, path: str, body: object, status: int = 200, key: str | None = None) -> Any:  # noqa: ANN401  (JSON)
    headers = {} if key is None else {"Idempotency-Key": key}
    answer = client.request("POST", f"/v1/contexts{path}", json=body, headers=headers)
    assert answer.status_code == status, answer.text
    return answer.json()


def create(client: InProcess, **fields: object) -> str:
    body = {"target": "price", "rows": ROWS[:5], "model": "linear"} | fields
    made = post(client, "", {name: value for name, value in body.items() if value is not None}, 201)
    identity: str = made["id"]
    return identity


def predict(client: InProcess, identity: str, query: object = QUERY, **fields: object) -> Any:  # noqa: ANN401  (JSON)
    return post(client, f"/{identity}/predictions", {"query": query, **fields})


def send(client: InProcess, path: str, content: bytes, query: str = "", accept: str = "*/*") -> httpx.Response:
    headers = {"Content-Type": "text/csv", "Accept": accept}
    return client.request("POST", f"/v1/contexts{path}?{query}", content=content, headers=headers)


@pytest.mark.parametrize("model", ["linear", "nonlinear"])
def test_a_context_predicts_as_all_its_rows_at_once(client: InProcess, model: str) -> None:
    identity = create(client, model=model)
    observed = post(client, f"/{identity}/observations", {"rows": ROWS[5:]})
    assert observed["n_observations"] == 8
    assert observed["findings"] == []
    answer = predict(client, identity, interval=0.9, keys=["town"])
    schema = client.get(f"/v1/contexts/{identity}").json()["schema"]
    same = client.predict(
        {"target": "price", "rows": ROWS, "query": QUERY, "model": model, "interval": 0.9, "schema": schema}
    ).json()
    np.testing.assert_allclose(answer["prediction"], same["prediction"], rtol=1e-6)
    np.testing.assert_allclose(answer["interval"]["lower"], same["interval"]["lower"], rtol=1e-5)
    assert answer["keys"] == {"town": ["Basel", "Thun"]}
    assert answer["rows"] == [0, 1]
    assert (answer["version"], answer["n_observations"]) == (2, 8)
    assert answer["findings"] == [
        {"column": "town", "what": "new_level", "cells": 1, "example": "Thun", "place": "query[1]"}
    ]


def test_the_view_shows_the_schema_in_words(client: InProcess) -> None:
    view = client.get(f"/v1/contexts/{create(client)}").json()
    assert [column["name"] for column in view["schema"]["columns"]] == ["size", "town"]
    assert [one["description"] for one in view["described"]] == [
        "number",
        "category of 3 levels: Basel, Bern, Chur; other levels count as none",
        "predicted: number",
    ]
    arrays = post(client, "", {"observations": {"x": [[1], [2]], "y": [1, 2]}}, 201)
    view = client.get(f"/v1/contexts/{arrays['id']}").json()
    assert (view["schema"], view["described"]) == (None, None)


def test_later_levels_are_added(client: InProcess) -> None:
    identity = create(client)
    post(client, f"/{identity}/observations", {"rows": [{"size": 60, "town": "Thun", "price": 500.0}] * 3})
    view = client.get(f"/v1/contexts/{identity}").json()
    assert view["schema"]["later"] == [["town", "Thun"]]
    assert view["inputs"] == 5
    answer = predict(client, identity)
    assert answer["findings"] == []
    again = create(client, rows=[*ROWS[:5], *[{"size": 60, "town": "Thun", "price": 500.0}] * 3])
    np.testing.assert_allclose(answer["prediction"], predict(client, again)["prediction"], rtol=1e-6)


def test_weight_minus_one_takes_rows_out(client: InProcess) -> None:
    identity = create(client)
    before = predict(client, identity)["prediction"]
    more = ROWS[5:7]
    post(client, f"/{identity}/observations", {"rows": more})
    assert predict(client, identity)["prediction"] != before
    post(client, f"/{identity}/observations", {"rows": more[:1], "weight": -1})
    post(client, f"/{identity}/observations", {"rows": [{**more[1], "w": -1}], "weight": "w"})
    np.testing.assert_allclose(predict(client, identity)["prediction"], before, rtol=1e-9)


def test_classes_are_predicted_by_the_classifier(client: InProcess) -> None:
    rows = [{"length": i % 5 + 3 * (i % 2), "kind": ["setosa", "virginica"][i % 2]} for i in range(20)]
    made = post(client, "", {"target": "kind", "rows": rows}, 201)
    assert made["model"]["name"] == "classifier"
    answer = predict(client, made["id"], {"length": [0, 7]})
    assert answer["prediction"] == ["setosa", "virginica"]
    assert np.array(answer["probabilities"]).shape == (2, 2)


def test_an_empty_context_has_a_given_schema_or_that_of_another(client: InProcess) -> None:
    first = create(client)
    schema = client.get(f"/v1/contexts/{first}").json()["schema"]
    for body in ({"schema": schema, "model": "linear"}, {"like": first, "model": "linear"}):
        made = post(client, "", body, 201)
        assert made["n_observations"] == 0
        post(client, f"/{made['id']}/observations", {"rows": ROWS[:5]})
        assert predict(client, made["id"])["prediction"] == predict(client, first)["prediction"]


def test_contexts_of_one_schema_merge(client: InProcess) -> None:
    whole, first = create(client, rows=ROWS), create(client, rows=ROWS)
    post(client, f"/{first}/observations", {"rows": ROWS[5:], "weight": -1})
    other = post(client, "", {"like": first, "model": "linear"}, 201)["id"]
    post(client, f"/{other}/observations", {"rows": ROWS[5:]})
    post(client, f"/{first}/merge", {"context": other})
    np.testing.assert_allclose(predict(client, first)["prediction"], predict(client, whole)["prediction"], rtol=1e-6)


@pytest.mark.parametrize("different", ["schema", "arrays", "later"])
def test_contexts_of_other_schemas_do_not_merge(client: InProcess, different: str) -> None:
    first = create(client)
    if different == "arrays":
        x = [[1.0, 0, 1, 0], [2, 1, 0, 0], [3, 0, 0, 1]]
        other = post(client, "", {"model": "linear", "observations": {"x": x, "y": [1, 2, 4]}}, 201)["id"]
    elif different == "schema":
        other = create(client, ignore=["town"])
    else:
        other = post(client, "", {"like": first, "model": "linear"}, 201)["id"]
        for identity, town in ((first, "Thun"), (other, "Visp")):
            post(client, f"/{identity}/observations", {"rows": [{"size": 60, "town": town, "price": 500.0}]})
    answer = post(client, f"/{first}/merge", {"context": other}, 422)
    assert answer["detail"][0]["field"] == "context"
    assert "does not fit" in answer["error"]


def test_a_context_that_is_exported_reads_rows_after_import(client: InProcess) -> None:
    first = create(client)
    exported = client.get(f"/v1/contexts/{first}/state").content
    made = client.request(
        "POST", "/v1/contexts/import", content=exported, headers={"Content-Type": "application/octet-stream"}
    )
    assert predict(client, made.json()["id"])["prediction"] == predict(client, first)["prediction"]


def test_the_same_key_observes_once_and_other_rows_conflict(client: InProcess) -> None:
    identity = create(client)
    for _ in range(2):
        answer = post(client, f"/{identity}/observations", {"rows": ROWS[5:]}, key=f"k{identity}")
        assert answer["n_observations"] == 8
    columns = {name: [row[name] for row in ROWS[5:]] for name in ("price", "size", "town")}
    post(client, f"/{identity}/observations", {"rows": columns}, key=f"k{identity}")
    post(client, f"/{identity}/observations", {"rows": ROWS[:1]}, 409, key=f"k{identity}")


def test_files_are_observed_and_predicted(client: InProcess) -> None:
    lines = [f"{row['size']},{row['town']},{row['price']}\n" for row in ROWS]
    header = "size,town,price\n"
    made = send(client, "", (header + "".join(lines[:5])).encode(), "target=price&model=linear")
    assert made.status_code == 201, made.text
    identity = made.json()["id"]
    observed = send(client, f"/{identity}/observations", (header + "".join(lines[5:])).encode())
    assert observed.json()["n_observations"] == 8
    same = create(client, rows=ROWS[:5])
    post(client, f"/{same}/observations", {"rows": ROWS[5:]})
    answer = send(client, f"/{identity}/predictions", b"size,town\n90,Basel\n60,Thun\n", "interval=0.9").json()
    assert answer["prediction"] == predict(client, same)["prediction"]
    table = send(client, f"/{identity}/predictions", b"size,town\n90,Basel\n", "interval=0.9", accept="text/csv")
    assert table.text.startswith("row,price,price_lower,price_upper\n0,")
    assert table.headers["etag"] == '"2"'


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("", {"rows": ROWS}, "target"),
        ("", {"target": "price"}, "rows"),
        ("", {"target": "price", "rows": []}, "rows"),
        ("", {"schema": {"columns": []}}, "schema.target"),
        ("", {"target": "price", "rows": ROWS, "scale": {"center": [1], "spread": [1]}}, "scale"),
        ("", {"target": "price", "rows": ROWS, "model": "softmax-8", "task": "regression"}, "model"),
        ("/observations", {"rows": [{"size": 3, "price": 3}]}, "rows"),
        ("/observations", {"rows": [{"size": 3, "town": "Bern"}]}, "rows"),
        ("/observations", {"rows": [{"size": 3, "town": "Bern", "price": None}]}, "rows"),
        ("/observations", {"rows": ROWS, "weight": "w"}, "rows"),
        ("/observations", {"rows": ROWS, "weight": True}, "weight"),
        ("/observations", {"rows": ROWS, "x": [[1]]}, "x"),
        ("/predictions", {"query": [{"size": 3}]}, "query"),
        ("/predictions", {"query": {}}, "query"),
        ("/predictions", {"query": [{"size": "a", "town": "Bern"}]}, "column 'size', query[0]"),
        ("/predictions", {"query": QUERY, "explain": True}, "explain"),
    ],
)
def test_what_does_not_fit_is_named(client: InProcess, path: str, body: object, field: str) -> None:
    address = f"/{create(client)}{path}" if path else ""
    fields = [problem["field"] for problem in post(client, address, body, 422)["detail"]]
    assert field in fields


def test_unknown_columns_are_named_and_not_used(client: InProcess) -> None:
    identity = create(client)
    found = post(client, f"/{identity}/observations", {"rows": [{**row, "colour": "red"} for row in ROWS[5:]]})
    assert found["findings"] == [
        {"column": "colour", "what": "unknown_column", "cells": 0, "example": "", "place": "rows"}
    ]


def test_a_context_of_arrays_takes_no_rows(client: InProcess) -> None:
    made = post(client, "", {"observations": {"x": [[1], [2]], "y": [1, 2]}}, 201)
    for path, body in (("observations", {"rows": ROWS}), ("predictions", {"query": QUERY})):
        answer = post(client, f"/{made['id']}/{path}", body, 422)
        assert "context of tables" in answer["error"] or "has observed arrays" in answer["error"]


def test_rows_by_the_hundred_are_queries_too(client: InProcess) -> None:
    identity = create(client)
    answer = predict(client, identity, [QUERY[0]] * 300)
    assert len({*answer["prediction"]}) == 1
    assert len(json.dumps(answer)) < 30_000
