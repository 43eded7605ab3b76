"""What docker-compose.yml says about a service, with its variables replaced."""

import re
from collections.abc import Mapping
from typing import Any

import yaml

from tests.running import ROOT

Document = dict[str, Any]
VARIABLE = re.compile(r"\$\{(?P<name>\w+)(?P<kind>:[-?])(?P<rest>[^}]*)\}")


def document() -> Document:
    """Read the file, variables unreplaced."""
    found: Document = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    return found


def environment(service: str, variables: Mapping[str, str]) -> dict[str, str]:
    """Replace the variables in the environment of a service.

    Args:
        service: Its name.
        variables: The environment of `docker compose`.

    Raises:
        KeyError: A variable that must be set is not.
    """

    def value(found: re.Match[str]) -> str:
        if found["kind"] == ":?" or found["name"] in variables:
            return variables[found["name"]]
        return found["rest"]

    said: dict[str, str] = document()["services"][service]["environment"]
    return {name: VARIABLE.sub(value, text) for name, text in said.items()}


def podman_options(service: str, volumes: Mapping[str, str]) -> list[str]:
    """Write the restrictions and volumes of a service as options of `podman run`.

    Args:
        service: Its name.
        volumes: Names of podman's volumes for those of the file.
    """
    said = document()["services"][service]
    assert said["read_only"] is True
    options = ["--read-only"]
    options += [f"--tmpfs={path}" for path in said["tmpfs"]]
    options += [f"--cap-drop={name}" for name in said["cap_drop"]]
    options += [f"--security-opt={option}" for option in said["security_opt"]]
    for mount in said["volumes"]:
        name, _, place = mount.partition(":")
        options.append(f"--volume={volumes[name]}:{place}")
    return options
