"""Cache-Control: max-age of a prediction."""

import pytest

from service.api.preconditions import MAX_AGE
from tests.service.in_process import InProcess

ROWS = [{"size": i, "town": "ab"[i % 2], "price": 2.0 * i} for i in range(10)]


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("max-age=5", "5"), ("no-cache, Max-Age=07", "07"), ('max-age="3"', "3"), ("max-age=1,no-store", "1")],
)
def test_age_is_read_from_the_directives(header: str, seconds: str) -> None:
    found = MAX_AGE.search(header)
    assert found is not None
    assert found[1] == seconds


@pytest.mark.parametrize("header", ["", "no-cache", "max-age", "max-age=", "max-age=-1", "s-max-age=5", "max-age=1.5"])
def test_what_is_no_age_is_ignored(header: str) -> None:
    assert MAX_AGE.search(header) is None


@pytest.mark.parametrize("header", ["max-age=5", "max-age=0", "nonsense", None])
def test_every_way_to_predict_passes_the_age_on(
    client: InProcess, monkeypatch: pytest.MonkeyPatch, header: str | None
) -> None:
    arrays = {"model": "linear", "observations": {"x": [[1], [2], [4]], "y": [1, 2, 4]}}
    context = client.request("POST", "/v1/contexts", json=arrays).json()["id"]
    table = client.request("POST", "/v1/contexts", json={"model": "linear", "rows": ROWS, "target": "price"}).json()[
        "id"
    ]
    ages: list[float] = []
    repository = client.state.contexts.repository
    recent = repository._recently_checked

    def noted(owner: str, context_id: str, max_age: float) -> object:
        ages.append(max_age)
        return recent(owner, context_id, max_age)

    monkeypatch.setattr(repository, "_recently_checked", noted)
    headers = {} if header is None else {"Cache-Control": header}
    for name, query in ((context, [[3]]), (table, [{"size": 3, "town": "a"}])):
        for explain in ({}, {"explain": ["implicit_weights"]} if name == context else {}):
            body = {"query": query, **explain}
            answer = client.request("POST", f"/v1/contexts/{name}/predictions", json=body, headers=headers)
            assert answer.status_code == 200, answer.text
    batch = {"items": [{"context": context, "query": [[3]]}]}
    assert client.request("POST", "/v1/predictions", json=batch, headers=headers).json()["failed"] == 0
    assert len(ages) == 5
    assert set(ages) == {5.0 if header == "max-age=5" else 0.0}
