"""GET /v1/contexts/{id}/state and POST /v1/contexts/import: contexts as portable bytes, between services."""

from typing import Annotated

from fastapi import Depends, Query, Response

from service.api.allowed import register_method_not_allowed
from service.api.body import BINARY_SCHEMA, Body
from service.api.conditions import CreatePreconditions, etag
from service.api.dependencies import ContextsDep
from service.api.endpoint import EndpointRouter, Responses
from service.api.parameters import ContextId, ImportOptions
from service.api.routes.contexts import ETAG, MADE, NEW, READ, made
from service.errors import MalformedBody
from service.schemas.contexts import ContextAnswer

router = EndpointRouter("/v1/contexts", "contexts")

OCTETS = "application/octet-stream"
STATE: Responses = {
    200: {
        "description": "safetensors, with the model's name, version and hash.",
        "headers": {"ETag": ETAG},
        "content": {OCTETS: {"schema": BINARY_SCHEMA | {"minLength": 1}}},
    }
}


def _not_empty(content: bytes) -> bytes:
    if not content:
        raise MalformedBody("The body is empty. Send the bytes.")
    return content


ARCHIVE = Body[bytes](None, {OCTETS: _not_empty})


@router.endpoint("GET", "/{context_id}/state", errors=READ, responses=STATE, response_class=Response)
async def state(context_id: ContextId, own: ContextsDep) -> Response:
    """Write a context down as portable bytes: its state in safetensors, with the model's name, version and hash."""
    content, record = await own.run(own.contexts.export, context_id)
    name = f'attachment; filename="{record.id}.safetensors"'
    return Response(content, media_type=OCTETS, headers={"ETag": etag(record), "Content-Disposition": name})


@router.endpoint("POST", "/import", body=ARCHIVE, errors=NEW, responses=MADE, status_code=201)
async def load(
    content: Annotated[bytes, Depends(ARCHIVE)],
    options: Annotated[ImportOptions, Query()],
    own: ContextsDep,
    change: CreatePreconditions,
    response: Response,
) -> ContextAnswer:
    """Make a context of portable bytes; a state of a model that is not served here, or a changed one, is refused."""
    return made(await own.change(own.contexts.load, content, ttl=options.ttl, change=change), response)


register_method_not_allowed(router, "/import", "POST")  # and not what `/{context_id}` takes
