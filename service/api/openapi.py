"""The parts of the OpenAPI document that concern all routes: authentication, admission, error bodies and links."""

from collections.abc import Iterable
from typing import Any

from fastapi import FastAPI
from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode, JsonSchemaValue, models_json_schema
from pydantic_core.core_schema import WithDefaultSchema

from service import errors
from service.api.body import REF_TEMPLATE
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
    possible = (errors.Unauthenticated if required else errors.ForeignSite, errors.RateLimited)

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            document = make()
            document["components"]["schemas"] |= _body_schemas(endpoints)
            if required:
                document["components"]["securitySchemes"] = {"key": BEARER}
            _link(document)
            for path, operations in document["paths"].items():
                for operation in operations.values():
                    if not is_public(path):
                        _add(operation, possible, required=required)
                    if not path.startswith(PROBES):
                        _add(operation, ADMISSION if "requestBody" in operation else ADMISSION[:1])
                    _give_body(operation["responses"])
        return app.openapi_schema or {}

    app.openapi = openapi  # type: ignore[method-assign]


class _WithoutNullDefaults(GenerateJsonSchema):
    """Omits the default null of optional fields, like FastAPI: their types do not include null."""

    def default_schema(self, schema: WithDefaultSchema) -> JsonSchemaValue:
        """Return the schema of a field with a default."""
        if schema.get("default", ...) is None:
            return self.generate_inner(schema["schema"])
        return super().default_schema(schema)


def _body_schemas(endpoints: Iterable[Endpoint]) -> dict[str, Any]:
    """Return the schemas of the request bodies, by name; FastAPI adds those of the responses only."""
    models = {model for endpoint in endpoints if endpoint.body for model in endpoint.body.models}
    inputs: list[tuple[type[BaseModel], JsonSchemaMode]] = [(model, "validation") for model in models]
    _, definitions = models_json_schema(inputs, ref_template=REF_TEMPLATE, schema_generator=_WithoutNullDefaults)
    schemas: dict[str, Any] = definitions["$defs"]
    return schemas


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
