"""What the documentation says of all routes together: keys and admission in front of them, and what follows what."""

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
from service.api.middleware.authentication import is_open
from service.api.middleware.observability import PROBES

BEARER = {
    "type": "http",
    "scheme": "bearer",
    "bearerFormat": "gdssm_<id>_<secret>",
    "description": "A key from `python -m service keys create NAME`, as `Authorization: Bearer <key>`.",
}

ADMISSION = (errors.Overloaded, errors.TooSlow)
"""Of every route, and of every one with a body."""

MADE = {"context_id": ("/v1/contexts", "201"), "evaluation_id": ("/v1/evaluations", "202")}
"""Which answer to a POST tells the value of a path's parameter, as `id`."""


def complete(app: FastAPI, endpoints: Iterable[Endpoint], *, required: bool) -> None:
    """Add to an app's OpenAPI document what no route can say by itself.

    Args:
        app: Its document is made when it is first requested, and kept.
        endpoints: Have the models of the bodies.
        required: Whether callers need a key; if not, only their number is limited.
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
                    if not is_open(path):
                        _add(operation, possible, required=required)
                    if not path.startswith(PROBES):
                        _add(operation, ADMISSION if "requestBody" in operation else ADMISSION[:1])
                    _give_body(operation["responses"])
        return app.openapi_schema or {}

    app.openapi = openapi  # type: ignore[method-assign]


class _WithoutNullDefaults(GenerateJsonSchema):
    """Leaves out the default of optional fields, as FastAPI does: their types do not include null."""

    def default_schema(self, schema: WithDefaultSchema) -> JsonSchemaValue:
        """Return the schema of a field with a default."""
        if schema.get("default", ...) is None:
            return self.generate_inner(schema["schema"])
        return super().default_schema(schema)


def _body_schemas(endpoints: Iterable[Endpoint]) -> dict[str, Any]:
    """Return the schemas of the bodies, by name; FastAPI knows those of the answers only."""
    models = {endpoint.body.model for endpoint in endpoints if endpoint.body and endpoint.body.model}
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
    """Say of every error that it has the one body."""
    content = responses["500"]["content"]
    for status, answer in responses.items():
        if int(status) >= 400:
            answer.setdefault("content", content)


def _link(document: dict[str, Any]) -> None:
    """Say which operations go on from what was made, so that a program can follow."""
    for parameter, (maker, status) in MADE.items():
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
