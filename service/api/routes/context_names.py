"""/v1/contexts/by-name/{name}: contexts under their callers' own names."""

from typing import Annotated

from fastapi import Depends, Response

from service.api.body import Body
from service.api.endpoint import EndpointRouter, Responses
from service.api.method_not_allowed import register_method_not_allowed
from service.api.parameters import ContextNamePath
from service.api.preconditions import IfNoneMatchDep, etag, matches
from service.api.request import ContextsDep
from service.api.routes.contexts import (
    CONTEXT_ERRORS,
    CREATE_ERRORS,
    CREATED,
    NOT_MODIFIED,
    WITH_ETAG,
    created,
    spec_of,
    with_etag,
)
from service.schemas.contexts import ContextAnswer, ContextView, NamedContext

router = EndpointRouter("/v1/contexts", "contexts")

NAMED = Body(NamedContext)
BY_NAME = "/by-name/{name:path}"
"""A name may have slashes."""
NEW: Responses = {201: {**CREATED[201], "model": ContextAnswer, "description": "The context is new."}}


@router.endpoint("PUT", BY_NAME, body=NAMED, errors=CREATE_ERRORS, responses=WITH_ETAG | NEW)
async def put_context_by_name(
    name: ContextNamePath, request: Annotated[NamedContext, Depends(NAMED)], caller: ContextsDep, response: Response
) -> ContextAnswer:
    """Return the context of a name, or create it (201): any number of callers may send this at once.

    An existing context takes `labels` and `ttl`, where they differ. Its model, version, decay and names of columns
    must be those given here (409); `scale` and `like` are used only when it is created.
    """
    spec = spec_of(request)
    record, is_new = await caller.change(caller.contexts.create_or_return, name, spec)
    if not is_new:
        return with_etag(record, response)
    response.status_code = 201
    return created(record, response)


@router.endpoint("GET", BY_NAME, errors=CONTEXT_ERRORS, responses=WITH_ETAG | NOT_MODIFIED, response_model=ContextView)
async def get_context_by_name(
    name: ContextNamePath, caller: ContextsDep, if_none_match: IfNoneMatchDep, response: Response
) -> ContextView | Response:
    """Show the context of a name, as `GET /v1/contexts/{id}` does."""
    record = await caller.run(caller.contexts.get_named, name)
    if if_none_match and matches(record, if_none_match):
        return Response(status_code=304, headers={"ETag": etag(record)})
    details = await caller.run(caller.contexts.view, record.id)
    response.headers["ETag"] = etag(details.record)
    return ContextView.showing(details)


register_method_not_allowed(router, BY_NAME, "GET", "PUT")
