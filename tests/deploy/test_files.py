"""The files of deploy/ follow their schemas, and agree with the service and with each other."""

import json
import re
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from export.zoo import ENTRIES
from gdssm.train.presets import PRESETS
from service.api.middleware.access import is_public
from service.app import create_app
from service.settings import ENV_PREFIX, Settings
from tests.clients.test_foreign_clients import PYTHON
from tests.nonempty import nonempty
from tests.running import ROOT

Document = dict[str, Any]

DEPLOY = ROOT / "deploy"
CUSTOM = {"Kustomization", "PrometheusRule", "ServiceMonitor"}
"""Kinds that Kubernetes does not know; test_kubernetes.py has their schemas."""
KUBERNETES_VERSION = "1.30"
"""The oldest that these files are promised to suit."""
BIN = Path(sys.executable).parent


def read(path: Path) -> Document:
    document: Document = yaml.safe_load(path.read_text())
    return document


def run(*command: str | Path) -> str:
    done = subprocess.run([*command], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


KUBERNETES = [path for path in sorted((DEPLOY / "kubernetes").glob("*.yaml")) if read(path)["kind"] not in CUSTOM]
COMPOSE = read(ROOT / "docker-compose.yml")
DEPLOYMENT = read(DEPLOY / "kubernetes" / "deployment.yaml")["spec"]["template"]["spec"]
PREDICTOR = read(DEPLOY / "kserve" / "inferenceservice.yaml")["spec"]["predictor"]
PODS = pytest.mark.parametrize("pod", [DEPLOYMENT, PREDICTOR], ids=["kubernetes", "kserve"])


def environment(container: Document) -> dict[str, str]:
    return {entry["name"]: entry.get("value", "") for entry in container["env"]}


def test_the_dockerfile_passes_its_linter() -> None:
    run(BIN / "hadolint", "Dockerfile")


def test_the_compose_file_follows_its_specification() -> None:
    run(BIN / "check-jsonschema", "--builtin-schema", "vendor.compose-spec", "docker-compose.yml")


@pytest.mark.parametrize("path", KUBERNETES, ids=lambda path: path.name)
@pytest.mark.parametrize("version", [KUBERNETES_VERSION, kubernetes_validate.latest_version()])
def test_kubernetes_manifest_follows_its_strict_schema(path: Path, version: str) -> None:
    kubernetes_validate.validate(read(path), version, strict=True)


@pytest.mark.skipif(not PYTHON.exists(), reason=f"kserve is not installed in {PYTHON}: make .venv-clients/ready")
def test_the_inference_service_is_a_pod_and_what_kserve_adds_to_one() -> None:
    document = read(DEPLOY / "kserve" / "inferenceservice.yaml")
    service, spec, predictor, added = json.loads(
        run(PYTHON, ROOT / "tests" / "deploy" / "fields_of_kserve.py")
    ).values()
    assert document.keys() <= service.keys()
    assert document["spec"].keys() <= spec.keys()
    assert PREDICTOR.keys() <= predictor.keys()
    for name in nonempty(PREDICTOR.keys() & added.keys()):
        assert type(PREDICTOR[name]).__name__ == added[name]
    pod = {name: value for name, value in PREDICTOR.items() if name not in added}
    manifest = {"apiVersion": "v1", "kind": "Pod", "metadata": document["metadata"], "spec": pod}
    kubernetes_validate.validate(manifest, KUBERNETES_VERSION, strict=True)


def test_kserve_protocol_is_version_2() -> None:
    assert environment(PREDICTOR["containers"][0])["PROTOCOL"] == "v2"


@PODS
def test_every_setting_that_a_pod_sets_exists(pod: Document) -> None:
    names = [name for name in environment(pod["containers"][0]) if name.startswith(ENV_PREFIX)]
    assert names
    assert {name.removeprefix(ENV_PREFIX).lower() for name in names} <= set(Settings.model_fields)
    assert pod["enableServiceLinks"] is False  # else Kubernetes adds variables of this prefix


@PODS
def test_pod_has_enough_time_to_stop(pod: Document) -> None:
    said = environment(pod["containers"][0])
    drain, finish = float(said["GDSSM_DRAIN_SECONDS"]), float(said["GDSSM_SHUTDOWN_TIMEOUT"])
    assert pod["terminationGracePeriodSeconds"] >= drain + finish + 5
    probe = pod["containers"][0]["readinessProbe"]
    assert drain >= probe["periodSeconds"] * probe.get("failureThreshold", 3)


@PODS
def test_pod_has_least_privileges(pod: Document) -> None:
    security = pod["containers"][0]["securityContext"]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["runAsUser"] == 10001
    assert security["readOnlyRootFilesystem"] is True
    assert security["allowPrivilegeEscalation"] is False
    assert security["capabilities"] == {"drop": ["ALL"]}
    assert pod["automountServiceAccountToken"] is False


@PODS
def test_probes_ask_routes_that_exist_and_need_no_key(pod: Document) -> None:
    paths = create_app(Settings()).openapi()["paths"]
    container = pod["containers"][0]
    asked = [value["httpGet"]["path"] for name, value in container.items() if name.endswith("Probe")]
    assert len(asked) >= 2
    for path in asked:
        assert is_public(path)
        assert path in paths


def test_every_container_of_the_compose_file_is_hardened_and_bounded() -> None:
    ports = []
    for name, service in nonempty(COMPOSE["services"].items()):
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert service["deploy"]["resources"]["limits"]["memory"], name
        ports += service.get("ports", [])
    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports), ports


def test_compose_file_has_no_password() -> None:
    variables = [pair for service in COMPOSE["services"].values() for pair in service.get("environment", {}).items()]
    for value in nonempty(value for name, value in variables if "PASSWORD" in name):
        assert value.startswith("${POSTGRES_PASSWORD:?")


def test_the_compose_file_sets_what_exists_and_waits_as_long_as_it_must() -> None:
    service = COMPOSE["services"]["service"]
    said = service["environment"]
    settings = [name for name in said if name.startswith(ENV_PREFIX)]
    assert {name.removeprefix(ENV_PREFIX).lower() for name in settings} <= set(Settings.model_fields)
    grace = int(service["stop_grace_period"].removesuffix("s"))
    assert grace >= float(said["GDSSM_DRAIN_SECONDS"]) + float(said["GDSSM_SHUTDOWN_TIMEOUT"]) + 5
    assert service["depends_on"] == {"database": {"condition": "service_healthy"}}


def test_training_export_and_monitoring_start_only_when_asked_for() -> None:
    profiles = {name: service.get("profiles") for name, service in COMPOSE["services"].items()}
    assert profiles == {
        "service": None,
        "database": None,
        "train": ["train"],
        "export": ["export"],
        "prometheus": ["monitoring"],
        "grafana": ["monitoring"],
    }


def test_export_takes_the_run_that_training_writes() -> None:
    train, export = (COMPOSE["services"][step] for step in ("train", "export"))
    arguments = [dict(pairwise(map(str, service["command"]))) for service in (train, export)]
    presets = re.findall(r"\$\{PRESET:-([^}]+)\}", arguments[0]["--preset"])
    assert {*presets} <= PRESETS.keys()
    assert arguments[0]["--out"] == arguments[1]["--run"] == "/runs/${RUN:-mine}"
    assert arguments[1]["--name"] not in {entry.name for entry in ENTRIES}
    assert {*train["volumes"]} == {"runs:/runs"}
    assert {*export["volumes"]} == {"runs:/runs:ro", f"models:{arguments[1]['--out']}"}


def test_files_mounted_by_compose_exist() -> None:
    volumes = [volume for service in COMPOSE["services"].values() for volume in service.get("volumes", [])]
    sources = {volume.split(":")[0] for volume in volumes}
    folders = {source for source in sources if source.startswith(".")}
    for folder in nonempty(folders):
        assert (ROOT / folder).exists(), folder
    assert sources - folders == set(COMPOSE["volumes"])


def test_prometheus_scrapes_the_service_and_grafana_reads_prometheus() -> None:
    (job,) = read(DEPLOY / "prometheus.yml")["scrape_configs"]
    assert is_public(job["metrics_path"])
    (target,) = job["dns_sd_configs"]
    assert target["names"] == ["service"]
    assert COMPOSE["services"]["service"]["ports"] == [f"127.0.0.1:8000:{target['port']}"]
    provisioning = DEPLOY / "grafana" / "provisioning"
    (source,) = read(provisioning / "datasources" / "prometheus.yml")["datasources"]
    assert source["url"] == "http://prometheus:9090"
    (provider,) = read(provisioning / "dashboards" / "gdssm.yml")["providers"]
    mounted = [volume.split(":")[1] for volume in COMPOSE["services"]["grafana"]["volumes"]]
    assert f"{provider['options']['path']}/gdssm.json" in mounted


def test_prometheus_of_compose_reads_the_alerts() -> None:
    volumes = COMPOSE["services"]["prometheus"]["volumes"]
    assert read(DEPLOY / "prometheus.yml")["rule_files"] == ["/etc/prometheus/alerts.yml"]
    assert "./deploy/alerts.yml:/etc/prometheus/alerts.yml:ro" in volumes
