import re
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import numpy as np
import pytest

from service.access.keys import Keys
from service.api.executor import Executor
from service.contexts.repository import ContextRepository
from service.inference.artifact import Manifest
from service.settings import Settings
from service.store.database import Database
from tests.closeness import assert_close
from tests.service.api.routes.context_calls import LINE, make, observe, post, predict, refusal
from tests.service.in_process import InProcess, in_process

N, M, D, K = 7, 4, 5, 3
ZOO = [path.stem for path in sorted(Settings().zoo.glob("*.onnx")) if not path.stem.endswith("-1.0.0")]
ONE_SHOT = ["softmax-8"]


def data(manifest: Manifest) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Observations and queries of the widths that a model takes, y one-hot for a classifier."""
    generator = np.random.default_rng(3)
    inputs, outputs = (
        other if size == "any" else size for size, other in ((manifest.dims["D"], D), (manifest.dims["K"], K))
    )
    x, query = generator.normal(size=(N, inputs)), generator.normal(size=(M, inputs))
    y = generator.normal(size=(N, outputs))
    return x, np.eye(outputs)[y.argmax(1)] if manifest.task == "classification" else y, query


def test_new_context_is_empty_and_has_an_address(client: InProcess) -> None:
    answer = client.request("POST", "/v1/contexts", json={})
    made = answer.json()
    assert answer.status_code == 201
    assert answer.headers["location"] == f"/v1/contexts/{made['id']}"
    assert answer.headers["etag"] == f'"{made["version"]}"'
    assert made["model"] == {"name": "nonlinear", "version": "1.0.0"}
    assert [made[name] for name in ("n_observations", "inputs", "outputs", "decay")] == [0, None, None, None]
    unknown = dict.fromkeys(("implicit_weights", "digits_left", "schema", "described"))
    assert client.get(answer.headers["location"]).json() == {**made, **unknown}


def test_times_are_utc_and_the_context_expires_its_ttl_later(client: InProcess) -> None:
    made = make(client, ttl=3600)
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", made[name]) for name in ("created", "expires"))
    assert abs(time.time() - np.datetime64(made["created"][:-1]).astype("datetime64[s]").astype(int)) < 60
    assert np.datetime64(made["expires"][:-1]) - np.datetime64(made["updated"][:-1]) == np.timedelta64(3600, "s")


def test_line_is_continued_after_observations(client: InProcess) -> None:
    context = make(client, model="linear", observations={"x": [[1], [2]], "y": [2, 4]})
    record = observe(client, context, {"x": [[3]], "y": [6]})
    assert [record[name] for name in ("n_observations", "inputs", "outputs")] == [3, 1, 1]
    assert record["version"] == context["version"] + 1
    assert predict(client, context, [[4], [5]]) == pytest.approx([8, 10])


def test_prediction_has_model_and_number_of_observations(client: InProcess) -> None:
    context = make(client, model="gd-1", observations=LINE)
    answer = post(client, context, "predictions", {"query": [[1]], "parameters": {"learning_rate": 0.25}})
    model = client.get("/v1/models/gd-1").json()
    assert answer.json() == {
        "prediction": [pytest.approx(0.25 * 28 / 3)],
        "model": {name: model[name] for name in ("name", "version", "sha256")},
        "n_observations": 3,
        "version": context["version"],
    }
    assert answer.headers["etag"] == f'"{context["version"]}"'


ASKED: list[dict[str, object]] = [
    {"query": [[1]]},
    {"query": [[1]], "parameters": {"learning_rate": 0.25}},
    {"query": [[1, 2]]},
    {"query": [[1]], "parameters": {"rate": 1}},
    {"query": [[1e308]], "parameters": {"learning_rate": 100}},
]
"""Some requests are refused."""


async def refuse(*_: object) -> None:
    raise AssertionError


def said(answer: httpx.Response) -> tuple[object, ...]:
    """The values to compare; the order of texts may differ."""
    headers = (answer.headers.get(name) for name in ("etag", "content-type", "content-length"))
    return answer.status_code, sorted(answer.content), *headers


@pytest.mark.parametrize("body", ASKED)
@pytest.mark.parametrize("kind", ["application/json", "application/vnd.safetensors"])
def test_cached_context_is_answered_without_a_thread(
    client: InProcess, monkeypatch: pytest.MonkeyPatch, body: dict[str, object], kind: str
) -> None:
    context = make(client, model="gd-1", observations=LINE)
    with monkeypatch.context() as patched:
        patched.setattr(ContextRepository, "find_cached", lambda *_: None)
        expected = post(client, context, "predictions", body, accept=kind)
    monkeypatch.setattr(Executor, "_in_thread", refuse)
    answer = post(client, context, "predictions", body, accept=kind)
    assert answer.status_code in {200, 422}
    assert said(answer) == said(expected)


def test_long_predictions_run_in_a_thread(client: InProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    context = make(client, model="gd-1", observations=LINE)
    monkeypatch.setattr(Executor, "_in_thread", refuse)
    bodies: list[dict[str, object]] = [
        {"query": [[1]]},
        {"query": [[1]], "explain": ["implicit_weights"]},
        {"query": [[i] for i in range(5000)]},
    ]
    assert [post(client, context, "predictions", body).status_code for body in bodies] == [200, 500, 500]


@pytest.mark.parametrize(
    ("model", "version"),
    [*((name, None) for name in ZOO if name not in ONE_SHOT), ("linear", "1.0.0"), ("classifier", "1.0.0")],
)
def test_context_prediction_equals_one_shot_prediction(client: InProcess, model: str, version: str | None) -> None:
    x, y, query = data(Manifest.model_validate(client.get(f"/v1/models/{model}").json()))
    weight = np.linspace(0.5, 2.0, N)
    rows = {"x": x.tolist(), "y": y.tolist(), "weight": weight.tolist()}
    asked = {"model": model, "version": version, "context": rows, "query": query.tolist()}
    expected = client.predict(asked).json()["prediction"]
    first = {name: values[:2] for name, values in rows.items()}
    context = make(client, model=model, version=version, observations=first)
    for cut in (slice(2, 3), slice(3, N)):
        observe(client, context, {name: values[cut] for name, values in rows.items()})
    assert_close(np.array(predict(client, context, query.tolist()), np.float32), np.float32(expected), "prediction")


@pytest.mark.parametrize("model", ONE_SHOT)
def test_model_without_a_state_has_no_contexts(client: InProcess, model: str) -> None:
    answer = client.request("POST", "/v1/contexts", json={"model": model})
    assert model in refusal(answer, 422, "unsupported_by_model")


@pytest.mark.parametrize(
    ("version", "query"), [("1.0.0", [[7.0, 3.0], [-2.0, 11.0]]), ("2.0.0", [[5.0, 3.0], [0.0, -2.0]])]
)
def test_view_has_the_equivalent_linear_model(client: InProcess, version: str, query: list[list[float]]) -> None:
    x, y = [[1, 0], [2, 1], [3, 5], [4, 2]], [[2, 1], [6, 3], [16, 1], [12, 7]]
    for observed in (y, [row[0] for row in y]):
        context = make(client, version=version, observations={"x": x, "y": observed})
        found = client.get(f"/v1/contexts/{context['id']}").json()["implicit_weights"]
        by_hand = np.array(query) @ found["weights"] + found["intercept"]
        assert_close(by_hand, predict(client, context, query), "prediction", rtol=1e-9)
        assert np.shape(found["weights"]) == (2, *np.shape(observed)[1:])


def test_view_without_a_linear_model_has_none(client: InProcess) -> None:
    empty = make(client)
    curved = make(client, model="sine-trained", observations={"x": [[1], [2]], "y": [1, 2]})
    for context in (empty, curved):
        assert client.get(f"/v1/contexts/{context['id']}").json()["implicit_weights"] is None


def test_a_prediction_is_explained_by_the_linear_model_of_its_parameters(client: InProcess) -> None:
    context = make(client, model="gd-1", observations=LINE)
    body = {"query": [[5]], "parameters": {"learning_rate": 0.03}, "explain": ["implicit_weights"]}
    answer = post(client, context, "predictions", body).json()
    assert answer["explanation"]["implicit_weights"] == {
        "weights": [pytest.approx(0.03 * 28 / 3)],
        "intercept": pytest.approx(0, abs=1e-12),
    }
    assert answer["prediction"] == [pytest.approx(5 * 0.03 * 28 / 3)]
    answer_of_weights = answer["explanation"]
    for explain in (["contributions"], ["implicit_weights", "contributions"]):
        answer = post(client, context, "predictions", {"query": [[5]], "explain": explain})
        assert "which a stored context does not have" in refusal(answer, 422, "unsupported_by_model")
    everything = post(client, context, "predictions", body | {"explain": True}).json()["explanation"]
    assert everything == answer_of_weights
    assert "explanation" not in post(client, context, "predictions", {"query": [[5]]}).json()


def test_weight_minus_one_removes_an_observation(client: InProcess) -> None:
    context = make(client, observations=LINE)
    observe(client, context, {"x": [[9]], "y": [0]})
    record = observe(client, context, {"x": [[9]], "y": [0], "weight": [-1]})
    assert record["n_observations"] == 5
    assert predict(client, context, [[4]]) == pytest.approx([8])


def test_prediction_has_the_axes_of_y(client: InProcess) -> None:
    rows = make(client, observations={"x": [[1], [2]], "y": [[2], [4]]})
    numbers = make(client, observations={"x": [[1], [2]], "y": [2, 4]})
    assert predict(client, rows, [[3]]) == [[pytest.approx(6)]]
    assert predict(client, numbers, [[3]]) == [pytest.approx(6)]


def test_decaying_context_follows_a_drifting_relation(client: InProcess) -> None:
    kept, fading = (make(client, model="gd-1", decay=decay) for decay in (None, 0.5))
    for context in (kept, fading):
        observe(client, context, {"x": [[1.0]] * 20, "y": [0.0] * 10 + [1.0] * 10})
    assert fading["decay"] == 0.5
    query = {"query": [[1]], "parameters": {"learning_rate": 1.0}}
    answers = [post(client, context, "predictions", query).json()["prediction"][0] for context in (kept, fading)]
    assert answers[0] == pytest.approx(0.5)
    assert answers[1] > 0.99


@pytest.mark.parametrize(
    ("decay", "came"), [("atuo", "the text 'atuo'"), ("", "the text ''"), (0, "0"), (2, "2"), (-1, "-1")]
)
def test_invalid_decay_is_refused_with_the_rule(client: InProcess, decay: object, came: str) -> None:
    answer = client.request("POST", "/v1/contexts", json={"model": "linear", "decay": decay})
    text = refusal(answer, 422, "invalid_input")
    assert f'decay: must be above 0 and at most 1, or "auto"; this is {came}' in text


def test_context_with_automatic_decay_reports_its_memory(client: InProcess) -> None:
    generator = np.random.default_rng(0)
    x = generator.normal(size=(240, 2))
    y = np.where(np.arange(240) < 200, x[:, 0], 5 - x[:, 1]) + 0.1 * generator.normal(size=240)
    made = make(client, version="2.0.0", decay="auto")
    assert (made["decay"], made["memory_length"]) == ("auto", 0.0)
    steady, jumped = (
        observe(client, made, {"x": x[rows].tolist(), "y": y[rows].tolist()}) for rows in (slice(200), slice(200, 240))
    )
    assert steady["memory_length"] > 150
    assert jumped["memory_length"] < 50
    shown = client.get(f"/v1/contexts/{made['id']}").json()
    assert shown["memory_length"] == jumped["memory_length"]
    assert shown["implicit_weights"]["intercept"] == pytest.approx(5, abs=0.3)
    answer = post(client, made, "predictions", {"query": [[0, 1]], "interval": 0.9}).json()
    assert answer["prediction"][0] == pytest.approx(4, abs=0.3)
    assert answer["interval"]["lower"][0] < answer["prediction"][0] < answer["interval"]["upper"][0]
    assert make(client, decay=0.9)["memory_length"] is None


def test_unsupported_requests_to_a_context_with_auto_decay_are_refused(client: InProcess) -> None:
    one, other = (make(client, version="2.0.0", decay="auto", observations=LINE) for _ in range(2))
    merging = post(client, one, "merge", {"context": other["id"]})
    assert 'context: cannot be merged: with decay "auto"' in refusal(merging, 422, "invalid_input")
    taking_out = post(client, one, "observations", {**LINE, "weight": [-1, -1, -1]})
    assert "this context forgets (decay auto)" in refusal(taking_out, 422, "invalid_input")
    making = client.request("POST", "/v1/contexts", json={"model": "gd-1", "decay": "auto"})
    assert "model gd-1 1.0.0 gives none" in refusal(making, 422, "unsupported_by_model")


def test_merge_equals_observing_both_and_keeps_the_other(client: InProcess) -> None:
    one, other = make(client, observations={"x": [[1], [5]], "y": [1, 2]}), make(client, observations=LINE)
    merged = post(client, one, "merge", {"context": other["id"]})
    assert merged.json()["n_observations"] == 5
    assert merged.headers["etag"] == f'"{one["version"] + 1}"'
    whole = make(client, observations={"x": [[1], [5], *LINE["x"]], "y": [1, 2, *LINE["y"]]})
    assert_close(predict(client, one, [[4]]), predict(client, whole, [[4]]), "prediction", rtol=1e-9)
    assert client.get(f"/v1/contexts/{other['id']}").json()["version"] == other["version"]


def test_incompatible_contexts_do_not_merge(client: InProcess) -> None:
    one = make(client, observations=LINE)
    of_another_model = make(client, model="gd-1", observations=LINE)
    refusal(post(client, one, "merge", {"context": of_another_model["id"]}), 409, "conflict")
    wider = make(client, observations={"x": [[1, 2], [3, 4]], "y": [1, 2]})
    refusal(post(client, one, "merge", {"context": wider["id"]}), 422, "invalid_input")
    refusal(post(client, one, "merge", {"context": "0" * 32}), 404, "unknown_context")
    assert client.get(f"/v1/contexts/{one['id']}").json()["version"] == one["version"]


def test_deleted_context_is_404(client: InProcess) -> None:
    context = make(client)
    address = f"/v1/contexts/{context['id']}"
    gone = client.request("DELETE", address)
    assert (gone.status_code, gone.content) == (204, b"")
    for answer in (client.get(address), client.request("DELETE", address), client.get(f"{address}/state")):
        refusal(answer, 404, "unknown_context")
    other = {"context": make(client)["id"]}
    for door, body in (("observations", LINE), ("predictions", {"query": [[1]]}), ("merge", other)):
        refusal(post(client, context, door, body), 404, "unknown_context")


def test_expired_context_is_404(client: InProcess) -> None:
    address = f"/v1/contexts/{make(client, ttl=1)['id']}"
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:  # reading a context counts as a use, reading the list does not
        listed = client.get("/v1/contexts?limit=1000").json()["contexts"]
        if not any(address.endswith(context["id"]) for context in listed):
            break
        time.sleep(0.05)
    refusal(client.get(address), 404, "unknown_context")


@pytest.fixture
def alone() -> Iterator[InProcess]:
    with in_process(Settings(max_contexts=5)) as client:
        yield client


@pytest.mark.slow
def test_pages_are_complete_and_disjoint(alone: InProcess) -> None:
    made = [make(alone)["id"] for _ in range(5)]
    listed, after, pages = [], "", 0
    while after is not None:
        page = alone.get(f"/v1/contexts?limit=2{after and '&after=' + after}").json()
        listed += [context["id"] for context in page["contexts"]]
        after, pages = page["after"], pages + 1
    assert listed == made
    assert pages == 3


@pytest.mark.slow
def test_number_of_contexts_is_limited(alone: InProcess) -> None:
    made = [make(alone) for _ in range(5)]
    message = refusal(alone.request("POST", "/v1/contexts", json={}), 429, "quota_exceeded")
    assert "5" in message
    assert alone.request("DELETE", f"/v1/contexts/{made[0]['id']}").status_code == 204
    make(alone)


@pytest.mark.slow
def test_contexts_of_other_keys_are_404(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/gdssm.db"
    database = Database.open(url)
    keys = [Keys(database).create(name) for name in ("one", "other")]
    database.close()
    with in_process(Settings(auth="on", database_url=url)) as client:
        mine, others = ({"Authorization": f"Bearer {key}"} for key in keys)
        context = client.request("POST", "/v1/contexts", json={"observations": LINE}, headers=mine).json()
        theirs = client.request("POST", "/v1/contexts", json={"observations": LINE}, headers=others).json()
        address = f"/v1/contexts/{context['id']}"
        assert client.request("GET", address, headers=mine).status_code == 200
        requests: list[tuple[str, str, object]] = [
            ("GET", address, None),
            ("DELETE", address, None),
            ("GET", f"{address}/state", None),
            ("POST", f"{address}/observations", LINE),
            ("POST", f"{address}/predictions", {"query": [[1]]}),
            ("POST", f"{address}/merge", {"context": theirs["id"]}),
            ("POST", f"/v1/contexts/{theirs['id']}/merge", {"context": context["id"]}),
        ]
        for method, path, body in requests:
            answer = client.request(method, path, headers=others, json=body)
            refusal(answer, 404, "unknown_context")
        listed = client.request("GET", "/v1/contexts", headers=others).json()["contexts"]
        assert [entry["id"] for entry in listed] == [theirs["id"]]
        assert client.request("GET", address).status_code == 401


SCALE = {"center": [0.5, -1.0], "spread": [2.0, 3.0]}


def _rows(count: int, seed: int) -> dict[str, object]:
    generator = np.random.default_rng(seed)
    x = generator.normal(size=(count, 2)) * [2.0, 3.0] + [0.5, -1.0]
    return {"x": x.tolist(), "y": np.sin(x[:, 0]).tolist()}


@pytest.mark.parametrize("sizes", [(5, 7), (50, 60), (3, 60)])
def test_contexts_of_one_declared_scale_merge_exactly(client: InProcess, sizes: tuple[int, int]) -> None:
    parts = [_rows(size, seed) for seed, size in enumerate(sizes)]
    both: dict[str, object] = {name: [*parts[0][name], *parts[1][name]] for name in ("x", "y")}  # type: ignore[misc]
    whole, a, b = (make(client, model="nonlinear", scale=SCALE) for _ in range(3))
    for context, rows in ((whole, both), (a, parts[0]), (b, parts[1])):
        observe(client, context, rows)
    assert post(client, a, "merge", {"context": b["id"]}).status_code == 200
    query = [[0.0, 0.0], [2.0, -3.0]]
    assert predict(client, a, query) == pytest.approx(predict(client, whole, query), rel=1e-6)


def test_a_context_like_another_merges_with_it(client: InProcess) -> None:
    first = make(client, model="nonlinear", observations=_rows(40, 0))
    other = make(client, model="nonlinear", observations=_rows(50, 1))
    like = make(client, model="nonlinear", like=first["id"])
    observe(client, like, _rows(50, 1))
    refused = post(client, first, "merge", {"context": other["id"]})
    assert "scale their features differently" in refusal(refused, 422, "invalid_input")
    assert post(client, first, "merge", {"context": like["id"]}).status_code == 200


def test_removal_is_exact_with_a_declared_scale(client: InProcess) -> None:
    context = make(client, model="nonlinear", scale=SCALE, observations=_rows(40, 0))
    before = predict(client, context, [[0.0, 0.0]])
    outlier: dict[str, object] = {"x": [[9.0, 9.0]], "y": [99.0]}
    observe(client, context, outlier)
    observe(client, context, outlier | {"weight": [-1]})
    assert predict(client, context, [[0.0, 0.0]]) == pytest.approx(before, rel=1e-6)


@pytest.mark.parametrize(
    ("body", "field", "status"),
    [
        ({"model": "linear", "scale": SCALE}, "scale", 422),
        ({"model": "nonlinear", "scale": {"center": [0.0], "spread": [1.0, 2.0]}}, "scale", 422),
        ({"model": "nonlinear", "scale": {"center": [0.0], "spread": [-1.0]}}, "scale.spread[0]", 422),
        ({"model": "nonlinear", "scale": SCALE, "observations": LINE}, "observations.x", 422),
        ({"model": "nonlinear", "like": "0" * 32}, None, 404),
    ],
)
def test_invalid_scale_is_refused(client: InProcess, body: dict[str, object], field: str | None, status: int) -> None:
    answer = client.request("POST", "/v1/contexts", json=body)
    assert answer.status_code == status, answer.text
    assert field is None or answer.json()["detail"][0]["field"] == field


def test_a_context_without_a_fixed_scale_has_none_to_share(client: InProcess) -> None:
    young = make(client, model="nonlinear", observations=_rows(5, 0))
    answer = client.request("POST", "/v1/contexts", json={"model": "nonlinear", "like": young["id"]})
    assert "no fixed scale" in refusal(answer, 422, "invalid_input")
