"""Every replica accepts a key when it has been printed; invented keys do not block callers with valid ones."""

from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from service.access.keys import Keys
from service.store.database import Database
from tests.running import running

pytestmark = pytest.mark.adversarial


def status(url: str, key: str) -> int:
    return httpx.get(f"{url}/v1/models", headers={"Authorization": f"Bearer {key}"}, timeout=20).status_code


@pytest.mark.slow
def test_new_key_is_accepted_at_once_by_every_replica(tmp_path: Path) -> None:
    settings = {"GDSSM_AUTH": "on", "GDSSM_DATABASE_URL": f"sqlite:///{tmp_path}/gdssm.db"}
    with ExitStack() as stack:
        replicas = [stack.enter_context(running(**settings, GDSSM_WORKERS=workers)) for workers in ("1", "2")]
        database = Database.open(settings["GDSSM_DATABASE_URL"])
        stack.callback(database.close)
        for number in range(3):
            made_up = f"gdssm_{number:016x}_guess"
            assert [status(replica.url, made_up) for replica in replicas] == [401] * 2
            key = Keys(database).create("new")
            assert [status(replica.url, key) for replica in (*replicas, *replicas)] == [200] * 4
