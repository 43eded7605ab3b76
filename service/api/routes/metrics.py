"""GET /metrics: for Prometheus."""

from fastapi import Response
from fastapi.concurrency import run_in_threadpool
from prometheus_client import CONTENT_TYPE_LATEST

from service.api.endpoint import EndpointRouter, Responses
from service.api.request import StateDep

router = EndpointRouter("", "health")
TEXT: Responses = {200: {"content": {"text/plain": {"schema": {"type": "string"}}}}}


@router.endpoint("GET", "/metrics", responses=TEXT, response_class=Response)
async def get_metrics(state: StateDep) -> Response:
    """Return the metrics in Prometheus' text format; their names begin with `gdssm_` and `process_`."""
    return Response(await run_in_threadpool(state.metrics.render), media_type=CONTENT_TYPE_LATEST)
