"""OpenTelemetry traces: a span for each request, with child spans for its waits and its work.

Enabled if the extra `traces` is installed and OTEL_EXPORTER_OTLP_ENDPOINT (or OTEL_EXPORTER_OTLP_TRACES_ENDPOINT) is
set; the other variables of the OpenTelemetry SDK apply. FastAPI makes the spans of the requests.
"""

import logging
import os
import time

from fastapi.telemetry import TelemetryConfig
from opentelemetry.trace import TracerProvider

from service.api.executor import StepObserver
from service.api.middleware.observability import PROBES

logger = logging.getLogger(__name__)

ENDPOINT_VARIABLES = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")


def provider_from_environment() -> TracerProvider | None:
    """Return a provider that exports spans; None if they are not requested, or the extra is missing."""
    if not any(os.environ.get(name) for name in ENDPOINT_VARIABLES) or os.environ.get("OTEL_TRACES_EXPORTER") == "none":
        return None
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415  (of the extra)
        from opentelemetry.sdk.trace import TracerProvider as SdkProvider  # noqa: PLC0415
        from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415
    except ImportError:
        logger.warning("%s is set, but there are no traces: pip install 'gdssm[traces]'", ENDPOINT_VARIABLES[0])
        return None
    provider = SdkProvider()
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return provider


def telemetry(provider: TracerProvider | None) -> TelemetryConfig:
    """Return FastAPI's configuration of traces: requests without probes, and no spans of its internal steps."""
    return {
        "tracing": provider is not None,
        "tracer_provider": provider,
        "operation_spans": False,
        "metrics": False,
        "logs": False,
        "auto_configure": False,
        "exclude": lambda scope: scope["path"].removeprefix(scope.get("root_path", "")).startswith(PROBES),
    }


def step_spans(provider: TracerProvider) -> StepObserver:
    """Return an observer of the executor that makes a child span of the request's for each step."""
    tracer = provider.get_tracer("gdssm")

    def step(name: str, begin: float, end: float) -> None:
        epoch = time.time_ns() - int(time.monotonic() * 1e9)
        span = tracer.start_span(name, start_time=epoch + int(begin * 1e9))
        span.end(epoch + int(end * 1e9))

    return step


def flush(provider: TracerProvider | None) -> None:
    """Export the remaining spans, and stop the provider."""
    shutdown = getattr(provider, "shutdown", None)  # the SDK's; the interface has none
    if shutdown is not None:
        shutdown()
