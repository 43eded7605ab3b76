import httpx
import pytest
from safetensors.numpy import load

from service.settings import Settings
from tests.nonempty import nonempty
from tests.service.api.routes.context_calls import LINE, make, observe, predict, refusal
from tests.service.in_process import InProcess, in_process

BYTES = {"Content-Type": "application/octet-stream"}


def state_of(client: InProcess, context: dict[str, object]) -> bytes:
    answer = client.get(f"/v1/contexts/{context['id']}/state")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["etag"] == client.get(f"/v1/contexts/{context['id']}").headers["etag"]
    assert answer.headers["content-disposition"] == f'attachment; filename="{context["id"]}.safetensors"'
    return answer.content


def load_into(client: InProcess, content: bytes, query: str = "", **headers: str) -> httpx.Response:
    return client.request("POST", f"/v1/contexts/import{query}", content=content, headers={**BYTES, **headers})


@pytest.mark.slow
@pytest.mark.parametrize("model", ["linear", "gd-8", "softmax-1", "linear-trained"])
def test_exported_context_continues_in_another_service(client: InProcess, model: str) -> None:
    x = [[float((i * j) % 7) for j in range(1, 11)] for i in range(4)]
    y = [[1.0], [0.0], [0.0], [1.0]] if model == "linear-trained" else [[1.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 0.0]]
    context = make(client, model=model, observations={"x": x[:2], "y": y[:2]})
    content = state_of(client, context)
    with in_process(Settings()) as elsewhere:
        answer = load_into(elsewhere, content, "?ttl=60")
        assert answer.status_code == 201
        moved = answer.json()
        assert answer.headers["location"] == f"/v1/contexts/{moved['id']}"
        assert answer.headers["etag"] == f'"{moved["version"]}"'
        assert (moved["ttl"], moved["n_observations"], moved["model"]) == (60, 2, context["model"])
        for client_, name in ((client, context), (elsewhere, moved)):
            observe(client_, name, {"x": x[2:], "y": y[2:]})
        assert predict(elsewhere, moved, x) == predict(client, context, x)


def test_the_bytes_are_safetensors_with_the_state(client: InProcess) -> None:
    tensors = load(state_of(client, make(client, model="gd-1", observations=LINE)))
    assert tensors["state.gated_sum"].shape[-2:] == (2, 2)


def test_empty_context_is_exported_and_imported(client: InProcess) -> None:
    moved = load_into(client, state_of(client, make(client, model="gd-1"))).json()
    assert (moved["n_observations"], moved["model"]["name"]) == (0, "gd-1")


def test_a_retried_import_makes_one_context(client: InProcess) -> None:
    content = state_of(client, make(client, observations=LINE))
    first, second = (load_into(client, content, **{"Idempotency-Key": "move"}) for _ in range(2))
    assert first.json() == second.json()


def test_a_state_that_was_changed_anywhere_is_refused(client: InProcess) -> None:
    content = state_of(client, make(client, model="gd-1", observations=LINE))
    before = len(client.get("/v1/contexts?limit=1000").json()["contexts"])
    for place in nonempty(range(0, len(content), 7)):
        changed = content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]
        answer = load_into(client, changed)
        assert answer.status_code in {400, 404, 422}, (place, answer.text)
        assert answer.json()["error"]
    for length in (1, 7, 8, 9, len(content) // 2, len(content) - 1):
        assert load_into(client, content[:length]).status_code in {400, 422}, length
    assert load_into(client, content + b"\0").status_code in {400, 422}
    assert len(client.get("/v1/contexts?limit=1000").json()["contexts"]) == before


@pytest.mark.parametrize("content", [b"{}", b"\xff" * 100, b"\0" * 100, (2**63).to_bytes(8, "little") + b"{}"])
def test_bytes_that_are_not_a_state_are_refused(client: InProcess, content: bytes) -> None:
    answer = load_into(client, content)
    assert answer.status_code in {400, 422}
    assert answer.json()["error_type"] in {"malformed_body", "invalid_input"}


@pytest.mark.slow
def test_a_body_of_another_kind_is_refused(client: InProcess) -> None:
    content = state_of(client, make(client))
    refusal(load_into(client, b""), 400, "malformed_body")
    refusal(load_into(client, content, **{"Content-Encoding": "gzip"}), 415, "unsupported_content_type")
    message = refusal(
        load_into(client, content, **{"Content-Type": "application/json"}), 415, "unsupported_content_type"
    )
    assert "application/octet-stream" in message
    refusal(load_into(client, content, "?ttl=0"), 422, "invalid_input")
    with in_process(Settings(max_body_bytes=len(content) - 1)) as small:
        refusal(load_into(small, content), 413, "body_too_large")
