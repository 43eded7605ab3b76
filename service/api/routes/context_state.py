"""GET /v1/contexts/{id}/state and POST /v1/contexts/import: contexts as portable bytes, between services."""

from typing import Annotated, Any

from fastapi import APIRouter, Body, Query, Response

from service.api.allowed import register_method_not_allowed
from service.api.body import BytesBodyRoute
from service.api.conditions import CreatePreconditions, etag
from service.api.errors import documented
from service.api.own import ContextsDep
from service.api.parameters import ContextId, ImportOptions
from service.api.routes.contexts import ETAG, MADE, NEW, READ, made
from service.schemas.contexts import ContextAnswer

router = APIRouter(prefix="/v1/contexts", tags=["contexts"])
reading = APIRouter(route_class=BytesBodyRoute)
"""The routes that take bytes."""

OCTETS = BytesBodyRoute.content_type
BYTES = {"content": {OCTETS: {"schema": {"type": "string", "format": "binary", "minLength": 1}}}}
STATE: dict[int | str, dict[str, Any]] = {
    200: {"description": "safetensors, with the model's name, version and hash.", "headers": {"ETag": ETAG}, **BYTES}
}


@router.get("/{context_id}/state", response_class=Response, responses=documented(*READ) | STATE)
async def state(context_id: ContextId, own: ContextsDep) -> Response:
    """Write a context down as portable bytes: its state in safetensors, with the model's name, version and hash."""
    content, record = await own.run(own.contexts.export, context_id)
    name = f'attachment; filename="{record.id}.safetensors"'
    return Response(content, media_type=OCTETS, headers={"ETag": etag(record), "Content-Disposition": name})


@reading.post("/import", status_code=201, responses=documented(*NEW) | MADE, openapi_extra={"requestBody": BYTES})
async def load(
    content: Annotated[bytes, Body(media_type=OCTETS, min_length=1)],
    options: Annotated[ImportOptions, Query()],
    own: ContextsDep,
    change: CreatePreconditions,
    response: Response,
) -> ContextAnswer:
    """Make a context of portable bytes; a state of a model that is not served here, or a changed one, is refused."""
    return made(await own.change(own.contexts.load, content, ttl=options.ttl, change=change), response)


register_method_not_allowed(reading, "/import", "POST")  # and not what `/{context_id}` takes
router.include_router(reading)
