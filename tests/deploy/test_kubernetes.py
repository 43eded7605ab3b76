"""The files of deploy/kubernetes are one whole: the kustomization lists them, and their names and labels resolve."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from service.api.middleware.access import is_public
from tests.running import ROOT

Document = dict[str, Any]

KUBERNETES = ROOT / "deploy" / "kubernetes"
LABELS = {"app.kubernetes.io/name": "gdssm"}
SCHEMAS: Document = yaml.safe_load((ROOT / "tests" / "deploy" / "custom_kinds.yaml").read_text())
KUSTOMIZATION: Document = yaml.safe_load((KUBERNETES / "kustomization.yaml").read_text())
BY_KIND: dict[str, Document] = {}
for _name in KUSTOMIZATION["resources"]:
    _document = yaml.safe_load((KUBERNETES / _name).read_text())
    assert _document["kind"] not in BY_KIND, "two resources of a kind have one name"
    BY_KIND[_document["kind"]] = _document
POD: Document = BY_KIND["Deployment"]["spec"]["template"]
CONTAINER: Document = POD["spec"]["containers"][0]


def named_ports(container: Document) -> dict[str, int]:
    return {port["name"]: port["containerPort"] for port in container["ports"]}


@pytest.mark.parametrize("name", ["kustomization", "prometheusrule", "servicemonitor"])
def test_custom_kind_follows_its_schema(name: str, tmp_path: Path) -> None:
    file = KUBERNETES / f"{name}.yaml"
    kind = yaml.safe_load(file.read_text())["kind"]
    schema = tmp_path / "schema.json"
    schema.write_text(json.dumps({**SCHEMAS[kind], "$defs": SCHEMAS["$defs"]}))
    command = [str(Path(sys.executable).parent / "check-jsonschema"), "--schemafile", str(schema), str(file)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_kustomization_lists_every_file() -> None:
    assert sorted([*KUSTOMIZATION["resources"], "kustomization.yaml"]) == sorted(
        path.name for path in KUBERNETES.iterdir()
    )


def test_every_resource_has_the_name_and_labels_of_the_service() -> None:
    for document in BY_KIND.values():
        assert document["metadata"] == {"name": "gdssm", "labels": LABELS}
    assert len(BY_KIND) == 7


def test_selectors_find_the_pods() -> None:
    assert POD["metadata"]["labels"] == LABELS
    assert BY_KIND["Deployment"]["spec"]["selector"]["matchLabels"] == LABELS
    assert BY_KIND["Service"]["spec"]["selector"] == LABELS
    assert BY_KIND["PodDisruptionBudget"]["spec"]["selector"]["matchLabels"] == LABELS
    assert BY_KIND["NetworkPolicy"]["spec"]["podSelector"]["matchLabels"] == LABELS
    target = BY_KIND["HorizontalPodAutoscaler"]["spec"]["scaleTargetRef"]
    assert (target["kind"], target["name"]) == ("Deployment", BY_KIND["Deployment"]["metadata"]["name"])


def test_monitor_scrapes_a_port_of_the_service_that_needs_no_key() -> None:
    monitor, service = BY_KIND["ServiceMonitor"]["spec"], BY_KIND["Service"]
    assert monitor["selector"]["matchLabels"] == service["metadata"]["labels"]
    (endpoint,) = monitor["endpoints"]
    (port,) = service["spec"]["ports"]
    assert endpoint["port"] == port["name"]
    assert port["targetPort"] in named_ports(CONTAINER)
    assert is_public(endpoint["path"])


def test_network_policy_lets_requests_in_and_names_and_the_database_out() -> None:
    spec = BY_KIND["NetworkPolicy"]["spec"]
    assert sorted(spec["policyTypes"]) == ["Egress", "Ingress"]
    (requests,) = spec["ingress"]
    (incoming,) = requests["ports"]
    assert named_ports(CONTAINER)[incoming["port"]] == 8000
    outgoing = {(port["protocol"], port["port"]) for rule in spec["egress"] for port in rule["ports"]}
    assert outgoing == {("UDP", 53), ("TCP", 53), ("TCP", 5432), ("TCP", 6432)}


def test_kustomization_changes_the_image_of_the_deployment() -> None:
    (image,) = KUSTOMIZATION["images"]
    assert CONTAINER["image"] == f"{image['name']}:{image['newTag']}"


def test_metrics_are_scraped_once() -> None:
    assert "annotations" not in POD["metadata"]  # a second job would double every sum
