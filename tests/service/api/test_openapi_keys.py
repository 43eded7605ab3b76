from typing import Any, Literal

import pytest

from service.app import create_app
from service.settings import Settings
from tests.nonempty import nonempty


def document(auth: Literal["on", "off"]) -> dict[str, Any]:
    return create_app(Settings(auth=auth)).openapi()


@pytest.mark.slow
def test_routes_that_need_a_key_document_it() -> None:
    asked = document("on")
    assert asked["components"]["securitySchemes"]["key"]["scheme"] == "bearer"
    predict, live = asked["paths"]["/v1/predict"]["post"], asked["paths"]["/health/live"]["get"]
    assert predict["security"] == [{"key": []}]
    assert "security" not in live
    assert {"401", "429"} <= set(predict["responses"])
    assert {"401", "429"}.isdisjoint(live["responses"])


@pytest.mark.slow
def test_keys_are_not_documented_if_not_required() -> None:
    free = document("off")
    assert "securitySchemes" not in free["components"]
    predict = free["paths"]["/v1/predict"]["post"]
    assert "security" not in predict
    assert "429" in predict["responses"]


@pytest.mark.slow
@pytest.mark.parametrize("auth", ["on", "off"])
def test_documented_errors_are_not_repeated(auth: Literal["on", "off"]) -> None:
    for path, operations in nonempty(document(auth)["paths"].items()):
        for operation in nonempty(operations.values()):
            for answer in nonempty(operation["responses"].values()):
                sentences = answer["description"].split(". ")
                assert len(set(sentences)) == len(sentences), path
