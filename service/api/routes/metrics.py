"""GET /metrics: for Prometheus."""

from fastapi import APIRouter, Response
from fastapi.concurrency import run_in_threadpool
from prometheus_client import CONTENT_TYPE_LATEST

from service.api.errors import documented
from service.api.served import StateDep

router = APIRouter(tags=["health"])


@router.get("/metrics", responses=documented() | {200: {"content": {"text/plain": {}}}}, response_class=Response)
async def metrics(parts: StateDep) -> Response:
    """Show what is counted and measured, in the text format; names begin with `gdssm_` and `process_`."""
    return Response(await run_in_threadpool(parts.exposition.write), media_type=CONTENT_TYPE_LATEST)
