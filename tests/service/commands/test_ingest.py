"""`gdssm ingest` on files; Redis and kills are tested in tests/service/ingest."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import select

from service.cli import main
from service.states.forgetting import AUTO
from service.store.database import Database
from service.store.tables import CONTEXTS
from tests.running import free_port
from tests.service.ingest.streams import counts_of, readings

ARGUMENTS = ("--by", "device", "--target", "power", "--model", "linear", "--stop-at-end")


@pytest.fixture(autouse=True)
def url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    url = f"sqlite:///{tmp_path}/gdssm.db"
    monkeypatch.setenv("GDSSM_DATABASE_URL", url)
    return url


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    path = tmp_path / "rows.ndjson"
    path.write_text("".join(json.dumps(row) + "\n" for row in readings(0, 30)))
    return path


def ingest(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["ingest", *map(str, arguments)])


def contexts(url: str) -> dict[str, tuple[int, float | None, str]]:
    database = Database.open(url)
    with database.reading() as connection:
        columns = (CONTEXTS.c.name, CONTEXTS.c.n_observations, CONTEXTS.c.decay, CONTEXTS.c.owner)
        found = {name: rest for name, *rest in connection.execute(select(*columns)).all()}
    database.close()
    return {name: tuple(rest) for name, rest in found.items()}


@pytest.mark.slow
def test_a_file_is_learnt_once(rows: Path, url: str) -> None:
    first, second = (ingest(rows, *ARGUMENTS) for _ in range(2))
    assert (first.exit_code, second.exit_code) == (0, 0), first.output
    assert first.stdout == ""
    assert "learnt 30 rows, refused 0, " in first.stderr
    assert f"{rows} at {rows.stat().st_size}" in first.stderr
    assert "learnt 0 rows" in second.stderr
    assert {name: count for name, (count, *_) in contexts(url).items()} == counts_of(readings(0, 30))


@pytest.mark.slow
def test_a_file_address_is_a_file(rows: Path) -> None:
    assert "learnt 30 rows" in ingest(rows.as_uri(), *ARGUMENTS).stderr


@pytest.mark.slow
def test_bad_entries_are_logged_and_written(rows: Path, tmp_path: Path) -> None:
    with rows.open("a") as file:
        file.write('{"device": "d1", "temp": "warm", "humidity": 1, "power": 2}\n\x1b[31m\n')
    dead = tmp_path / "dead.ndjson"
    done = ingest(rows, *ARGUMENTS, "--dead-letters", dead)
    assert done.exit_code == 0
    assert "refused 2" in done.stderr
    assert "\x1b" not in done.stderr
    first, second = map(json.loads, dead.read_text().splitlines())
    assert first == {
        "stream": str(rows),
        "position": str(rows.stat().st_size - len("\x1b[31m\n")),
        "problem": "has 'warm' in 'temp', which must be a number.",
        "fields": {"device": "d1", "temp": "warm", "humidity": 1, "power": 2},
    }
    assert second["problem"] == "is not valid JSON."


@pytest.mark.slow
def test_bad_entries_are_logged_up_to_a_limit(tmp_path: Path) -> None:
    path = tmp_path / "bad.ndjson"
    path.write_text("x\n" * 5000)
    done = ingest(path, *ARGUMENTS)
    assert "refused 5000" in done.stderr
    assert done.stderr.count("\n") < 40


@pytest.mark.slow
def test_options_name_the_columns_and_the_settings(rows: Path, url: str) -> None:
    assert ingest(rows, *ARGUMENTS, "--features", "temp, humidity", "--decay", "0.9").exit_code == 0
    assert {decay for _, decay, _ in contexts(url).values()} == {0.9}
    refused = ingest(rows, *ARGUMENTS, "--features", "humidity")
    assert refused.exit_code == 2
    assert "another consumer" in refused.stderr


@pytest.mark.slow
def test_contexts_belong_to_the_key_that_is_named(rows: Path, url: str) -> None:
    key = CliRunner().invoke(main, ["keys", "create", "alice"]).stdout.split("_")[1]
    assert ingest(rows, *ARGUMENTS, "--owner", key, "--decay", AUTO).exit_code == 0
    assert {owner for _, _, owner in contexts(url).values()} == {key}
    unknown = ingest(rows, *ARGUMENTS, "--owner", "nobody")  # words: allow
    assert unknown.exit_code == 2
    assert "gdssm keys list" in unknown.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--decay", "2"), "decay"),
        (("--decay", "often"), "auto"),
        (("--model", "no such"), "no such"),
        (("--consumer", ""), "consumer"),
        (("--stream", "a"), "Redis"),
        (("--kind", "temp=colour"), "--kind"),
        (("--features", "power"), "two uses"),
        (("--dead-letters", "/no/such/folder"), "/no/such/folder"),
        (("--batch", "0"), "--batch"),
    ],
)
def test_wrong_options_are_one_line_and_exit_code_2(rows: Path, arguments: tuple[str, str], message: str) -> None:
    done = ingest(rows, *ARGUMENTS, *arguments)
    assert done.exit_code == 2, done.output
    assert message in done.stderr.splitlines()[-1]


def test_a_log_that_does_not_answer_at_the_start_is_an_error() -> None:
    done = ingest(f"redis://:secret@127.0.0.1:{free_port()}/0", "--stream", "readings", *ARGUMENTS)
    assert done.exit_code == 2
    assert "Redis does not answer" in done.stderr
    assert "secret" not in done.output
