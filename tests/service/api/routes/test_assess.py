"""Assessments of tables, and the rows that are most like a prediction."""

import random

import pytest

from service.datasets.table_prediction import TablePrediction, context_rows
from service.inference.predictor import Predictor
from service.tables.assessing import assess
from service.tables.effects import column_effects
from service.tables.memory import table_of_columns
from service.tables.predicting import infer_schema, model_for
from service.tables.requested import Requested
from tests.nonempty import nonempty
from tests.service.in_process import InProcess

ROWS, WANTED = 41, 3


def columns(wanted: int = WANTED) -> dict[str, list[object]]:
    draw = random.Random(2)  # noqa: S311  (data for a test)
    size = [draw.uniform(30, 150) for _ in range(ROWS)]
    town = [draw.choice(["Bern", "Chur", None]) for _ in range(ROWS)]
    price = [3 * a + (90 if b == "Bern" else 0) + draw.gauss(0, 9) for a, b in zip(size, town, strict=True)]
    known: list[object] = [*price[: ROWS - wanted], *[None] * wanted]
    return {"size": [*size], "town": [*town], "price": known}


def as_csv(table: dict[str, list[object]]) -> bytes:
    rows = zip(*table.values(), strict=True)
    lines = [",".join(table), *(",".join("" if cell is None else str(cell) for cell in row) for row in rows)]
    return "\n".join(lines).encode()


@pytest.mark.slow
def test_an_assessment_has_the_numbers_of_the_core(client: InProcess, predictor: Predictor) -> None:
    table = columns()
    answer = client.request(
        "POST", "/v1/assess", json={"target": "price", "rows": table, "explain": ["effects"], "interval": 0.9}
    ).json()
    source = table_of_columns(table, "rows")
    schema = infer_schema(source, Requested("price"))
    runtime = model_for(predictor, schema, None)
    found = assess(source, schema, predictor, runtime)
    assert answer["sentence"] == found.sentence
    assert [score["method"] for score in answer["scores"]] == [score.method for score in found.scores]
    assert [score["mae"] for score in answer["scores"]] == [score.mae for score in found.scores]
    assert "accuracy" not in answer["scores"][0]
    assert "coverage" not in answer["scores"][1]
    assert (answer["rows"], answer["folds"], answer["model"]["name"]) == (ROWS - WANTED, 5, "nonlinear")
    held = answer["held_out"]
    assert held["prediction"] == found.held_out[0].tolist()
    assert sorted(held["rows"]) == [*range(ROWS - WANTED)]
    assert held["target"] == [table["price"][row] for row in held["rows"]]
    effects = column_effects(schema, found.sample, runtime, 0.9)
    assert [effect["column"] for effect in answer["effects"]] == ["size", "town"]
    for effect, expected in nonempty(zip(answer["effects"], effects, strict=True)):
        assert effect["values"] == [*expected.values]
        assert effect["effect"] == expected.effect.tolist()
        assert expected.lower is not None
        assert effect["lower"] == expected.lower.tolist()


@pytest.mark.slow
def test_a_file_is_assessed_like_columns(client: InProcess) -> None:
    by_columns = client.request("POST", "/v1/assess", json={"target": "price", "rows": columns()}).json()
    headers = {"Content-Type": "application/octet-stream"}
    by_file = client.request("POST", "/v1/assess?target=price", content=as_csv(columns()), headers=headers).json()
    assert by_file == by_columns
    assert "effects" not in by_file


@pytest.mark.slow
def test_classes_have_accuracy_and_no_effects(client: InProcess) -> None:
    rows = {"a": [i % 7 for i in range(30)], "kind": ["even" if i % 2 else "odd" for i in range(30)]}
    answer = client.request("POST", "/v1/assess", json={"target": "kind", "rows": rows}).json()
    assert {"accuracy", "log_loss"} < {*answer["scores"][0]}
    assert "held_out" not in answer
    refused = client.request("POST", "/v1/assess", json={"target": "kind", "rows": rows, "explain": ["effects"]})
    assert refused.status_code == 422
    assert "no effects of columns" in refused.json()["error"]


def test_few_rows_and_an_impossible_interval_are_refused(client: InProcess) -> None:
    rows = {"a": [1, 2, 3, 4], "y": [1.0, 2.0, 3.0, None]}
    answer = client.request("POST", "/v1/assess", json={"target": "y", "rows": rows})
    assert answer.status_code == 422
    assert answer.json()["error"] == "rows: has 3 rows with a target; an assessment needs at least 10."
    refused = client.request("POST", "/v1/assess", json={"target": "price", "rows": columns(), "interval": 1.0})
    assert refused.status_code == 422
    assert "interval" in refused.json()["error"]


@pytest.mark.parametrize("kind", ["text/csv", "application/octet-stream"])
def test_nearest_rows_are_named_with_their_cells(client: InProcess, kind: str) -> None:
    table = columns()
    table["size"][-1], table["town"][-1] = table["size"][7], table["town"][7]
    path = "/v1/predict?target=price&nearest=2&append=true"
    answer = client.request("POST", path, content=as_csv(table), headers={"Content-Type": kind}).json()
    assert answer["rows"] == [ROWS - 3, ROWS - 2, ROWS - 1]
    assert [len(rows) for rows in answer["nearest"]] == [2, 2, 2]
    assert answer["nearest"][-1][0] == 7
    appended = answer["appended"]
    assert appended["rows"]["size"] == [str(value) for value in table["size"][-3:]]
    assert appended["rows"]["town"] == table["town"][-3:]
    assert appended["rows"]["price"] == [None, None, None]
    for rows, prices in nonempty(zip(answer["nearest"], appended["nearest"]["price"], strict=True)):
        assert prices == [str(table["price"][row]) for row in rows]


def test_nearest_rows_of_a_second_table_are_rows_of_the_first(client: InProcess) -> None:
    table = columns()
    query = [{"size": table["size"][4], "town": table["town"][4]}]
    body = {"target": "price", "rows": table, "query": query, "nearest": 1}
    answer = client.predict(body).json()
    assert answer["nearest"] == [[4]]
    assert "appended" not in answer
    refused = client.request("POST", "/v1/predict", json=body | {"nearest": 21})
    assert refused.status_code == 422
    assert "nearest" in refused.json()["error"]


def test_a_prediction_has_the_effects_of_all_its_observations(client: InProcess, predictor: Predictor) -> None:
    answer = client.predict({"target": "price", "rows": columns(), "explain": ["effects"], "interval": 0.9}).json()
    source = table_of_columns(columns(), "rows")
    schema = infer_schema(source, Requested("price"))
    runtime = model_for(predictor, schema, None)
    rows = context_rows(TablePrediction(predictor, runtime, schema, source))
    assert rows.places.tolist() == [*range(ROWS - WANTED)]
    expected = column_effects(schema, rows, runtime, 0.9)
    assert [effect["effect"] for effect in answer["effects"]] == [effect.effect.tolist() for effect in expected]
    by_file = client.request(
        "POST",
        "/v1/predict?target=price&explain=effects",
        content=as_csv(columns()),
        headers={"Content-Type": "application/octet-stream"},
    ).json()
    assert "lower" not in by_file["effects"][0]
    assert by_file["effects"][0]["effect"] == answer["effects"][0]["effect"]
