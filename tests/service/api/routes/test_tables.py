"""Tables in JSON: records and columns at /v1/predict and /v1/inspect."""

import json
from collections.abc import Callable

import numpy as np
import pytest

from service.inference.distribution import Wanted
from service.inference.predictor import Observations, Predictor
from service.schemas.tables import HOUSES
from service.settings import Settings
from tests.nonempty import nonempty
from tests.service.in_process import InProcess, in_process

SIZES = [51, 134, 87, 64, 70]
TOWNS = ["Bern", "Basel", "Bern", "Chur", "Basel"]
PRICES = [181.2, 394.1, 271.5, 199.0, None]
RECORDS = [{"size": s, "town": t, "price": p} for s, t, p in zip(SIZES, TOWNS, PRICES, strict=True)]
COLUMNS = {"size": SIZES, "town": TOWNS, "price": PRICES}
X = np.array([[51, 0, 1, 0], [134, 1, 0, 0], [87, 0, 1, 0], [64, 0, 0, 1]], float)
"""Sizes, and the towns Basel, Bern and Chur in the order of their frequency."""

NUMBER = {"name": "size", "kind": "number"}


def refused(client: InProcess, body: object, path: str = "/v1/predict") -> list[dict[str, str]]:
    answer = client.request("POST", path, json=body)
    assert answer.status_code == 422, answer.text
    detail: list[dict[str, str]] = answer.json()["detail"]
    return detail


@pytest.mark.parametrize("rows", [RECORDS, COLUMNS], ids=["records", "columns"])
@pytest.mark.parametrize("separate", [False, True])
def test_a_table_is_predicted_as_its_arrays(
    client: InProcess, predictor: Predictor, rows: object, *, separate: bool
) -> None:
    body: dict[str, object] = {"target": "price", "rows": rows, "interval": 0.9, "quantiles": [0.2, 0.5]}
    if separate:
        body["query"] = [{"town": "Basel", "size": 70}]
    answer = client.predict(body).json()
    levels = [level["levels"] for level in answer["schema"]["columns"] if level["name"] == "town"]
    assert levels == [["Bern", "Basel", "Chur"]]
    order = [0, 2, 1, 3]
    arrays = Observations(X[:, order], np.array(PRICES[:4], float), levels=(1, 2, 3))
    query = np.array([[70, 0, 1, 0]], float)
    expected = predictor.predict(None, arrays, query, wanted=Wanted(0.9, (0.2, 0.5)))
    assert expected.lower is not None
    assert expected.quantiles is not None
    assert answer["prediction"] == expected.prediction.tolist()
    assert answer["interval"]["lower"] == expected.lower.tolist()
    assert answer["quantiles"] == expected.quantiles.tolist()
    assert answer["rows"] == [0 if separate else 4]
    assert answer["n_observations"] == 4


def test_each_column_is_described(client: InProcess) -> None:
    days = [f"2020-01-{day:02}" for day in range(1, 31)]
    rows = {
        "day": days,
        "open": ["yes", "no"] * 15,
        "town": ["Bern", "Basel", None] * 10,
        "same": [1] * 30,
        "id": [*range(100, 130)],
        "y": [float(i % 7) for i in range(29)] + [None],
    }
    answer = client.predict({"target": "y", "rows": rows}).json()
    assert [(one["name"], one["kind"], one["description"]) for one in answer["columns"]] == [
        ("day", "time", "time in days since 2020-01-01, with the day of the week"),
        ("open", "yes_no", "yes or no, as 1 or 0"),
        (
            "town",
            "category",
            "category of 2 levels: Basel, Bern; other levels count as none; a missing cell is a level too",
        ),
        ("same", "left_out", "left out: all cells are equal"),
        ("id", "left_out", "left out: looks like an identifier: it names rows"),
        ("y", "target", "predicted: number"),
    ]


def test_classes_are_predicted_by_name_with_their_probabilities(client: InProcess) -> None:
    rows = [{"length": i % 5 + 3 * (i % 2), "kind": ["setosa", "virginica"][i % 2]} for i in range(20)]
    answer = client.predict({"target": "kind", "rows": rows, "query": [{"length": 0}, {"length": 7}]}).json()
    assert answer["prediction"] == ["setosa", "virginica"]
    assert answer["classes"] == ["setosa", "virginica"]
    assert np.array(answer["probabilities"]).shape == (2, 2)
    np.testing.assert_allclose(np.sum(answer["probabilities"], 1), 1, rtol=0, atol=1e-12)
    assert answer["model"]["name"] == "classifier"


def test_numbers_are_classes_if_the_task_says_so(client: InProcess) -> None:
    rows = [{"x": i % 5, "y": i % 5 // 3} for i in range(20)]
    answer = client.predict({"target": "y", "rows": rows, "query": [{"x": 4}], "task": "classification"}).json()
    assert answer["prediction"] == ["1"]


def test_keys_name_the_predicted_rows_and_are_not_learnt_from(client: InProcess) -> None:
    rows = [record | {"lot": number} for number, record in enumerate(RECORDS, 17)]
    answer = client.predict({"target": "price", "rows": rows, "keys": ["lot"]}).json()
    without = client.predict({"target": "price", "rows": RECORDS}).json()
    assert answer["keys"] == {"lot": [21]}
    assert answer["prediction"] == without["prediction"]
    query = [{"size": 70, "town": "Basel", "lot": "new", "at": "2020-01-01"}]
    answer = client.predict({"target": "price", "rows": RECORDS, "query": query, "keys": ["lot", "at"]}).json()
    assert answer["keys"] == {"lot": ["new"], "at": ["2020-01-01"]}
    assert refused(client, {"target": "price", "rows": rows, "query": RECORDS[:1], "keys": ["lot"]}) == [
        {"field": "query", "message": "has no column 'lot'; it has 'size', 'town', 'price'."}
    ]


def test_a_weight_counts_as_in_arrays(client: InProcess, predictor: Predictor) -> None:
    weight = [1.0, 2.0, 0.5, 1.0]
    rows = {"size": SIZES[:4], "price": PRICES[:4], "w": weight}
    answer = client.predict({"target": "price", "rows": rows, "weight": "w", "query": {"size": [70]}}).json()
    arrays = Observations(X[:, :1], np.array(PRICES[:4], float), np.array(weight))
    assert answer["prediction"] == predictor.predict(None, arrays, np.array([[70.0]])).prediction.tolist()


def test_a_schema_reads_later_rows_alike(client: InProcess) -> None:
    first = client.predict({"target": "price", "rows": RECORDS}).json()
    again = client.predict({"target": "price", "rows": RECORDS, "schema": first["schema"]}).json()
    assert again == first
    problems = refused(client, {"target": "size", "rows": RECORDS, "schema": first["schema"]})
    assert [problem["field"] for problem in problems] == ["target"]
    both = {"target": "price", "rows": RECORDS, "schema": first["schema"], "ignore": ["town"], "task": "regression"}
    assert [problem["field"] for problem in refused(client, both)] == ["ignore", "task"]


def test_cells_that_do_not_fit_are_found(client: InProcess) -> None:
    query = [{"size": 70, "town": "Thun"}, {"size": "large", "town": "Bern"}, {"size": 5, "town": "Thun"}]
    answer = client.predict({"target": "price", "rows": RECORDS, "query": query}).json()
    assert answer["findings"] == [
        {"column": "size", "what": "unreadable", "cells": 1, "example": "large", "place": "query[1]"},
        {"column": "town", "what": "new_level", "cells": 2, "example": "Thun", "place": "query[0]"},
    ]


def test_notes_name_columns_and_rows(client: InProcess) -> None:
    rows = [{"a": i, "b": i, "y": 2.0 * i} for i in range(5)] + [{"a": 2, "b": 9}, {"a": 9000, "b": 2}]
    answer = client.predict({"target": "y", "rows": rows, "model": "linear"}).json()
    assert {"code": "beyond_observations", "rows": [6]} in answer["notes"] or {
        "code": "beyond_observations",
        "rows": [5, 6],
    } in answer["notes"]


def test_problems_of_all_columns_are_reported_at_once(client: InProcess) -> None:
    rows = [{"a": "x y", "b": "p", "c": [1], "price": 1}, {"a": "z", "b": "q", "c": 2, "price": 3}]
    assert [one["field"] for one in refused(client, {"target": "price", "rows": rows})] == ["rows[0].c"]
    good = [{name: value for name, value in row.items() if name != "c"} for row in rows]
    kinds = {"a": "number", "b": "time"}
    problems = refused(client, {"target": "price", "rows": good, "kinds": kinds})
    assert [one["field"] for one in problems] == ["column 'a'", "column 'b'"]


def test_missing_cells_are_named_for_a_model_that_takes_none(client: InProcess) -> None:
    rows = [{"a": None, "b": 1, "y": 1}, {"a": 2, "b": 3, "y": 3}, {"a": 4, "b": None}]
    problems = refused(client, {"target": "y", "rows": rows, "model": "gd-1"})
    assert [one["field"] for one in problems] in (["column 'a', rows[0]"], ["column 'b', rows[2]"])
    assert "takes no missing cells" in problems[0]["message"]


@pytest.mark.parametrize(
    ("change", "fields"),
    [
        ({"rows": None}, ["rows"]),
        ({"rows": []}, ["rows"]),
        ({"rows": {}}, ["rows"]),
        ({"rows": 3}, ["rows"]),
        ({"rows": [1]}, ["rows[0]"]),
        ({"rows": {"size": 3, "price": [1]}}, ["rows.size"]),
        ({"rows": {"size": [1, 2], "price": [1]}}, ["rows"]),
        ({"query": []}, ["query"]),
        ({"query": "all"}, ["query"]),
        ({"query": [{"size": 3}]}, ["query"]),
        ({"query": {"size": [3, {}], "town": ["Bern", []]}}, ["query.size[1]", "query.town[1]"]),
        ({"target": 3}, ["target"]),
        ({"target": "cost"}, [""]),
        ({"target": "price", "weight": "price"}, [""]),
        ({"ignore": "town"}, ["ignore"]),
        ({"ignore": ["city"]}, [""]),
        ({"ignore": ["town", "size"]}, [""]),
        ({"kinds": {"town": "colour"}}, ["kinds.town"]),
        ({"task": "clustering"}, ["task"]),
        ({"model": "gd-1", "task": "classification"}, ["model"]),
        ({"interval": 2}, ["interval"]),
        ({"parameters": {"learning_rate": 1}}, ["parameters.learning_rate"]),
        ({"context": {"x": [[1]], "y": [1]}}, ["context"]),
        ({"colour": 1, "interval": "x"}, ["interval", "colour"]),
        ({"schema": {"columns": 3}}, ["schema.columns"]),
        ({"schema": {"columns": [NUMBER], "target": NUMBER | {"name": "price", "kind": "yes_no"}}}, ["schema"]),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_named(client: InProcess, change: dict[str, object], fields: list[str]) -> None:
    problems = refused(client, {"target": "price", "rows": RECORDS} | change)
    assert [problem["field"] for problem in problems] == fields


@pytest.mark.slow
@pytest.mark.parametrize("body", [{"rows": RECORDS, "target": "price", "query": RECORDS}])
def test_limits_apply_to_tables(body: dict[str, object]) -> None:
    with in_process(Settings(max_observations=3)) as client:
        assert [one["field"] for one in refused(client, body)] == ["rows"]
    with in_process(Settings(max_predictions=4)) as client:
        assert [one["field"] for one in refused(client, body)] == ["query"]
    with in_process(Settings(max_columns=4)) as client:  # four of x, and y
        assert "5 columns of x and y" in refused(client, body)[0]["message"]
    with in_process(Settings(max_columns=5, max_observations=4, max_predictions=5)) as client:
        assert client.predict(body).status_code == 200


def as_json(**fields: object) -> bytes:
    return json.dumps({"target": "y", **fields}).encode()


def names(form: bytes) -> bytes:
    return b",".join(form % i for i in range(10**6))


HOSTILE: dict[str, Callable[[], bytes]] = {
    "a million columns of one record": lambda: b'{"target":"y","rows":[{%s}]}' % names(b'"%x":1'),
    "a million columns": lambda: b'{"target":"y","rows":{%s}}' % names(b'"%x":[]'),
    "columns that few rows have": lambda: as_json(rows=[{f"c{i}": 1} for i in range(9000)]),
    "deep records": lambda: b'{"target":"y","rows":%s%s}' % (b"[" * 900, b"]" * 900),
    "deep cells": lambda: b'{"target":"y","rows":[{"a":%s%s}]}' % (b'{"a":' * 900 + b"1", b"}" * 900),
    "deep fields": lambda: b'{"target":"y","schema":%s%s,"rows":[{"a":1}]}' % (b"[" * 900, b"]" * 900),
    "many names of columns": lambda: as_json(ignore=[1] * 10**6, rows=[{"y": 1}]),
    "many kinds": lambda: as_json(kinds=dict.fromkeys(map(str, range(10**5))), rows=1),
    "many fields": lambda: as_json(**{f"f{i}": 1 for i in range(10**5)}),
    "a schema of numbers": lambda: as_json(rows=[{"y": 1}], schema={"columns": [1] * 10**5}),
    "beyond float64": lambda: b'{"target":"y","rows":[{"a":1%s,"y":1}]}' % (b"0" * 400),
    "not a number": lambda: b'{"target":"y","rows":[{"a":NaN,"y":1}]}',
}


@pytest.mark.parametrize("body", HOSTILE.values(), ids=HOSTILE)
def test_hostile_tables_are_refused_in_bounded_time(client: InProcess, body: Callable[[], bytes]) -> None:
    answer = client.send(body())
    assert answer.status_code == 422, answer.text
    assert len(answer.content) < 20_000
    assert answer.elapsed.total_seconds() < 20


def test_too_deep_a_body_is_malformed(client: InProcess) -> None:
    assert client.send(b'{"target":"y","rows":%s%s}' % (b"[" * 5000, b"]" * 5000)).status_code == 400


def test_a_mark_and_integers_beyond_64_bits_are_read(client: InProcess) -> None:
    body = b'\xef\xbb\xbf{"target":"y","rows":[{"a":100000000000000000000,"y":1},{"a":2,"y":2},{"a":3}]}'
    assert client.send(body).json()["n_observations"] == 2


def test_arrays_with_a_wrong_field_are_refused_as_arrays(client: InProcess) -> None:
    problems = refused(client, {"rows": RECORDS, "context": {"x": [[1]], "y": [1]}, "query": [[1]]})
    assert problems[0]["field"] == "rows"
    assert "the fields here are interval, quantiles, model, version, context" in problems[0]["message"]


def test_inspection_counts_gaps_and_shows_examples(client: InProcess) -> None:
    rows = {"size": SIZES, "town": ["Bern", "?", "Bern", "Chur", None], "price": PRICES}
    answer = client.request("POST", "/v1/inspect", json={"rows": rows}).json()
    assert "schema" not in answer
    assert answer["rows"] == 5
    assert [(one["name"], one["kind"], one["missing"], one["different"]) for one in answer["columns"]] == [
        ("size", "number", 0, 5),
        ("town", "category", 2, 2),
        ("price", "number", 1, 4),
    ]
    assert [one["examples"] for one in answer["columns"]] == [["51", "134"], ["Bern", "Chur"], ["181.2", "394.1"]]


def test_inspection_with_a_target_has_the_schema_of_the_prediction(client: InProcess) -> None:
    inspected = client.request("POST", "/v1/inspect", json={"rows": RECORDS, "target": "price"}).json()
    predicted = client.predict({"rows": RECORDS, "target": "price"}).json()
    assert inspected["schema"] == predicted["schema"]
    described = [{name: one[name] for name in ("name", "kind", "description")} for one in inspected["columns"]]
    assert described == predicted["columns"]


def test_inspection_refuses_what_it_does_not_know(client: InProcess) -> None:
    assert [one["field"] for one in refused(client, {"rows": HOUSES, "query": []}, "/v1/inspect")] == ["query"]
    assert [one["field"] for one in refused(client, [1], "/v1/inspect")] == [""]


def test_both_forms_are_documented_with_examples_that_work(client: InProcess) -> None:
    document = client.get("/openapi.json").json()
    sent = document["paths"]["/v1/predict"]["post"]["requestBody"]["content"]["application/json"]
    names = [one["$ref"].rsplit("/", 1)[1] for one in sent["schema"]["anyOf"]]
    assert names == ["PredictRequest", "TablePredictRequest"]
    assert "schema" in document["components"]["schemas"]["TablePredictRequest"]["properties"]
    assert [*sent["examples"]] == ["arrays", "records", "columns"]
    for path, examples in (
        ("/v1/predict", sent["examples"]),
        (
            "/v1/inspect",
            document["paths"]["/v1/inspect"]["post"]["requestBody"]["content"]["application/json"]["examples"],
        ),
    ):
        for example in nonempty(examples.values()):
            assert client.request("POST", path, json=example["value"]).status_code == 200
