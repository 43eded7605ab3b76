"""GET /v1/contexts/{id}/state and POST /v1/contexts/import: the export and import of contexts."""

from typing import Annotated

from fastapi import Depends, Query, Response

from service.api.body import BINARY_SCHEMA, Body
from service.api.endpoint import EndpointRouter, Responses
from service.api.method_not_allowed import register_method_not_allowed
from service.api.parameters import ContextId, ImportOptions, refuse_repeated
from service.api.preconditions import CreatePreconditions, etag
from service.api.request import ContextsDep
from service.api.routes.contexts import CREATE_ERRORS, CREATED, ETAG, MODEL_ERRORS, created
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


@router.endpoint("GET", "/{context_id}/state", errors=MODEL_ERRORS, responses=STATE, response_class=Response)
async def export_context(context_id: ContextId, caller: ContextsDep) -> Response:
    """Export a context: its state as safetensors, with the model's name, version and hash."""
    content, record = await caller.run(caller.contexts.export, context_id)
    name = f'attachment; filename="{record.id}.safetensors"'
    return Response(content, media_type=OCTETS, headers={"ETag": etag(record), "Content-Disposition": name})


@router.endpoint(
    "POST",
    "/import",
    body=ARCHIVE,
    errors=CREATE_ERRORS,
    responses=CREATED,
    status_code=201,
    dependencies=[Depends(refuse_repeated)],
)
async def import_context(
    content: Annotated[bytes, Depends(ARCHIVE)],
    options: Annotated[ImportOptions, Query()],
    caller: ContextsDep,
    change: CreatePreconditions,
    response: Response,
) -> ContextAnswer:
    """Import a context; the state of a model that is not served here, and a modified state, are refused."""
    return created(await caller.change(caller.contexts.load, content, ttl=options.ttl, change=change), response)


register_method_not_allowed(router, "/import", "POST")  # not the methods of `/{context_id}`, which matches too
