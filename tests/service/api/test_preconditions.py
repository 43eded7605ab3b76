import pytest

from tests.service.api.routes.context_calls import LINE, make, observe, post, refusal
from tests.service.in_process import InProcess

MORE = {"x": [[4]], "y": [8]}


def test_repeated_observation_is_applied_once(client: InProcess) -> None:
    context = make(client, observations=LINE)
    answers = [post(client, context, "observations", MORE, idempotency_key="once") for _ in range(3)]
    assert {answer.status_code for answer in answers} == {200}
    assert answers[0].json() == answers[1].json() == answers[2].json()
    assert len({answer.headers["etag"] for answer in answers}) == 1
    assert client.get(f"/v1/contexts/{context['id']}").json()["n_observations"] == 4


def test_repeated_request_has_the_first_response_after_later_changes(client: InProcess) -> None:
    context = make(client)
    first = observe(client, context, LINE, idempotency_key="the first")
    observe(client, context, MORE)
    assert observe(client, context, LINE, idempotency_key="the first") == first
    assert client.get(f"/v1/contexts/{context['id']}").json()["n_observations"] == 4


def test_repeated_creation_makes_one_context(client: InProcess) -> None:
    request = {"json": {"observations": LINE}, "headers": {"Idempotency-Key": "make it"}}
    first, second = (client.request("POST", "/v1/contexts", **request) for _ in range(2))
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json() == second.json()
    assert first.headers["location"] == second.headers["location"]


def test_repeated_deletion_and_merge_have_the_first_response(client: InProcess) -> None:
    one, other = make(client, observations=LINE), make(client, observations=MORE)
    merged = [post(client, one, "merge", {"context": other["id"]}, idempotency_key="join") for _ in range(2)]
    assert merged[0].json() == merged[1].json()
    assert merged[1].json()["n_observations"] == 4
    headers = {"Idempotency-Key": "away with it"}
    gone = [client.request("DELETE", f"/v1/contexts/{one['id']}", headers=headers) for _ in range(2)]
    assert [answer.status_code for answer in gone] == [204, 204]


def test_one_key_for_two_requests_is_a_conflict(client: InProcess) -> None:
    context = make(client)
    observe(client, context, LINE, idempotency_key="twice")
    refusal(post(client, context, "observations", MORE, idempotency_key="twice"), 409, "conflict")
    refusal(post(client, make(client), "observations", LINE, idempotency_key="twice"), 409, "conflict")
    assert client.get(f"/v1/contexts/{context['id']}").json()["n_observations"] == 3


def test_a_refused_request_leaves_its_key_free(client: InProcess) -> None:
    context = make(client, observations=LINE)
    refusal(
        post(client, context, "observations", {"x": [[1, 2]], "y": [1]}, idempotency_key="later"), 422, "invalid_input"
    )
    assert observe(client, context, MORE, idempotency_key="later")["n_observations"] == 4


def test_a_change_to_another_version_is_refused(client: InProcess) -> None:
    context = make(client, observations=LINE)
    tag = f'"{context["version"]}"'
    assert post(client, context, "observations", MORE, if_match=tag).status_code == 200
    address = f"/v1/contexts/{context['id']}"
    answers = [
        post(client, context, "observations", MORE, if_match=tag),
        post(client, context, "merge", {"context": make(client)["id"]}, if_match=tag),
        client.request("DELETE", address, headers={"If-Match": tag}),
    ]
    for answer in answers:
        refusal(answer, 412, "version_mismatch")
    assert client.get(address).json()["n_observations"] == 4
    assert post(client, context, "observations", MORE, if_match="*").status_code == 200


def test_unchanged_resource_is_not_sent_again(client: InProcess) -> None:
    context = make(client, observations=LINE)
    address, tag = f"/v1/contexts/{context['id']}", f'"{context["version"]}"'
    for known in (tag, f"W/{tag}", f'"999", {tag}', "*"):
        answer = client.request("GET", address, headers={"If-None-Match": known})
        assert (answer.status_code, answer.content, answer.headers["etag"]) == (304, b"", tag)
    observe(client, context, MORE)
    answer = client.request("GET", address, headers={"If-None-Match": tag})
    assert (answer.status_code, answer.json()["n_observations"]) == (200, 4)
    assert answer.headers["etag"] == f'"{answer.json()["version"]}"'


@pytest.mark.parametrize(
    ("method", "header", "value"),
    [
        ("POST", "Idempotency-Key", b""),
        ("POST", "Idempotency-Key", b"k" * 201),
        ("POST", "Idempotency-Key", "schlüssel".encode("latin-1")),
        ("POST", "If-Match", b"1"),
        ("POST", "If-Match", b'"one"'),
        ("POST", "If-Match", b'W/"1"'),
        ("POST", "If-Match", b'"' + b"9" * 40 + b'"'),
        ("GET", "If-None-Match", b"1"),
        ("GET", "If-None-Match", b'"1" "2"'),
    ],
)
def test_invalid_header_is_422_by_name(client: InProcess, method: str, header: str, value: bytes) -> None:
    context = make(client, observations=LINE)
    address = f"/v1/contexts/{context['id']}"
    body = {"json": MORE} if method == "POST" else {}
    path = f"{address}/observations" if method == "POST" else address
    answer = client.request(method, path, headers={header: value}, **body)
    refusal(answer, 422, "invalid_input")
    assert [entry["field"] for entry in answer.json()["detail"]] == [f"header.{header.lower()}"]
    assert client.get(address).json()["n_observations"] == 3
