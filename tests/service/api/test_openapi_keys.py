from typing import Any, Literal

import pytest

from service.app import create_app
from service.settings import Settings
from tests.nonempty import nonempty


def document(auth: Literal["on", "off"]) -> dict[str, Any]:
    return create_app(Settings(auth=auth)).openapi()


@pytest.mark.slow
def test_where_a_key_is_needed_every_closed_route_says_so() -> None:
    asked = document("on")
    assert asked["components"]["securitySchemes"]["key"]["scheme"] == "bearer"
    predict, live = asked["paths"]["/v1/predict"]["post"], asked["paths"]["/health/live"]["get"]
    assert predict["security"] == [{"key": []}]
    assert "security" not in live
    assert {"401", "429"} <= set(predict["responses"])
    assert {"401", "429"}.isdisjoint(live["responses"])


@pytest.mark.slow
def test_where_none_is_needed_none_is_asked_for() -> None:
    free = document("off")
    assert "securitySchemes" not in free["components"]
    predict = free["paths"]["/v1/predict"]["post"]
    assert "security" not in predict
    assert "429" in predict["responses"]


@pytest.mark.slow
@pytest.mark.parametrize("auth", ["on", "off"])
def test_a_refusal_that_a_route_knows_already_is_not_told_twice(auth: Literal["on", "off"]) -> None:
    for path, operations in nonempty(document(auth)["paths"].items()):
        for operation in nonempty(operations.values()):
            for answer in nonempty(operation["responses"].values()):
                sentences = answer["description"].split(". ")
                assert len(set(sentences)) == len(sentences), path
