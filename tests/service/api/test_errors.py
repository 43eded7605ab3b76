import logging
from collections.abc import Iterator

import pytest

from service import errors
from service.api.errors import documented, status_of
from service.settings import Settings
from tests.nonempty import nonempty
from tests.service.in_process import in_process


def tree(root: type[errors.ServiceError]) -> Iterator[type[errors.ServiceError]]:
    yield root
    for child in root.__subclasses__():
        yield from tree(child)


def test_caller_errors_are_4xx_and_operator_errors_5xx() -> None:
    for kind in nonempty(tree(errors.CallerError)):
        if kind is not errors.CallerError:
            assert 400 <= status_of(kind) < 500, kind
    for kind in nonempty(tree(errors.OperatorError)):
        assert 500 <= status_of(kind) < 600, kind


def test_errors_have_unique_types_and_are_in_the_tree() -> None:
    kinds = list(tree(errors.ServiceError))
    assert len({kind.error_type for kind in kinds}) == len(kinds)
    for kind in kinds:
        assert kind.__name__ in (errors.__doc__ or "")


def test_errors_of_one_status_are_documented_together() -> None:
    responses = documented(errors.InvalidInput, errors.NumericOverflow)
    assert list(responses) == [422, 500]
    assert "too large for floating point" in responses[422]["description"]


@pytest.mark.slow
def test_uncaught_exception_is_logged_and_not_sent(caplog: pytest.LogCaptureFixture) -> None:
    with in_process(Settings()) as client:
        client.replace(predictor=None)
        with caplog.at_level(logging.ERROR):
            answer = client.get("/v1/models")
    assert answer.status_code == 500
    assert answer.json() == {
        "error": "Something went wrong inside the service; it is in the service's log.",
        "error_type": "internal_error",
        "detail": None,
    }
    assert "GET /v1/models failed: AttributeError" in caplog.text


@pytest.mark.slow
def test_uncaught_exception_does_not_close_the_connection() -> None:
    with in_process(Settings()) as client:
        client.replace(predictor=None)
        client.raising = True
        assert client.get("/v1/models").status_code == 500
        assert client.predict({"context": {"x": [[1]], "y": [1]}, "query": [[1]]}).status_code == 500


def test_first_problems_of_many_are_detailed() -> None:
    error = errors.InvalidInput(*(errors.Problem(f"f[{i}]", "is bad.") for i in range(1000)))
    assert len(error.detail) == 20
    assert str(error) == "f[0]: is bad. f[1]: is bad. f[2]: is bad. And 997 more."
