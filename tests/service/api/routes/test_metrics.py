import json
import re
from pathlib import Path

import pytest
from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

from service.errors import ServiceError
from service.observability.metrics import Metrics, MetricsRenderer
from service.observability.request_stats import RequestStats
from tests.nonempty import nonempty
from tests.service.api.test_errors import tree
from tests.service.in_process import InProcess

DASHBOARD = Path(__file__).parents[4] / "deploy" / "grafana" / "gdssm.json"
LINE = {"context": {"x": [[1], [2], [3]], "y": [2, 4, 6]}, "query": [[4], [5]]}


def families(client: InProcess) -> dict[str, Metric]:
    answer = client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=")
    return {metric.name: metric for metric in text_string_to_metric_families(answer.text)}


def value(client: InProcess, sample: str, **labels: str) -> float:
    for metric in families(client).values():
        for found in metric.samples:
            if found.name == sample and found.labels == labels:
                return found.value
    return 0.0


@pytest.mark.slow
def test_requests_are_measured_by_route_and_model(client: InProcess) -> None:
    route = {"method": "POST", "route": "/v1/predict"}
    default = {"model": "nonlinear"}
    asked: list[tuple[str, dict[str, str], int]] = [
        ("gdssm_request_seconds_count", {**route, **default}, 3),
        ("gdssm_request_seconds_count", {**route, "model": "gd-1"}, 1),
        ("gdssm_request_seconds_count", {**route, "model": ""}, 1),
        ("gdssm_answers_total", {**route, "status": "200"}, 4),
        ("gdssm_request_observations_sum", default, 9),
        ("gdssm_request_queries_sum", default, 6),
        ("gdssm_compute_seconds_count", default, 3),
        ("gdssm_refused_total", {"cause": "unknown_model"}, 1),
    ]
    before = [value(client, sample, **labels) for sample, labels, _ in asked]
    for model in (None, "nonlinear", "nonlinear", "gd-1", "no such model"):
        client.predict({**LINE, "model": model})
    for (sample, labels, count), past in nonempty(zip(asked, before, strict=True)):
        assert value(client, sample, **labels) - past == count, sample


def test_values_of_callers_never_become_labels(client: InProcess) -> None:
    client.get("/secret/address")
    client.request("SECRET", "/v1/models")
    client.get("/v1/models/secret")
    client.predict({**LINE, "model": "secret", "parameters": {"secret": 1}})
    text = client.get("/metrics").text
    assert "secret" not in text.lower()
    assert 'route="unmatched"' in text
    assert 'method="other"' in text
    causes = set(re.findall(r'cause="(\w+)"', text))
    own = {kind.error_type for kind in tree(ServiceError)}
    assert {"not_found", "unknown_model"} <= causes <= own | {"not_found", "method_not_allowed", "internal_error"}


@pytest.mark.slow
def test_metrics_have_contexts_models_and_memory_without_scrapes(client: InProcess) -> None:
    assert value(client, "gdssm_contexts") >= 0
    assert value(client, "gdssm_model_events_total", kind="loaded") >= 3
    assert value(client, "process_resident_memory_bytes") > 1e7
    assert value(client, "gdssm_in_flight") == 0


def test_services_in_one_process_have_separate_metrics() -> None:
    one, other = Metrics(), Metrics()
    one.answered.append(RequestStats("id", model="linear", method="GET", route="/somewhere", status=200, seconds=0.1))
    assert b'gdssm_answers_total{method="GET",route="/somewhere",status="200"} 1.0' in MetricsRenderer(one, {}).render()
    assert b"/somewhere" not in MetricsRenderer(other, {}).render()


def test_dashboard_uses_existing_metrics(client: InProcess) -> None:
    dashboard = json.loads(DASHBOARD.read_text(encoding="utf-8"))
    expressions = [target["expr"] for panel in dashboard["panels"] for target in panel.get("targets", ())]
    assert len(expressions) >= 8
    client.predict(LINE)
    client.predict({})
    found = families(client)
    known = {sample.name for metric in found.values() for sample in metric.samples}
    known |= {f"{name}_total" for name, metric in found.items() if metric.type == "counter"}  # of keys: no samples yet
    for expression in expressions:
        asked = re.findall(r"\b(?:gdssm|process)_\w+", expression)
        assert asked, expression
        assert set(asked) <= known, expression


@pytest.mark.parametrize("panel", ["rate", "latency", "flight", "refused", "contexts", "model", "memory"])
def test_dashboard_has_panels(panel: str) -> None:
    titles = [each["title"].lower() for each in json.loads(DASHBOARD.read_text(encoding="utf-8"))["panels"]]
    assert any(panel in title for title in titles), titles
