import json
import re
import time
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner, Result
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from service.access.keyring import NO_KEY_YET, REFRESH_INTERVAL
from service.cli import main
from tests.running import running


@pytest.fixture(autouse=True)
def url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    url = f"sqlite:///{tmp_path}/keys.db"
    monkeypatch.setenv("GDSSM_DATABASE_URL", url)
    return url


def keys(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["keys", *arguments])


def created(*arguments: str) -> str:
    result = keys("create", *arguments)
    assert result.exit_code == 0, result.stderr
    assert "not shown again" in result.stderr
    return result.stdout


def listed() -> list[list[str]]:
    _, *lines = keys("list").stdout.splitlines()
    return [re.split(r" {2,}", line) for line in lines]


def test_create_prints_only_the_key_to_stdout() -> None:
    assert re.fullmatch(r"gdssm_[0-9a-f]{16}_[\w-]{43}\n", created("alice"))


def test_create_names_the_database_and_warns_if_it_is_new(tmp_path: Path) -> None:
    first, second = keys("create", "alice"), keys("create", "bob")
    for result in (first, second):
        assert f"Written to sqlite:///{tmp_path}/keys.db." in result.stderr
    assert f"Warning: sqlite:///{tmp_path}/keys.db was empty" in first.stderr
    assert "GDSSM_DATABASE_URL" in first.stderr
    assert "Warning" not in second.stderr


def test_list_warns_if_the_database_is_new() -> None:
    assert "was empty and has been initialised" in keys("list").stderr
    assert keys("list").stderr == ""


def test_list_shows_all_attributes_without_secrets() -> None:
    alice, deploy = created("alice"), created("deploy by night", "--admin", "--rate-limit", "600")
    ids = [key.split("_")[1] for key in (alice, deploy)]
    keys("revoke", ids[0])
    (one, two) = listed()
    assert one[:4] + one[5:] == [ids[0], "revoked", "no", "default", "alice"]
    assert two[:4] + two[5:] == [ids[1], "valid", "yes", "600", "deploy by night"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", one[4])
    assert alice.split("_", 2)[2].strip() not in keys("list").stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["revoke", "unknown"], "no valid key has the id 'unknown'. `keys list` shows the ids."),
        (["create", ""], "name: must be 1 to 100 printable characters; this is ''."),
        (["create"], "Missing argument 'NAME'. See `main keys create --help`."),
        (["create", "a", "--rate-limit", "-1"], "-1 is not in the range"),
        (["cut"], "No such command 'cut'."),
    ],
)
def test_user_errors_are_one_line(arguments: list[str], message: str) -> None:
    result = keys(*arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert message in result.stderr
    assert result.stderr.count("\n") == 1


def test_database_error_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GDSSM_DATABASE_URL", "sqlite:////not/there/keys.db")
    result = keys("list")
    assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (2, "", 1)


@pytest.mark.slow
def test_running_service_notices_new_and_revoked_keys(url: str) -> None:
    with running(GDSSM_AUTH="on", GDSSM_DATABASE_URL=url) as server:
        assert NO_KEY_YET in server.log

        def status(key: str) -> int:
            headers = {"Authorization": f"Bearer {key.strip()}"}
            return httpx.get(f"{server.url}/v1/models", headers=headers).status_code

        def changes_to(wanted: int, key: str) -> bool:
            deadline = time.monotonic() + REFRESH_INTERVAL + 5
            while time.monotonic() < deadline:
                if status(key) == wanted:
                    return True
            return False

        key = created("alice")
        assert status("gdssm_1_2") == 401
        assert changes_to(200, key)
        keys("revoke", key.split("_")[1])
        assert changes_to(401, key)
        assert httpx.get(f"{server.url}/health/ready").status_code == 200
        with pytest.raises(InvalidStatus) as refused:
            connect(f"ws{server.url.removeprefix('http')}/v1/contexts/any/stream")
        assert refused.value.response.status_code == 401


BODY = {"model": "linear", "context": {"x": [[1], [2], [3]], "y": [2, 4, 6]}, "query": [[4], [5]]}


def used(*arguments: str) -> dict[str, dict[str, object]]:
    result = keys("usage", "--json", *arguments)
    assert result.exit_code == 0, result.stderr
    return {row["name"]: row for row in json.loads(result.stdout)["keys"]}


def test_usage_without_counts_lists_the_valid_keys() -> None:
    created("alice")
    keys("revoke", created("bob").split("_")[1])
    result = keys("usage")
    assert "GDSSM_KEY_USAGE=true" in result.stderr
    (header, alice) = result.stdout.splitlines()
    assert " ".join(header.split()) == "id requests refused observations queries compute s last day name"
    assert alice.split()[1:] == ["0", "0", "0", "0", "0.0", "never", "alice"]


@pytest.mark.slow
def test_usage_of_a_service_is_stored_when_it_stops(url: str) -> None:
    alice, idle = created("alice").strip(), created("idle")
    headers = {"Authorization": f"Bearer {alice}"}
    with running(GDSSM_AUTH="on", GDSSM_DATABASE_URL=url, GDSSM_KEY_USAGE="true") as server:
        for _ in range(2):
            assert httpx.post(f"{server.url}/v1/predict", json=BODY, headers=headers).status_code == 200
        context = httpx.post(f"{server.url}/v1/contexts", json={"model": "linear"}, headers=headers).json()["id"]
        assert httpx.get(f"{server.url}/v1/contexts/none", headers=headers).status_code == 404
        address = f"ws{server.url.removeprefix('http')}/v1/contexts/{context}/stream"
        with connect(address, additional_headers=headers) as stream:
            for number in (1, 2):
                stream.send(json.dumps({"observation": {"x": [number], "y": 2 * number}}))
                assert json.loads(stream.recv(timeout=60))["n_observations"] == number
        assert httpx.get(f"{server.url}/v1/models").status_code == 401
        key_id = alice.split("_")[1]
        deadline = time.monotonic() + 60
        while f'gdssm_key_requests_total{{key_id="{key_id}"}} 5.0' not in httpx.get(f"{server.url}/metrics").text:
            assert time.monotonic() < deadline
        assert server.stop() == 0
    found = used("--days", "2")
    assert [*found] == ["alice", "idle"]
    counted = found["alice"]
    counts = [counted[name] for name in ("id", "requests", "refused", "observations")]
    assert counts == [key_id, 5, 1, 8]
    assert isinstance(counted["queries"], int)
    assert counted["queries"] >= 4  # a stream also predicts the rows that it learns
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", str(counted["last_day"]))
    assert (found["idle"]["id"], found["idle"]["requests"]) == (idle.split("_")[1], 0)


@pytest.mark.slow
def test_service_counts_no_keys_by_default(url: str) -> None:
    headers = {"Authorization": f"Bearer {created('alice').strip()}"}
    with running(GDSSM_AUTH="on", GDSSM_DATABASE_URL=url) as server:
        assert httpx.get(f"{server.url}/v1/models", headers=headers).status_code == 200
        assert "gdssm_key_requests_total{" not in httpx.get(f"{server.url}/metrics").text
        assert server.stop() == 0
    assert used()["alice"]["requests"] == 0
