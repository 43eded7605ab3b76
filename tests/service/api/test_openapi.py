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


PUBLIC = {"check_liveness", "check_readiness", "check_server_liveness", "check_server_readiness", "get_metrics"}
"""Operations without a key."""


def responses(document: Document) -> list[tuple[str, str, Document]]:
    """The id of the operation, the status and the response of each."""
    operations = [operation for methods in document["paths"].values() for operation in methods.values()]
    return [
        (operation["operationId"], status, response)
        for operation in nonempty(operations)
        for status, response in nonempty(operation["responses"].items())
    ]


def test_every_content_type_of_a_response_has_one_schema_and_json_comes_first(document: Document) -> None:
    for operation, status, response in nonempty(responses(document)):
        content = response.get("content", {})
        assert content or status in {"204", "304"}, (operation, status)
        assert "application/json" not in [*content][1:], operation
        without = [kind for kind, one in content.items() if not one["schema"].keys() & {"$ref", "type"}]
        assert not without, (operation, status)


def test_no_field_has_a_default_and_those_of_responses_that_are_always_sent_are_required(document: Document) -> None:
    schemas = document["components"]["schemas"]
    fields = [part for schema in schemas.values() for part in schema.get("properties", {}).values()]
    assert not [part for part in nonempty(fields) if "default" in part]
    for name, field in [("Health", "version"), ("Manifest", "affine_in_query"), ("ContextListed", "labels")]:
        assert field in schemas[name]["required"]
    for name, field in [
        ("PredictRequest", "explain"),
        ("TablePredictRequest", "missing"),
        ("EvaluationRequest", "tasks"),
    ]:
        assert field not in schemas[name].get("required", [])


def test_headers_of_the_rate_limit_are_documented_where_there_is_one(document: Document) -> None:
    limit = {"RateLimit", "RateLimit-Policy"}
    assert limit <= document["components"]["headers"].keys()
    for operation, status, response in nonempty(responses(document)):
        headers = response.get("headers", {}).keys()
        assert ("Retry-After" in headers) == (status in {"429", "503"}), (operation, status)
        if operation in PUBLIC:
            assert not limit & headers, operation
        else:
            assert (limit <= headers) == (int(status) < 400 or status == "429"), (operation, status)


def test_constant_among_other_types_is_an_enum(document: Document) -> None:
    schemas = document["components"]["schemas"]
    dims = schemas["ModelSummary"]["properties"]["dims"]["additionalProperties"]["anyOf"]
    assert dims == [{"type": "integer"}, {"type": "string", "enum": ["any"]}]
    for name in ("ContextAnswer", "CreateContext"):
        assert {"type": "string", "enum": ["auto"]} in schemas[name]["properties"]["decay"]["anyOf"]


def test_the_response_with_one_of_two_schemas_names_the_one_with_more_fields_first(document: Document) -> None:
    """A generated client takes the first one whose required fields are there."""
    found = document["paths"]["/v1/predict"]["post"]["responses"]["200"]["content"]["application/json"]["schema"]
    assert found == {"$ref": "#/components/schemas/PredictResponse"}
    union = document["components"]["schemas"]["PredictResponse"]["anyOf"]
    assert union == [{"$ref": f"#/components/schemas/{name}"} for name in ("TablePredictAnswer", "PredictAnswer")]
