"""Contexts with shards over HTTP."""

import pytest

from service.schemas.contexts import SHARDS_LIMIT
from tests.service.in_process import InProcess

FIRST = {"x": [[float(i), float(i % 3)] for i in range(8)], "y": [2.0 * i for i in range(8)]}
MORE = {"x": [[9.0, 1.0]], "y": [18.0]}


def create(client: InProcess, **options: object) -> dict[str, object]:
    made = client.request("POST", "/v1/contexts", json={"model": "linear", "observations": FIRST, **options})
    assert made.status_code == 201, made.text
    found: dict[str, object] = made.json()
    return found


def test_a_context_with_shards_answers_as_one_without(client: InProcess) -> None:
    answers = []
    for shards in (0, 3):
        context = create(client, shards=shards)
        assert context["shards"] == shards
        path = f"/v1/contexts/{context['id']}"
        observed = client.request("POST", f"{path}/observations", json=MORE)
        assert (observed.status_code, observed.headers["etag"]) == (200, '"2"')
        assert client.get(path).json()["shards"] == shards
        predicted = client.request("POST", f"{path}/predictions", json={"query": [[4.0, 1.0]], "interval": 0.9})
        assert predicted.headers["etag"] == '"2"'
        answers.append(predicted.json())
        assert client.request("DELETE", path).status_code == 204
        assert client.request("POST", f"{path}/observations", json=MORE).status_code == 404
    assert answers[0]["prediction"] == pytest.approx(answers[1]["prediction"], rel=1e-9)
    assert answers[0]["n_observations"] == answers[1]["n_observations"] == 9


@pytest.mark.parametrize("shards", [-1, SHARDS_LIMIT + 1, 1.5, "2", True])
def test_number_of_shards_is_checked(client: InProcess, shards: object) -> None:
    refused = client.request("POST", "/v1/contexts", json={"observations": FIRST, "shards": shards})
    assert refused.status_code == 422
    assert refused.json()["detail"][0]["field"] == "shards"


def test_changes_that_need_all_rows_are_refused(client: InProcess) -> None:
    path, other = f"/v1/contexts/{create(client, shards=2)['id']}", create(client)["id"]
    refused = [
        client.request("POST", f"{path}/observations", json=MORE, headers={"If-Match": '"1"'}),
        client.request("POST", f"{path}/observations", json={**MORE, "weight": [-1]}),
        client.request("POST", f"{path}/observations", json={"rows": [{"a": 1, "b": 2}]}),
        client.request("POST", f"{path}/merge", json={"context": other}),
    ]
    assert [answer.status_code for answer in refused] == [422, 422, 409, 409]
    assert client.get(path).json()["version"] == 1


def test_keys_count_once(client: InProcess) -> None:
    path = f"/v1/contexts/{create(client, shards=2)['id']}/observations"
    answers = [client.request("POST", path, json=MORE, headers={"Idempotency-Key": "a"}) for _ in range(2)]
    assert answers[0].content == answers[1].content
    assert answers[0].json()["version"] == 2
