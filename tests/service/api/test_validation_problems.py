import pytest
from pydantic import ValidationError

from service.api.routes.v2.schemas import InferRequest
from service.api.validation_problems import path_of, problems_in
from service.real_numbers import BOOLEAN_REMEDY, TEXT_REMEDY
from service.schemas.predictions import PredictRequest
from tests.service.in_process import InProcess


def problems(body: dict[str, object]) -> dict[str, str]:
    with pytest.raises(ValidationError) as refused:
        PredictRequest.model_validate(body)
    return {problem.field: problem.message for problem in problems_in(refused.value.errors(), PredictRequest)}


def test_location_is_written_as_a_path() -> None:
    assert path_of(("context", "x", 3, 1)) == "context.x[3][1]"
    assert path_of(("parameters", "a", "[key]")) == "parameters.a"
    assert path_of(()) == ""


def test_long_names_are_shortened() -> None:
    assert path_of(("a" * 1000,)) == "a" * 60 + "…"


def test_every_problem_of_every_field_is_named() -> None:
    found = problems({"context": {"x": [[1, False], [2, "3"]], "y": [True], "weights": [1]}, "query": [], "k": 1})
    assert found == {
        "context.x[0][1]": f"must be a number; this is false. {BOOLEAN_REMEDY}",
        "context.x[1][1]": f"must be a number; this is the text '3'. {TEXT_REMEDY}",
        "context.y[0]": f"must be a number; this is true. {BOOLEAN_REMEDY}",
        "context.weights": "is not a field. Leave it out; the fields here are x, y, weight, levels.",
        "query": "is empty. Send at least one.",
        "k": "is not a field. Leave it out; the fields here are interval, quantiles, model, version, context, query, "
        "parameters, explain.",
    }


def test_missing_fields_and_wrong_kinds_are_named() -> None:
    assert problems({"context": [1], "model": 3, "parameters": "fast"}) == {
        "context": "must be an object; this is a list.",
        "model": "must be a text; this is a number.",
        "query": "is missing. Send it.",
        "parameters": "must be an object; this is the text 'fast'.",
    }


def test_parameters_are_finite_numbers() -> None:
    found = problems(
        {"context": {"x": [[1]], "y": [1]}, "query": [[1]], "parameters": {"a": None, "b": float("nan"), "c": {}}}
    )
    assert list(found) == ["parameters.a", "parameters.b", "parameters.c"]


def test_the_wrong_part_of_an_explanation_is_named() -> None:
    found = problems({"context": {"x": [[1]], "y": [1]}, "query": [[1]], "explain": ["x"]})
    assert found["explain"].endswith("this has the text 'x'.")


def test_an_optional_parameter_is_named_without_its_type(client: InProcess) -> None:
    answer = client.get("/v1/evaluations?after=%00")
    assert answer.status_code == 422
    assert [problem["field"] for problem in answer.json()["detail"]] == ["query.after"]


def test_the_fields_of_an_entry_of_a_list_are_named() -> None:
    with pytest.raises(ValidationError) as refused:
        InferRequest.model_validate(
            {"inputs": [{"name": "x", "shape": [1], "datatype": "FP64", "parameters": {"a": 1}}]}
        )
    (found,) = problems_in(refused.value.errors(), InferRequest)
    assert found.field == "inputs[0].parameters.a"
    assert "the fields here are binary_data_size." in found.message
