import re
from typing import Any

import numpy as np
import pytest

from tests.nonempty import nonempty
from tests.service.in_process import InProcess

Document = dict[str, Any]


@pytest.fixture(scope="module")
def document(client: InProcess) -> Document:
    found: Document = client.get("/openapi.json").json()
    return found


def test_the_request_is_documented_as_numbers_with_examples(document: Document) -> None:
    sent = document["paths"]["/v1/predict"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    names = ("PredictRequest", "TablePredictRequest")
    assert sent == {"anyOf": [{"$ref": f"#/components/schemas/{name}"} for name in names]}
    schemas = document["components"]["schemas"]
    x, y = (schemas["ObservationsBody"]["properties"][name] for name in "xy")
    assert x["items"]["items"] == {"anyOf": [{"type": "number"}, {"type": "null"}]}
    assert [kind["type"] for kind in y["anyOf"]] == ["array", "array"]
    assert x["examples"] == [[[1.0], [2.0], [3.0], [4.0], [5.0]]]
    assert schemas["PredictRequest"]["additionalProperties"] is False


LEFT_OUT = {"explanation", "notes"}
"""Optional fields that the example does not request."""


def test_the_documented_example_is_answered_as_documented(client: InProcess, document: Document) -> None:
    schemas = document["components"]["schemas"]

    def example(name: str) -> Document:
        fields = schemas[name]["properties"]
        return {
            field: example(part["$ref"].rsplit("/", 1)[1]) if "$ref" in part else part["examples"][0]
            for field, part in fields.items()
            if field not in LEFT_OUT
        }

    answer, documented = client.predict(example("PredictRequest")).json(), example("PredictAnswer")
    for name in ("prediction", "quantiles"):
        np.testing.assert_allclose(answer.pop(name), documented.pop(name), rtol=0, atol=6e-4, err_msg=name)
    for side in ("lower", "upper"):
        found, expected = answer["interval"].pop(side), documented["interval"].pop(side)
        assert found == pytest.approx(expected, abs=6e-4)
    for different in (answer, documented):
        assert re.fullmatch("[0-9a-f]{64}", different["model"].pop("sha256"))
    assert answer == documented


def test_every_operation_and_field_is_described(document: Document) -> None:
    for path, operations in nonempty(document["paths"].items()):
        for operation in nonempty(operations.values()):
            assert operation["description"], path
    for name in ("PredictRequest", "ObservationsBody", "ErrorBody"):
        for field, schema in nonempty(document["components"]["schemas"][name]["properties"].items()):
            assert "$ref" in schema or schema["description"], (name, field)


def test_documented_errors_have_the_error_body(document: Document) -> None:
    for path, operations in nonempty(document["paths"].items()):
        for operation in nonempty(operations.values()):
            errors = {code: answer for code, answer in operation["responses"].items() if int(code) >= 400}
            assert "500" in errors
            for code, answer in errors.items():
                schema = answer["content"]["application/json"]["schema"]
                assert schema == {"$ref": "#/components/schemas/ErrorBody"}, (path, code)


def test_documentation_page_exists(client: InProcess) -> None:
    assert "swagger" in client.get("/docs").text


def test_the_page_of_the_docs_needs_no_other_server(client: InProcess) -> None:
    page = client.get("/docs")
    assert page.status_code == 200
    sources = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert sources
    for source in sources:
        assert source.startswith("/"), source
        assert client.get(source).status_code == 200


def test_ids_and_summaries_of_operations_are_words(document: Document) -> None:
    operations = nonempty(operation for methods in document["paths"].values() for operation in methods.values())
    ids = [operation["operationId"] for operation in operations]
    assert len(set(ids)) == len(ids)
    assert {"predict", "create_context", "observe", "predict_from_context", "list_models"} <= {*ids}
    for operation in nonempty(operations):
        assert re.fullmatch("[a-z]+(_[a-z]+)*", operation["operationId"])
        assert operation["summary"] == operation["operationId"].replace("_", " ").title()


def test_the_document_names_the_server_the_licence_and_a_contact(document: Document) -> None:
    assert document["servers"] == [{"url": "/"}]
    assert document["info"]["license"] == {"name": "Apache-2.0", "identifier": "Apache-2.0"}
    assert document["info"]["contact"] == {"name": "gdssm developers"}
