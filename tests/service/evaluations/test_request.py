import numpy as np
import pytest
from pydantic import ValidationError

from gdssm.evaluation.suites import SUITES
from service.evaluations.request import SUITE_INPUTS, EvaluationRequest

TABLE = {"x": [[float(i), float(-i)] for i in range(20)], "y": [float(i) for i in range(20)]}

WRONG = {
    "no model": ({"models": []}, "models"),
    "a model's name that is none": ({"models": ["../etc"]}, "models"),
    "an unknown suite": ({"suite": "imagenet"}, "suite"),
    "data without its suite": ({"data": TABLE}, "data belongs to the suite"),
    "the suite without data": ({"suite": "data"}, "data belongs to the suite"),
    "too many numbers": ({"tasks": 5000, "curve": [10_000]}, "more than 20000000 numbers"),
    "rows of two widths": ({"suite": "data", "data": {"x": [[1], [1, 2]], "y": [1, 2]}}, "rows of one width"),
    "a row without its y": ({"suite": "data", "data": {"x": [[1], [2], [3]], "y": [1, 2]}}, "one number for each"),
    "a table too short": ({"suite": "data", "data": TABLE, "curve": [17]}, "more rows than the 20"),
    "a number that is none": ({"suite": "data", "data": {"x": [[1], [float("nan")]], "y": [1, 2]}}, "finite"),
    "one task": ({"tasks": 1}, "tasks"),
    "an unknown field": ({"sead": 1}, "sead"),
}


@pytest.mark.parametrize(("changes", "message"), WRONG.values(), ids=WRONG)
def test_invalid_requests_are_refused(changes: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        EvaluationRequest.model_validate({"models": ["linear"], **changes})


def test_an_uploaded_table_is_the_only_distribution() -> None:
    request = EvaluationRequest.model_validate(
        {"suite": "data", "models": ["linear"], "data": TABLE, "curve": [5], "tasks": 3}
    )
    ((name, task),) = request.distributions()
    batch = task.sample(np.random.default_rng(0), 3, 5, 4)
    assert name == "data"
    assert (batch.x[..., 0] == batch.y[..., 0]).all()


def test_a_request_survives_its_own_json() -> None:
    request = EvaluationRequest(models=("linear",), seed=7)
    assert EvaluationRequest.model_validate_json(request.model_dump_json()) == request


def test_suite_inputs_match_the_suites() -> None:
    assert SUITE_INPUTS.keys() == SUITES.keys()
    for name, most in SUITE_INPUTS.items():
        tasks = dict(EvaluationRequest.model_validate({"suite": name, "models": ["linear"]}).distributions())
        assert tasks == dict(SUITES[name])
        rng = np.random.default_rng(0)
        assert max(task.sample(rng, 2, 1, 1).x.shape[2] for task in tasks.values()) == most
