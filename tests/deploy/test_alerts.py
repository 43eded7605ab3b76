"""Alerts read metrics that exist, fire in the situations that they are for, and are the same everywhere."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from service.errors import ServiceError
from service.settings import Settings
from tests.nonempty import nonempty
from tests.running import ROOT
from tests.service.in_process import in_process

ALERTS = ROOT / "deploy" / "alerts.yml"
(GROUP,) = yaml.safe_load(ALERTS.read_text())["groups"]
OPERATED: dict[str, Any] = yaml.safe_load((ROOT / "deploy" / "kubernetes" / "prometheusrule.yaml").read_text())["spec"]
RULES: list[dict[str, Any]] = [rule for group in OPERATED["groups"] for rule in group["rules"]]
FOREIGN = {
    "up",  # Prometheus
    "kube_deployment_status_replicas_available",  # kube-state-metrics
    "kube_horizontalpodautoscaler_spec_max_replicas",
    "kube_horizontalpodautoscaler_status_current_replicas",
    "kubelet_volume_stats_available_bytes",  # the kubelet
    "kubelet_volume_stats_capacity_bytes",
}
METRIC = re.compile(r"\b(?:gdssm|process|kube|kubelet)_\w+|\bup\b")
SUFFIX = re.compile(r"_(bucket|count|sum)$")
MINUTES = 40
QUIET = {
    'up{job="gdssm"}': "1",
    'gdssm_answers_total{status="200"}': "0+6000x",
    'gdssm_answers_total{status="503"}': "0+6x",
    'gdssm_refused_total{cause="invalid_input"}': "0+600x",
    'gdssm_denied_total{cause="rate_limited"}': "0+60x",
    'gdssm_model_events_total{kind="loaded"}': "14",
    'gdssm_request_seconds_bucket{route="/v1/predict",le="0.1"}': "0+6000x",
    'gdssm_request_seconds_bucket{route="/v1/predict",le="2.5"}': "0+6000x",
    'gdssm_request_seconds_bucket{route="/v1/predict",le="+Inf"}': "0+6000x",
    "gdssm_queue": "3",
    "gdssm_database_up": "1",
    'process_open_fds{job="gdssm"}': "100",
    'process_max_fds{job="gdssm"}': "1024",
    'kube_deployment_status_replicas_available{deployment="gdssm"}': "2",
    'kube_horizontalpodautoscaler_status_current_replicas{horizontalpodautoscaler="gdssm"}': "2",
    'kube_horizontalpodautoscaler_spec_max_replicas{horizontalpodautoscaler="gdssm"}': "10",
    'kubelet_volume_stats_available_bytes{persistentvolumeclaim="gdssm-data"}': "5e9",
    'kubelet_volume_stats_capacity_bytes{persistentvolumeclaim="gdssm-data"}': "1e10",
}
"""A service that is well, as series and their values each minute."""
TROUBLE: dict[str, dict[str, str]] = {
    "NoReplica": {'up{job="gdssm"}': "0"},
    "ServiceErrors": {'gdssm_refused_total{cause="internal_error"}': "0+1x"},
    "DatabaseUnavailable": {'gdssm_refused_total{cause="database_unavailable"}': "0+1x"},
    "DatabaseDown": {"gdssm_database_up": "0"},
    "Overloaded": {'gdssm_answers_total{status="503"}': "0+70x"},
    "SlowPredictions": {'gdssm_request_seconds_bucket{route="/v1/predict",le="0.1"}': "0+5900x"},
    "ThreadsBusy": {"gdssm_queue": "11"},
    "FewFilesLeft": {'process_open_fds{job="gdssm"}': "900"},
    "ModelFileRefused": {'gdssm_model_events_total{kind="refused"}': "0+1x"},
    "ManyDeniedRequests": {'gdssm_denied_total{cause="rate_limited"}': "0+700x"},
    "NoReadyReplica": {'kube_deployment_status_replicas_available{deployment="gdssm"}': "0"},
    "MostReplicas": {
        'kube_horizontalpodautoscaler_status_current_replicas{horizontalpodautoscaler="gdssm"}': "10",
    },
    "DiskAlmostFull": {'kubelet_volume_stats_available_bytes{persistentvolumeclaim="gdssm-data"}': "9e8"},
}
"""For each alert, how the series differ when it must fire, and no other."""


def exposed() -> set[str]:
    with in_process(Settings()) as client:
        return {*re.findall(r"^# TYPE (\w+)", client.get("/metrics").text, re.MULTILINE)}


def series(changes: dict[str, str]) -> list[dict[str, str]]:
    def every_minute(value: str) -> str:
        return f"{value}{MINUTES}" if value.endswith("x") else f"{value}x{MINUTES}"

    return [{"series": name, "values": every_minute(value)} for name, value in {**QUIET, **changes}.items()]


def test_alerts_read_metrics_that_exist() -> None:
    known = exposed() | FOREIGN
    for rule in nonempty(RULES):
        names = {SUFFIX.sub("", name) for name in METRIC.findall(rule["expr"])}
        assert names, rule["alert"]
        assert names <= known, rule["alert"]


def test_alerts_name_errors_that_exist() -> None:
    types = {kind.error_type for kind in subclasses(ServiceError)} | {"internal_error"}
    causes = {cause for rule in RULES for cause in re.findall(r'cause="(\w+)"', rule["expr"])}
    assert "database_unavailable" in causes
    assert causes <= types


def subclasses(kind: type[ServiceError]) -> set[type[ServiceError]]:
    return {kind}.union(*(subclasses(child) for child in kind.__subclasses__()))


def test_alerts_of_kubernetes_begin_with_those_of_prometheus() -> None:
    assert OPERATED["groups"][0] == GROUP
    assert [group["name"] for group in OPERATED["groups"]] == ["gdssm", "gdssm-kubernetes"]


def test_every_alert_is_documented() -> None:
    text = (ROOT / "docs" / "operating.md").read_text()
    documented = re.findall(r"^\| `([A-Z][a-z]\w+)` \|", text, re.MULTILINE)
    assert documented == [rule["alert"] for rule in RULES]


@pytest.mark.slow
def test_each_alert_fires_in_its_trouble_and_no_other(tmp_path: Path) -> None:
    promtool = shutil.which("promtool") or pytest.skip("promtool is not installed: apt-get install prometheus")
    assert TROUBLE.keys() == {rule["alert"] for rule in RULES}
    (tmp_path / "rules.yml").write_text(yaml.safe_dump({"groups": OPERATED["groups"]}))
    cases = {"": dict[str, str](), **TROUBLE}
    tests = [
        {"interval": "1m", "input_series": series(changes), "promql_expr_test": [firing(name)]}
        for name, changes in cases.items()
    ]
    (tmp_path / "tests.yml").write_text(yaml.safe_dump({"rule_files": ["rules.yml"], "tests": tests}))
    command = [promtool, "test", "rules", "tests.yml"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def firing(name: str) -> dict[str, Any]:
    found = [{"labels": f'{{alertname="{name}"}}', "value": 1}] if name else []
    return {
        "expr": 'count by (alertname) (ALERTS{alertstate="firing"})',
        "eval_time": f"{MINUTES - 10}m",
        "exp_samples": found,
    }
