"""Every command that prints has `--json`, which prints JSON and nothing else."""

import json
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from gdssm_client import Client
from service.access.keys import Keys, id_of
from service.cli import main
from service.store.database import Database
from tests.running import Server, running

WITHOUT_JSON = {
    "serve": "runs until it is stopped, and logs",
    "contexts export": "writes a file",
}
"""Commands that do not print, with the reason."""
CASES = {
    "predict": "houses.csv --target price --model linear",
    "inspect": "houses.csv",
    "contexts build": "houses.csv --target price --model linear --out built.safetensors",
    "contexts observe": "readings.csv --by device --target power --model linear --url URL",
    "contexts list": "--url URL",
    "contexts show": "pump --url URL",
    "contexts delete": "pump --url URL",
    "contexts import": "pump.safetensors --url URL",
    "ingest": "readings.ndjson --by device --target power --model linear --stop-at-end --from-start",
    "models": "--url URL",
    "eval": "--model linear --tasks 3 --curve 5 --url URL",
    "bench": "--seconds 0.01 --url URL",
    "keys create": "bob",
    "keys list": "",
    "keys revoke": "KEY_ID",
    "keys usage": "--days 7",
    "check": "",
}
"""The arguments of each other command."""


def leaves(command: click.Command, name: str = "") -> Iterator[tuple[str, click.Command]]:
    """Find the commands of the parser that are no groups."""
    if not isinstance(command, click.Group):
        yield name, command
        return
    context = click.Context(command)
    for part in command.list_commands(context):
        found = command.get_command(context, part)
        if found is not None:
            yield from leaves(found, f"{name} {part}".strip())


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with running() as server:
        yield server


@pytest.fixture
def words(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Files, a context and a key for the commands; returns the values of words in capitals."""
    monkeypatch.chdir(tmp_path)
    Path("houses.csv").write_text("size,price\n10,21\n20,41\n30,61\n15,\n")
    Path("readings.csv").write_text("device,heat,power\na,1,2\nb,2,4\na,3,6\n")
    lines = [{"device": "a", "heat": heat, "power": 2 * heat} for heat in range(3)]
    Path("readings.ndjson").write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    with Client(server.url) as client:
        pump = client.contexts.by_name("pump", "linear")
        pump.observe([[1.0], [2.0]], [1.0, 2.0])
        Path("pump.safetensors").write_bytes(pump.export())
    url = f"sqlite:///{tmp_path}/gdssm.db"
    monkeypatch.setenv("GDSSM_DATABASE_URL", url)
    database = Database.open(url)
    key = Keys(database).create("alice")
    database.close()
    return {"URL": server.url, "KEY_ID": id_of(key)}


def test_every_command_has_the_option_or_does_not_print() -> None:
    found = dict(leaves(main))
    with_json = {
        name for name, command in found.items() if any("--json" in parameter.opts for parameter in command.params)
    }
    assert found.keys() - with_json == WITHOUT_JSON.keys()
    assert with_json == CASES.keys()


@pytest.mark.parametrize("name", CASES)
def test_output_is_json_and_nothing_else(words: dict[str, str], name: str) -> None:
    arguments = [words.get(word, word) for word in CASES[name].split()]
    result = CliRunner().invoke(main, [*name.split(), *arguments, "--json"])
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert lines
    for line in lines:
        assert isinstance(json.loads(line), dict)
    assert len(lines) == 1 or name == "contexts list"


def test_printed_key_and_ids_are_those_of_the_lines(words: dict[str, str]) -> None:
    def printed(*arguments: str) -> dict[str, object]:
        found: dict[str, object] = json.loads(CliRunner().invoke(main, [*arguments, "--json"]).stdout)
        return found

    made = printed("keys", "create", "bob", "--admin", "--rate-limit", "5")
    assert str(made["key"]).startswith(f"gdssm_{made['id']}_")
    listed = printed("keys", "list")["keys"]
    assert isinstance(listed, list)
    assert [(key["id"], key["admin"], key["rate_limit"]) for key in listed] == [
        (words["KEY_ID"], False, None),
        (made["id"], True, 5),
    ]
    shown = CliRunner().invoke(main, ["contexts", "show", "pump", "--url", words["URL"]]).stdout
    assert json.loads(shown) == printed("contexts", "show", "pump", "--url", words["URL"])
