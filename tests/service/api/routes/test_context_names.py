"""Names and labels of contexts over HTTP."""

from urllib.parse import quote

import httpx
import pytest

from tests.service.api.routes.context_calls import make, refusal
from tests.service.in_process import InProcess

NAMES = [
    "sensor 7",
    "a/b",
    "/",
    "a/",
    "//x",
    "%2F",
    "100%",
    "state",
    "import",
    "Größe 🌡️",
    "?label=x",
    "#",
    "é" * 200,
    "a/../b",
]


def address(name: str) -> str:
    return f"/v1/contexts/by-name/{quote(name, safe='')}"


def put(client: InProcess, name: str, **body: object) -> httpx.Response:
    return client.request("PUT", address(name), json=body)


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_a_name_is_created_once_and_then_returned(client: InProcess, name: str) -> None:
    first = put(client, name, model="linear", labels={"site": "berlin"})
    assert first.status_code == 201, first.text
    made = first.json()
    assert (made["name"], made["labels"]) == (name, {"site": "berlin"})
    assert first.headers["location"] == f"/v1/contexts/{made['id']}"
    again = put(client, name, model="linear")
    assert (again.status_code, again.json()) == (200, made)
    assert again.headers["etag"] == '"1"'
    found = client.get(address(name))
    assert found.status_code == 200
    assert found.json() == client.get(f"/v1/contexts/{made['id']}").json()
    assert client.request("GET", address(name), headers={"If-None-Match": '"1"'}).status_code == 304


@pytest.mark.parametrize("path", ["", "%00", "%0A", "%FF", "x" * 201, "%C2%85", "%E2%80%A8", "%ED%A0%80"])
def test_a_name_that_is_not_allowed_is_refused(client: InProcess, path: str) -> None:
    for method in ("PUT", "GET"):
        answer = client.request(method, f"/v1/contexts/by-name/{path}", **({"json": {}} if method == "PUT" else {}))
        assert answer.json()["detail"][0]["field"] == "path.name", answer.text
        assert "must be 1 to 200 characters" in refusal(answer, 422, "invalid_input")


def test_a_context_of_the_name_with_other_terms_is_409(client: InProcess) -> None:
    put(client, "fixed", model="linear", decay=0.5)
    assert "decay 0.5, not 0.9" in refusal(put(client, "fixed", decay=0.9), 409, "conflict")
    assert "model linear, not gd-1" in refusal(put(client, "fixed", model="gd-1"), 409, "conflict")
    named = client.request("POST", "/v1/contexts", json={"name": "fixed"})
    assert "named 'fixed'" in refusal(named, 409, "name_taken")
    assert put(client, "fixed").status_code == 200


def test_an_unknown_name_is_404_and_another_method_405(client: InProcess) -> None:
    assert "'nothing'" in refusal(client.get(address("nothing")), 404, "unknown_context")
    answer = client.request("DELETE", address("a/b"))
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, PUT, HEAD")


def test_labels_find_contexts_that_have_them_all(client: InProcess) -> None:
    made = [
        make(client, labels={"place": site, "kind": kind, "url": "http://x:1"})["id"]
        for site in ("berlin", "chur")
        for kind in ("a", "b")
    ]
    make(client)

    def found(*labels: str, **more: str | int) -> list[str]:
        answer = client.request("GET", "/v1/contexts", params={"label": labels, **more})
        assert answer.status_code == 200, answer.text
        return [context["id"] for context in answer.json()["contexts"]]

    assert found("place:berlin") == made[:2]
    assert found("kind:a") == [made[0], made[2]]
    assert found("kind:a", "place:chur") == [made[2]]
    assert found("url:http://x:1") == made
    assert found("url:http://x:1", after=made[1], limit=1) == [made[2]]
    assert found("place:bern") == found("place:berlin", "place:chur") == []


LABELS: list[object] = [
    {"a:b": "c"},
    {"": "x"},
    {"x": ""},
    {"x": "a\nb"},
    {"k" * 64: "x"},
    {"x": "v" * 201},
    {"x": 1},
    {"x": None},
    {str(i): "x" for i in range(17)},
    ["a:b"],
    "a:b",
]


@pytest.mark.parametrize("labels", LABELS, ids=ascii)
def test_labels_that_are_not_allowed_are_refused(client: InProcess, labels: object) -> None:
    answer = put(client, "labelled", labels=labels)
    message = refusal(answer, 422, "invalid_input")
    assert "labels" in message
    assert client.get(address("labelled")).status_code == 404


@pytest.mark.parametrize("label", ["site", ":x", "x:", "a:\n", "k" * 64 + ":x", "x:" + "v" * 201])
def test_a_filter_that_is_no_label_is_refused(client: InProcess, label: str) -> None:
    answer = client.request("GET", "/v1/contexts", params={"label": label})
    message = refusal(answer, 422, "invalid_input")
    assert message.startswith("query.label[0]: must be key:value, such as site:berlin; this is ")


def test_a_filter_has_a_limited_number_of_labels(client: InProcess) -> None:
    answer = client.request("GET", "/v1/contexts", params={"label": ["a:b"] * 17})
    assert "16" in refusal(answer, 422, "invalid_input")


def test_a_context_is_renamed_and_relabelled_in_its_next_version(client: InProcess) -> None:
    made = make(client, name="a", labels={"site": "berlin"})
    other = make(client, name="b")
    place = f"/v1/contexts/{made['id']}"
    assert "named 'b'" in refusal(client.request("PATCH", place, json={"name": "b"}), 409, "name_taken")
    body = {"name": "c/d", "labels": {"site": "chur"}, "ttl": 99}
    stale = client.request("PATCH", place, json=body, headers={"If-Match": '"7"'})
    refusal(stale, 412, "version_mismatch")
    changed = client.request("PATCH", place, json=body, headers={"Idempotency-Key": "1"})
    assert (changed.status_code, changed.headers["etag"]) == (200, '"2"')
    assert {field: changed.json()[field] for field in body} == body
    again = client.request("PATCH", place, json=body, headers={"Idempotency-Key": "1"})
    assert again.json() == changed.json()
    assert client.get(address("c/d")).json()["id"] == made["id"]
    assert client.request("PATCH", place, json={"labels": {}}).json()["labels"] == {}
    listed = client.request("GET", "/v1/contexts", params={"limit": 1000}).json()["contexts"]
    names = {context["id"]: context["name"] for context in listed}
    assert (names[made["id"]], names[other["id"]]) == ("c/d", "b")


def test_a_context_of_rows_has_a_name(client: InProcess) -> None:
    rows = [{"size": 1, "price": 2}, {"size": 2, "price": 4}, {"size": 3, "price": 6}]
    body = {"rows": rows, "target": "price", "name": "houses", "labels": {"site": "chur"}}
    made = client.request("POST", "/v1/contexts", json=body)
    assert made.status_code == 201, made.text
    assert (made.json()["name"], made.json()["labels"]) == ("houses", {"site": "chur"})
    assert client.get(address("houses")).json()["schema"]["target"]["name"] == "price"
