"""The parts of the OpenAPI document that concern all routes: authentication, admission, error bodies, headers, links.

It is made for generators of clients (`tests/clients/test_generated_clients.py`): no field has a `default`, which some
take to mean that it is required and others refuse, and a response with one of several schemas refers to a
union by name.
"""

from collections.abc import Iterable
from typing import Any

from fastapi import FastAPI
from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode, JsonSchemaValue, models_json_schema
from pydantic_core.core_schema import WithDefaultSchema

from service import errors
from service.api import rate_limit_headers
from service.api.body import JSON, REF_TEMPLATE
from service.api.endpoint import Endpoint
from service.api.errors import documented
from service.api.middleware.access import is_public
from service.api.middleware.observability import PROBES

BEARER = {
    "type": "http",
    "scheme": "bearer",
    "bearerFormat": "gdssm_<id>_<secret>",
    "description": "A key from `python -m service keys create NAME`, as `Authorization: Bearer <key>`.",
}

ADMISSION = (errors.Overloaded, errors.TooSlow)
"""Errors of every route, and of every route with a body."""

RETRY_AFTER = {"description": "Seconds after which to try again.", "schema": {"type": "integer", "minimum": 1}}
HEADERS = {"Retry-After": RETRY_AFTER, **rate_limit_headers.DOCUMENTED}
"""Header objects by name; responses refer to them."""

ID_SOURCES = {"context_id": ("/v1/contexts", "201"), "evaluation_id": ("/v1/evaluations", "202")}
"""By path parameter: the POST, and its status, whose response has the value as `id`."""


def complete(app: FastAPI, endpoints: Iterable[Endpoint], *, required: bool) -> None:
    """Extend the OpenAPI document of an app, which is generated when it is first requested.

    Args:
        app: The app.
        endpoints: Have the models of the bodies.
        required: Whether callers need a key.
    """
    make = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            document = make()
            components = document["components"]
            components["headers"] = HEADERS
            components["schemas"] |= _body_schemas(endpoints)
            if required:
                components["securitySchemes"] = {"key": BEARER}
            _link(document)
            for path, operations in document["paths"].items():
                for operation in operations.values():
                    _complete(path, operation, required=required)
                    _name_unions(operation, components["schemas"])
            _simplify(components["schemas"])
        return app.openapi_schema or {}

    app.openapi = openapi  # type: ignore[method-assign]  # as FastAPI documents it


def _complete(path: str, operation: dict[str, Any], *, required: bool) -> None:
    """Document the errors and headers that middleware adds to an operation."""
    if not is_public(path):
        first = errors.Unauthenticated if required else errors.ForeignSite
        _add(operation, (first, errors.RateLimited), required=required)
    if not path.startswith(PROBES):
        _add(operation, ADMISSION if "requestBody" in operation else ADMISSION[:1])
    _give_body(operation["responses"])
    for status, answer in operation["responses"].items():
        names = _headers_of(int(status), limited=not is_public(path))
        if names:
            references = {name: {"$ref": f"#/components/headers/{name}"} for name in names}
            answer["headers"] = answer.get("headers", {}) | references


def _headers_of(status: int, *, limited: bool) -> list[str]:
    """Name the headers of responses with a status; other errors of callers with a limit have those of the limit too."""
    names = [*rate_limit_headers.DOCUMENTED] if limited and (status < 400 or status == 429) else []
    return [*names, "Retry-After"] if status in {429, 503} else names


class _WithoutDefaults(GenerateJsonSchema):
    """Omits the defaults of fields."""

    def default_schema(self, schema: WithDefaultSchema) -> JsonSchemaValue:
        """Return the schema of a field with a default."""
        return self.generate_inner(schema["schema"])


def _body_schemas(endpoints: Iterable[Endpoint]) -> dict[str, Any]:
    """Return the schemas of the request bodies, by name; FastAPI adds those of the responses only."""
    models = {model for endpoint in endpoints if endpoint.body for model in endpoint.body.models}
    inputs: list[tuple[type[BaseModel], JsonSchemaMode]] = [(model, "validation") for model in models]
    _, definitions = models_json_schema(inputs, ref_template=REF_TEMPLATE, schema_generator=_WithoutDefaults)
    schemas: dict[str, Any] = definitions["$defs"]
    return schemas


def _simplify(part: object) -> None:
    """Drop the defaults of fields, and make a constant among other types an enum, which generated code can recognise.

    Args:
        part: Of the schemas; changed in place.
    """
    if isinstance(part, dict):
        for field in part.get("properties", {}).values():
            field.pop("default", None)
        for kind in part.get("anyOf", ()):
            if "const" in kind:
                kind["enum"] = [kind.pop("const")]
    if isinstance(part, dict | list):
        for inner in part.values() if isinstance(part, dict) else part:
            _simplify(inner)


def _name_unions(operation: dict[str, Any], schemas: dict[str, Any]) -> None:
    """Give one named schema to a response that has one of several."""
    name = operation["operationId"].title().replace("_", "") + "Response"
    for answer in operation["responses"].values():
        content = answer.get("content", {}).get(JSON, {})
        if "anyOf" in content.get("schema", {}):
            schemas[name] = content["schema"] | {"title": name}
            content["schema"] = {"$ref": REF_TEMPLATE.format(model=name)}


def _add(operation: dict[str, Any], possible: tuple[type[errors.ServiceError], ...], *, required: bool = False) -> None:
    if required:
        operation["security"] = [{"key": []}]
    for status, answer in documented(*possible).items():
        known = operation["responses"].get(str(status), {}).get("description", "")
        if answer["description"] not in known and status != 500:
            text = f"{known} {answer['description']}".strip()
            operation["responses"][str(status)] = {"description": text}


def _give_body(responses: dict[str, dict[str, Any]]) -> None:
    """Add the schema of the error body, which only status 500 has, to every error."""
    content = responses["500"]["content"]
    for status, answer in responses.items():
        if int(status) >= 400:
            answer.setdefault("content", content)


def _link(document: dict[str, Any]) -> None:
    """Add links from the creation of a resource to the operations on it."""
    for parameter, (maker, status) in ID_SOURCES.items():
        made = document["paths"][maker]["post"]["responses"][status]
        made["links"] = {
            operation["operationId"]: {
                "operationId": operation["operationId"],
                "parameters": {parameter: "$response.body#/id"},
            }
            for path, operations in document["paths"].items()
            for operation in operations.values()
            if f"{{{parameter}}}" in path
        }
