import asyncio
import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

import httpx
import pytest
from fastapi import FastAPI
from starlette.types import Message

from service.access.keyring import EXTRA_READS_LIMIT, REFRESH_INTERVAL, KeyRing
from service.access.keys import Keys
from service.api.middleware.access import AccessGuard, is_public
from service.api.request import AdminDep
from service.settings import Settings
from service.store.database import Database
from tests.service.in_process import InProcess, in_process

LINE = {"model": "linear", "version": "1.0.0", "context": {"x": [[1], [2], [3]], "y": [2, 4, 6]}, "query": [[4]]}


class Guarded:
    """An app that requires keys, and its key store."""

    def __init__(self, client: InProcess, keys: Keys) -> None:
        self.client = client
        self.keys = keys

    @property
    def ring(self) -> KeyRing:
        ring = self.client.state.keys
        assert ring is not None
        return ring

    def key(self, *, admin: bool = False, rate_limit: int | None = None) -> str:
        made = self.keys.create("someone", admin=admin, rate_limit=rate_limit)
        self.read_again()
        return made

    def read_again(self) -> None:
        """Read the keys again at once; the service does so every few seconds."""
        self.ring.refresh()

    def ask(
        self, authorization: str | None, path: str = "/v1/models", json: object = None, method: str | None = None
    ) -> httpx.Response:
        headers = {} if authorization is None else {"Authorization": authorization}
        return self.client.request(method or ("GET" if json is None else "POST"), path, headers=headers, json=json)


@contextlib.contextmanager
def guarding(directory: Path, rate_limit: int = 0) -> Iterator[Guarded]:
    url = f"sqlite:///{directory}/keys.db"
    with in_process(Settings(auth="on", database_url=url, rate_limit=rate_limit)) as client:
        database = Database.open(url)
        yield Guarded(client, Keys(database))
        database.close()


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    with guarding(tmp_path_factory.mktemp("guarded")) as guarded:
        yield guarded


def refusal(answer: httpx.Response, status: int, error_type: str) -> str:
    assert answer.status_code == status
    body = answer.json()
    assert list(body) == ["error", "error_type", "detail"]
    assert body["error_type"] == error_type
    error: str = body["error"]
    return error


@pytest.mark.parametrize("scheme", ["Bearer ", "bearer ", "BEARER  "])
def test_valid_key_is_accepted(guarded: Guarded, scheme: str) -> None:
    assert guarded.ask(scheme + guarded.key()).status_code == 200
    assert guarded.ask(scheme + guarded.key(), "/v1/predict", json=LINE).json()["prediction"] == pytest.approx([8])


@pytest.mark.parametrize(
    "authorization", [None, "", "Bearer", "Bearer ", "Basic YTpi", "gdssm_1_2", "Bearer gdssm_1_2"]
)
def test_missing_key_is_401_with_the_remedy(guarded: Guarded, authorization: str | None) -> None:
    answer = guarded.ask(authorization)
    assert "key" in refusal(answer, 401, "unauthenticated")
    assert answer.headers["www-authenticate"] == "Bearer"


def test_a_revoked_key_is_401(guarded: Guarded) -> None:
    key = guarded.key()
    guarded.keys.revoke(key.split("_")[1])
    guarded.read_again()
    assert "revoked" in refusal(guarded.ask(f"Bearer {key}"), 401, "unauthenticated")


def test_stale_keys_are_read_again_once_by_the_next_request(guarded: Guarded) -> None:
    key = guarded.keys.create("new")
    ring = guarded.ring
    ring._tried = -float("inf")
    with patch.object(ring, "refresh", wraps=ring.refresh) as refresh:
        assert [guarded.ask(f"Bearer {key}").status_code for _ in range(3)] == [200] * 3
    assert refresh.call_count == 1


def test_requests_that_wait_for_keys_resume_together(guarded: Guarded) -> None:
    """If they resumed one after the other, the last would wait behind requests that arrived after it."""
    ring, turns, went_on = guarded.ring, [0], []
    header = (b"authorization", f"Bearer {guarded.key()}".encode())

    async def turn() -> None:
        while True:
            turns[0] += 1
            await asyncio.sleep(0)

    async def app(*_: object) -> None:
        went_on.append(turns[0])

    async def ask_together() -> None:
        guard, turning = AccessGuard(app, guarded.client.state.settings), asyncio.create_task(turn())
        ring._tried = -float("inf")
        scope = {"type": "http", "path": "/v1/models", "headers": [header], "app": guarded.client.app}
        await asyncio.gather(*(guard(dict(scope), anything, anything) for _ in range(20)))
        turning.cancel()

    async def anything(*_: object) -> Any:  # noqa: ANN401  (what receives a message, and what sends one)
        raise AssertionError("nothing is read or answered here")

    guarded.client._portal.call(ask_together)
    assert len(went_on) == 20
    assert max(went_on) - min(went_on) <= 1


def test_unavailable_database_is_503(guarded: Guarded) -> None:
    ring = guarded.ring
    with patch.object(ring, "_read", -float("inf")):
        answer = guarded.ask("Bearer gdssm_1_2")
    refusal(answer, 503, "database_unavailable")
    assert answer.headers["retry-after"] == "1"


@pytest.mark.parametrize(
    "path", ["/health/live", "/health/ready", "/docs", "/openapi.json", "/static-offline-docs/swagger-ui.css"]
)
def test_probes_and_pages_need_no_key(guarded: Guarded, path: str) -> None:
    assert guarded.ask(None, path).status_code == 200


@pytest.mark.parametrize(
    "path", ["/metricsx", "/docsx", "/openapi.json.bak", "/healthx", "/v1/health/live", "/docsa/docs", "/health"]
)
def test_paths_similar_to_open_routes_need_a_key(guarded: Guarded, path: str) -> None:
    assert not is_public(path)
    assert guarded.ask(None, path).status_code == 401


@pytest.mark.parametrize("path", ["/", "/web/app.js", "/metrics", "/v2/health/live", "/docs/oauth2-redirect"])
def test_page_metrics_and_other_probes_are_public(path: str) -> None:
    assert is_public(path)


def test_key_without_admin_scope_is_403(guarded: Guarded) -> None:
    app: FastAPI = guarded.client.app

    @app.get("/for/administrators")
    async def name(caller: AdminDep) -> str:
        return caller.key_id

    key = guarded.key(admin=True)
    assert guarded.ask(f"Bearer {key}", "/for/administrators").json() == key.split("_")[1]
    error = refusal(guarded.ask(f"Bearer {guarded.key()}", "/for/administrators"), 403, "forbidden")
    assert "--admin" in error


def test_context_of_another_key_is_404(guarded: Guarded) -> None:
    alice, bob = (f"Bearer {guarded.key(admin=admin)}" for admin in (False, True))
    made = guarded.ask(alice, "/v1/contexts", json={"model": "linear", "observations": LINE["context"]})
    assert made.status_code == 201, made.text
    address = f"/v1/contexts/{made.json()['id']}"
    changes = {"observations": LINE["context"], "predictions": {"query": [[4]]}}
    assert guarded.ask(alice, address).status_code == 200
    for way, body in changes.items():
        assert guarded.ask(alice, f"{address}/{way}", json=body).status_code == 200
        refusal(guarded.ask(bob, f"{address}/{way}", json=body), 404, "unknown_context")
    refusal(guarded.ask(bob, address), 404, "unknown_context")
    refusal(guarded.ask(bob, address, method="DELETE"), 404, "unknown_context")
    own = guarded.ask(bob, "/v1/contexts", json={"model": "linear"}).json()["id"]
    merge = {"context": made.json()["id"]}
    refusal(guarded.ask(bob, f"/v1/contexts/{own}/merge", json=merge), 404, "unknown_context")
    assert [context["id"] for context in guarded.ask(bob, "/v1/contexts").json()["contexts"]] == [own]
    assert guarded.ask(alice, address, method="DELETE").status_code == 204


def test_websocket_without_a_key_is_refused_in_the_handshake(guarded: Guarded) -> None:
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        raise AssertionError("it must not wait for the caller")

    scope = {
        "type": "websocket",
        "path": "/v1/contexts/any/stream",
        "headers": [],
        "query_string": b"",
        "extensions": {"websocket.http.response": {}},
    }
    guarded.client._portal.call(guarded.client.app, scope, receive, send)
    assert sent[0]["type"] == "websocket.http.response.start"
    assert sent[0]["status"] == 401


@pytest.mark.parametrize("is_read_by_a_request", [True, False])
def test_websocket_is_closed_by_a_message_after_its_key_was_revoked(
    guarded: Guarded, is_read_by_a_request: bool
) -> None:
    key = guarded.key()
    context = guarded.ask(f"Bearer {key}", "/v1/contexts", {"model": "linear"}).json()["id"]
    message = {"type": "websocket.receive", "text": '{"observation": {"x": [1], "y": 2}}'}
    messages: Iterator[Message] = iter([{"type": "websocket.connect"}, message, message])
    sent: list[Message] = []

    async def receive() -> Message:
        if sent[-1:] and sent[-1]["type"] == "websocket.send":
            guarded.keys.revoke(key.split("_")[1])
            if is_read_by_a_request:
                guarded.read_again()
            else:
                guarded.ring._tried = -float("inf")  # some seconds later
        return next(messages)

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {
        "type": "websocket",
        "path": f"/v1/contexts/{context}/stream",
        "headers": [(b"host", b"localhost"), (b"authorization", f"Bearer {key}".encode())],
        "query_string": b"",
    }
    guarded.client._portal.call(guarded.client.app, scope, receive, send)
    assert [each["type"] for each in sent] == ["websocket.accept", "websocket.send", "websocket.close"]
    assert sent[-1]["code"] == 4401
    assert next(messages, None) is None


@pytest.mark.slow
def test_request_over_the_rate_limit_is_429_with_retry_after(tmp_path: Path) -> None:
    with guarding(tmp_path, rate_limit=3) as guarded:
        alice, bob, fast = guarded.key(), guarded.key(), guarded.key(rate_limit=5)
        for key, limit in ((alice, 3), (bob, 3), (fast, 5)):
            answers = [guarded.ask(f"Bearer {key}") for _ in range(limit + 1)]
            assert [answer.status_code for answer in answers] == [200] * limit + [429]
            assert f"{limit} requests a minute" in refusal(answers[-1], 429, "rate_limited")
            assert 1 <= int(answers[-1].headers["retry-after"]) <= 60
        assert guarded.ask(None).status_code == 401
        assert guarded.ask(None, "/health/live").status_code == 200


@pytest.mark.slow
def test_callers_with_a_limit_are_sent_the_rest_of_it(tmp_path: Path) -> None:
    with guarding(tmp_path, rate_limit=3) as guarded:
        limited, free = guarded.key(), guarded.key(rate_limit=0)
        asked = [("/v1/models", None), ("/v1/predict", LINE), ("/v1/contexts/none", None), ("/v1/models", None)]
        answers = [guarded.ask(f"Bearer {limited}", *one) for one in asked]
        assert [answer.status_code for answer in answers] == [200, 200, 404, 429]
        rest = [answer.headers["ratelimit"].split(";t=") for answer in answers]
        assert [remaining for remaining, _ in rest] == ['"key";r=2', '"key";r=1', '"key";r=0', '"key";r=0']
        assert {1 <= int(seconds) <= 60 for _, seconds in rest} == {True}
        assert [answer.headers["ratelimit-policy"] for answer in answers] == ['"key";q=3;w=60'] * 4
        assert answers[-1].headers["retry-after"] == rest[-1][1]
        for answer in (guarded.ask(f"Bearer {free}"), guarded.ask(None), guarded.ask(None, "/health/live")):
            assert not {"ratelimit", "ratelimit-policy"} & {*answer.headers}


@pytest.mark.slow
def test_callers_without_keys_share_one_limit() -> None:
    with in_process(Settings(rate_limit=2)) as client:
        assert [client.get("/v1/models").status_code for _ in range(3)] == [200, 200, 429]
        assert client.get("/health/live").status_code == 200


def test_unneeded_key_is_ignored(client: InProcess) -> None:
    headers = {"Authorization": "Bearer gdssm_1_2"}
    assert client.request("GET", "/v1/models", headers=headers).status_code == 200


REFUSED_LINES = [
    ("GET", "/v1/models", "/v1/models"),
    ("POST", "/v1/predict", "/v1/predict"),
    ("POST", "/v1/contexts/import", "/v1/contexts/import"),
    ("DELETE", "/v1/contexts/mine", "/v1/contexts/{context_id}"),
    ("POST", "/v2/models/mine/infer", "/v2/models/{name}/infer"),
    ("PUT", "/v1/models", "/v1/models"),
    ("GET", "/nothing/secret", "unmatched"),
]


def lines_of(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    return [vars(record) for record in caplog.records if record.name == "service.api.middleware.observability"]


@pytest.mark.parametrize(("method", "path", "route"), REFUSED_LINES)
def test_log_line_of_a_401_has_the_route_and_the_claimed_key(
    guarded: Guarded, caplog: pytest.LogCaptureFixture, method: str, path: str, route: str
) -> None:
    revoked = guarded.key()
    guarded.keys.revoke(revoked.split("_")[1])
    guarded.read_again()
    with caplog.at_level("INFO"):
        assert guarded.ask(f"Bearer {revoked}", path, method=method).status_code == 401
    (line,) = lines_of(caplog)
    assert (line["route"], line["status"], line["key_id"]) == (route, 401, revoked.split("_")[1])
    assert revoked.split("_", 2)[2] not in caplog.text


@pytest.mark.parametrize("sent", ["gdssm_1_2", "gdssm_0123456789abcdeX_2", "no key at all", ""])
def test_malformed_key_id_is_not_logged(guarded: Guarded, caplog: pytest.LogCaptureFixture, sent: str) -> None:
    with caplog.at_level("INFO"):
        guarded.ask(f"Bearer {sent}")
    (line,) = lines_of(caplog)
    assert (line["status"], line["key_id"]) == (401, "")


def test_log_line_of_a_429_has_the_route_and_the_key(guarded: Guarded, caplog: pytest.LogCaptureFixture) -> None:
    key = guarded.key(rate_limit=1)
    guarded.ask(f"Bearer {key}")
    caplog.clear()
    with caplog.at_level("INFO"):
        assert guarded.ask(f"Bearer {key}", "/v1/contexts/mine").status_code == 429
    (line,) = lines_of(caplog)
    assert (line["route"], line["status"], line["key_id"]) == ("/v1/contexts/{context_id}", 429, key.split("_")[1])
    metrics = guarded.client.get("/metrics").text
    route = 'route="/v1/contexts/{context_id}"'
    assert f'gdssm_answers_total{{method="GET",{route},status="429"}} 1.0' in metrics
    labels = f'cause="rate_limited",key_id="{key.split("_")[1]}",{route}'
    assert f"gdssm_denied_total{{{labels}}} 1.0" in metrics


def test_unverified_key_ids_do_not_become_labels(guarded: Guarded) -> None:
    guarded.ask("Bearer gdssm_fedcba9876543210_guess")
    metrics = guarded.client.get("/metrics").text
    assert 'gdssm_denied_total{cause="unauthenticated",key_id="",route="/v1/models"}' in metrics
    assert "fedcba9876543210" not in metrics


def test_new_key_is_accepted_at_once(guarded: Guarded) -> None:
    for _ in range(3):
        guarded.ring._further = 0
        guarded.read_again()  # read just now, without the new key
        assert guarded.ask(f"Bearer {guarded.keys.create('new')}").status_code == 200


@pytest.mark.slow
def test_invalid_keys_cause_a_limited_number_of_refreshes(guarded: Guarded) -> None:
    ring = guarded.ring
    ring._began_counting = ring._tried = -float("inf")
    with patch.object(ring, "refresh", wraps=ring.refresh) as refresh:
        began = ring.now()
        for number in range(200):
            assert guarded.ask(f"Bearer gdssm_{number:016x}_guess").status_code == 401
        windows = 1 + (ring.now() - began) // REFRESH_INTERVAL
    assert 1 < refresh.call_count <= (EXTRA_READS_LIMIT + 2) * windows


def test_malformed_key_causes_no_database_read(guarded: Guarded) -> None:
    ring, key = guarded.ring, guarded.key()
    with patch.object(ring, "refresh") as refresh:
        ring._tried, ring._further = ring.now(), 0
        for sent in ("gdssm_1_2", key[:-1], "no key at all"):
            assert guarded.ask(f"Bearer {sent}").status_code == 401
    assert refresh.call_count == 0
