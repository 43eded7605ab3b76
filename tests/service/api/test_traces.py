import sys

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from service.api import traces
from service.api.executor import INLINE_LIMIT
from service.settings import Settings
from tests.nonempty import nonempty
from tests.service.in_process import in_process

LONG = {"context": {"x": [[1.0], [2.0]] * INLINE_LIMIT, "y": [2.0, 4.0] * INLINE_LIMIT}, "query": [[4]]}
PARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> InMemorySpanExporter:
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(traces, "provider_from_environment", lambda: provider)
    return exporter


def duration(span: ReadableSpan) -> int:
    assert span.start_time
    assert span.end_time
    return span.end_time - span.start_time


@pytest.mark.slow
def test_request_has_a_span_with_children_for_waits_and_work(spans: InMemorySpanExporter) -> None:
    with in_process(Settings()) as client:
        client.get("/health/live")
        client.request("POST", "/v1/predict", json=LONG, headers={"traceparent": PARENT})
    *steps, request = spans.get_finished_spans()
    assert request.name == "POST /v1/predict"
    assert request.parent
    assert f"{request.parent.span_id:016x}" in PARENT
    assert [step.name for step in steps] == ["queue", "compute"] * 2  # reading the body, predicting
    for step in nonempty(steps):
        assert step.parent
        assert step.parent.span_id == request.context.span_id
        assert 0 <= duration(step) <= duration(request)


@pytest.mark.parametrize("name", traces.ENDPOINT_VARIABLES)
def test_traces_are_on_when_the_environment_names_an_exporter(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    assert traces.provider_from_environment() is None
    monkeypatch.setenv(name, "http://127.0.0.1:9")
    provider = traces.provider_from_environment()
    assert isinstance(provider, TracerProvider)
    traces.flush(provider)
    monkeypatch.setenv("OTEL_TRACES_EXPORTER", "none")
    assert traces.provider_from_environment() is None


def test_missing_extra_disables_traces(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setenv(traces.ENDPOINT_VARIABLES[0], "http://127.0.0.1:9")
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace", None)
    assert traces.provider_from_environment() is None
    assert "gdssm[traces]" in caplog.text
