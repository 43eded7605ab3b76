"""Commands of the pages for Compose and kubectl fit docker-compose.yml, the files of deploy/ and the command line.

Neither program runs: stand-ins record their arguments. tests/contracts/test_documentation.py has the reasons.
"""

import argparse
import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

import click
import pytest
import yaml

from gdssm.train.presets import PRESETS
from service.cli import main as gdssm
from tests.contracts.documents import SITE, blocks, name
from tests.deploy import compose
from tests.nonempty import nonempty
from tests.running import ROOT

RECORDER = f"""#!{sys.executable}
import json, os, pathlib, sys
with pathlib.Path(os.environ["RECORD"]).open("a") as file:
    print(json.dumps([pathlib.Path(sys.argv[0]).name, sys.argv[1:], dict(os.environ)]), file=file)
"""
PROGRAMS = ("docker", "kubectl")
INLINE = re.compile(r"`((?:docker compose|kubectl) [^`]+)`")
SERVICES = compose.document()["services"]
PROFILES = {profile for service in SERVICES.values() for profile in service.get("profiles", [])}
VARIABLES = {
    found["name"]: found["kind"] for found in compose.VARIABLE.finditer((ROOT / "docker-compose.yml").read_text())
}
STARTING = ROOT / "docs/operating.md"
"""The page that starts Compose: its block chooses the password, which is known elsewhere."""
PAGES = [page for page in SITE if page.name != "changelog.md"]


class StrictParser(argparse.ArgumentParser):
    """A parser whose errors fail the test."""

    def error(self, message: str) -> NoReturn:
        raise AssertionError(message)


def printed(page: Path) -> Iterator[str]:
    """The commands of a page that call one of the programs: its `bash` blocks, and those amid the text."""
    chosen = "export POSTGRES_PASSWORD=chosen\n"
    for block in blocks(page):
        if block.language == "bash" and re.search(r"\b(docker compose|kubectl) ", block.code):
            yield block.code if page == STARTING else chosen + block.code
    for command in INLINE.findall(page.read_text("utf-8")):
        yield chosen + " ".join(command.split())


def recorded(code: str, folder: Path) -> list[tuple[str, list[str], dict[str, str]]]:
    """Run code with stand-ins; returns the program, its arguments and the variables that the code gave it."""
    for program in PROGRAMS:
        (folder / program).write_text(RECORDER)
        (folder / program).chmod(0o755)
    record = folder / "record.jsonl"
    environment = {"PATH": f"{folder}{os.pathsep}{os.environ['PATH']}", "RECORD": str(record)}
    command = ["bash", "-euc", code]
    subprocess.run(command, cwd=ROOT, env=environment, check=True)
    calls = [json.loads(line) for line in record.read_text().splitlines()]
    known = {*environment, "PWD", "OLDPWD", "SHLVL", "LC_CTYPE", "_"}
    return [
        (program, words, {variable: value for variable, value in given.items() if variable not in known})
        for program, words, given in calls
    ]


def compose_parser() -> StrictParser:
    parser = StrictParser("docker compose")
    parser.add_argument("--profile", choices=PROFILES)
    actions = parser.add_subparsers(dest="action", required=True, parser_class=StrictParser)
    actions.add_parser("up").add_argument("--detach", action="store_true")
    for action in ("run", "exec"):
        options = actions.add_parser(action)
        options.add_argument("service", choices=SERVICES)
        options.add_argument("command", nargs=argparse.REMAINDER)
        if action == "run":
            options.add_argument("--rm", action="store_true")
    return parser


def kubectl_parser() -> StrictParser:
    parser = StrictParser("kubectl")
    actions = parser.add_subparsers(dest="action", required=True, parser_class=StrictParser)
    secret = actions.add_parser("create")
    secret.add_argument("kind", choices=["secret"])
    secret.add_argument("type", choices=["generic"])
    secret.add_argument("name")
    secret.add_argument("--from-literal", required=True)
    source = actions.add_parser("apply").add_mutually_exclusive_group(required=True)
    source.add_argument("--kustomize", type=Path)
    source.add_argument("--filename", type=Path)
    inside = actions.add_parser("exec")
    inside.add_argument("object")
    inside.add_argument("command", nargs="+")
    return parser


def check_gdssm(words: Sequence[str]) -> None:
    """Parse a command line of gdssm without running it."""
    command: click.Command = gdssm
    rest = [*words]
    while isinstance(command, click.Group) and rest:
        word = rest.pop(0)
        found = command.get_command(click.Context(command), word)
        assert found is not None, f"gdssm has no command {word}"
        command = found
    if not isinstance(command, click.Group):
        command.make_context(command.name, rest)


def check_compose(words: Sequence[str], variables: Mapping[str, str]) -> None:
    assert variables.keys() <= VARIABLES.keys(), variables
    assert variables.keys() >= {variable for variable, kind in VARIABLES.items() if kind == ":?"}
    assert variables.get("PRESET", "linear-trained") in PRESETS
    said = compose_parser().parse_args(words)
    if said.action == "exec":
        assert said.command[0] == "gdssm"
        check_gdssm(said.command[1:])
    elif said.action == "run" and said.service == "service":
        check_gdssm(said.command)  # tests/deploy/test_image.py: the entrypoint is gdssm
    elif said.action == "run" and said.command:
        assert said.command[:3] == SERVICES[said.service]["command"][:3]


def manifests(path: Path) -> list[dict[str, Any]]:
    return [*yaml.safe_load_all((ROOT / path).read_text())]


def secrets(part: object) -> Iterator[tuple[str, str]]:
    """All names and keys of secrets in a manifest."""
    for value in part.values() if isinstance(part, dict) else part if isinstance(part, list) else ():
        yield from secrets(value)
    if isinstance(part, dict) and "secretKeyRef" in part:
        yield part["secretKeyRef"]["name"], part["secretKeyRef"]["key"]


def check_kubectl(words: Sequence[str]) -> None:
    said = kubectl_parser().parse_args(words)
    folder = Path("deploy/kubernetes")
    names = manifests(folder / "kustomization.yaml")[0]["resources"]
    applied = [document for file in names for document in manifests(folder / file)]
    if said.action == "create":
        needed = {*secrets(applied), *secrets(manifests(Path("deploy/kserve/inferenceservice.yaml")))}
        assert needed == {(said.name, said.from_literal.partition("=")[0])}
    elif said.action == "exec":
        kind, _, of_name = said.object.partition("/")
        assert (kind, of_name) in {(one["kind"].lower(), one["metadata"]["name"]) for one in applied}
        assert said.command[0] == "gdssm"
        check_gdssm(said.command[1:])
    elif said.kustomize:
        assert said.kustomize == folder  # test_files.py and test_kubernetes.py check its files against their schemas
    else:
        for document in nonempty(manifests(said.filename)):
            assert {"apiVersion", "kind", "metadata"} <= document.keys()


@pytest.mark.parametrize("page", [page for page in PAGES if [*printed(page)]], ids=name)
def test_printed_commands_of_compose_and_kubectl_fit_the_files(page: Path, tmp_path: Path) -> None:
    for code in nonempty(printed(page)):
        for program, words, variables in recorded(code, tmp_path):
            if program == "kubectl":
                check_kubectl(words)
            elif words[0] == "compose":
                check_compose(words[1:], variables)
        (tmp_path / "record.jsonl").unlink()


def test_a_wrong_printed_command_is_noticed() -> None:
    chosen = {"POSTGRES_PASSWORD": "chosen"}
    for wrong in ("run --rm gdssm check", "run --rm service gdssm check", "exec service gdssm chek", "--profile x up"):
        with pytest.raises((AssertionError, click.ClickException)):
            check_compose(wrong.split(), chosen)
    with pytest.raises(AssertionError):
        check_compose(["up"], {})
    for wrong in (
        "apply --filename deploy",
        "exec pod/gdssm -- gdssm check",
        "create secret generic other --from-literal=url=x",
    ):
        with pytest.raises((AssertionError, OSError)):
            check_kubectl(wrong.split())


@pytest.mark.parametrize(
    "page", [page for page in PAGES if re.search("^gdssm ", page.read_text("utf-8"), re.MULTILINE)], ids=name
)
def test_printed_commands_that_no_test_runs_are_understood(page: Path) -> None:
    for block in blocks(page):
        for line in block.code.splitlines() if block.language == "text" else ():
            if line.startswith("gdssm "):
                check_gdssm(shlex.split(line)[1:])
