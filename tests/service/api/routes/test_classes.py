"""Classification over HTTP: probabilities from every endpoint, and checks of y."""

from typing import Any

import numpy as np
import pytest

from tests.closeness import assert_close
from tests.service.api.routes.context_calls import make, observe, post, predict, refusal
from tests.service.in_process import InProcess

N, M, D, C = 40, 4, 3, 3
GENERATOR = np.random.default_rng(4)
X, QUERY = GENERATOR.normal(size=(N, D)), GENERATOR.normal(size=(M, D)).tolist()
LABEL = (X[:, 0] > 0).astype(int) + (X[:, 1] > 0.5)
Y = np.eye(C)[LABEL]
SCALE = {"center": [0.0] * D, "spread": [1.0] * D}
VERSIONS = pytest.mark.parametrize("version", ["1.0.0", "2.0.0"])


def rows(part: slice, y: np.ndarray = Y) -> dict[str, Any]:
    return {"x": X[part].tolist(), "y": y[part].tolist()}


def one_shot(client: InProcess, version: str = "2.0.0", **more: object) -> dict[str, Any]:
    body = {"model": "classifier", "version": version, "context": rows(slice(N)), "query": QUERY, **more}
    answer = client.predict(body)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def notes(client: InProcess, part: slice, y: np.ndarray = Y, query: list[list[float]] = QUERY) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = one_shot(client, context=rows(part, y), query=query).get("notes", [])
    return found


@VERSIONS
def test_context_learns_predicts_and_removes(client: InProcess, version: str) -> None:
    expected = one_shot(client, version)["prediction"]
    assert_close(np.sum(expected, 1), np.ones(M), "sums of the probabilities")
    scale = {"scale": SCALE} if version == "2.0.0" else {}
    context = make(client, model="classifier", version=version, observations=rows(slice(5)), **scale)
    assert context["model"] == {"name": "classifier", "version": version}
    observe(client, context, rows(slice(5, N)))
    observe(client, context, {"x": [[9, 9, 9]], "y": [[0, 0, 1]]})
    observe(client, context, {"x": [[9, 9, 9]], "y": [[0, 0, 1]], "weight": [-1]})
    streamed = np.array(predict(client, context, QUERY))
    assert np.abs(streamed - expected).max() < (
        0.1 if scale else 1e-9
    )  # with a declared scale, or the scale of the state
    assert client.request("DELETE", f"/v1/contexts/{context['id']}").status_code == 204
    assert post(client, context, "predictions", {"query": QUERY}).status_code == 404


@pytest.mark.parametrize("given", ["scale", "like"])
def test_contexts_of_one_scale_merge(client: InProcess, given: str) -> None:
    whole = make(client, model="classifier", scale=SCALE, observations=rows(slice(N)))
    same: dict[str, object] = {"scale": SCALE} if given == "scale" else {"like": whole["id"]}
    parts = [make(client, model="classifier", observations=rows(part), **same) for part in (slice(17), slice(17, N))]
    merged = post(client, parts[0], "merge", {"context": parts[1]["id"]})
    assert merged.status_code == 200, merged.text
    assert merged.json()["n_observations"] == N
    merging = predict(client, parts[0], QUERY)
    assert_close(np.array(merging), np.array(predict(client, whole, QUERY)), "probabilities", rtol=1e-8)


def test_a_context_that_forgets_follows_a_class_that_moves(client: InProcess) -> None:
    kept, fading = (make(client, model="classifier", decay=decay, scale=SCALE) for decay in (None, 0.93))
    for context in (kept, fading):
        observe(client, context, rows(slice(N), np.roll(Y, 1, axis=1)))
        observe(client, context, rows(slice(N)))
    old, new = (np.array(predict(client, context, X.tolist()))[np.arange(N), LABEL] for context in (kept, fading))
    assert new.mean() > old.mean() + 0.1


def test_a_context_of_one_version_does_not_merge_with_one_of_another(client: InProcess) -> None:
    old, new = (make(client, model="classifier", version=version) for version in ("1.0.0", "2.0.0"))
    refusal(post(client, new, "merge", {"context": old["id"]}), 409, "conflict")


def test_newest_version_is_the_default(client: InProcess) -> None:
    context = make(client, model="classifier", observations=rows(slice(N)))
    assert context["model"] == {"name": "classifier", "version": "2.0.0"}
    assert predict(client, context, QUERY) == one_shot(client)["prediction"]


def test_y_that_is_not_a_distribution_is_refused_by_field_and_row(client: InProcess) -> None:
    wrong = Y.copy()
    wrong[3] = [0.5, 0, 0]
    body = {"model": "classifier", "context": rows(slice(N), wrong), "query": QUERY}
    text = "y[3]: sums to 0.5; shares of classes must sum to 1. Send 1 for the class of the observation and 0 for"
    assert f"context.{text}" in refusal(client.predict(body), 422, "invalid_input")
    for version in ("1.0.0", "2.0.0"):
        made = client.request(
            "POST",
            "/v1/contexts",
            json={"model": "classifier", "version": version, "observations": rows(slice(N), wrong)},
        )
        assert f"observations.{text}" in refusal(made, 422, "invalid_input")
        context = make(client, model="classifier", version=version)
        answer = post(client, context, "observations", rows(slice(N), wrong))
        assert refusal(answer, 422, "invalid_input").startswith(text)


def test_tensors_are_converted_to_shares_by_the_graph(client: InProcess) -> None:
    tensors = {"x": X[None], "y": 3 * Y[None], "x_query": np.array([QUERY])}
    inputs = [
        {"name": name, "shape": values.shape, "datatype": "FP64", "data": values.ravel().tolist()}
        for name, values in tensors.items()
    ]
    answer = client.request("POST", "/v2/models/classifier/infer", json={"inputs": inputs})
    assert answer.status_code == 200, answer.text
    outputs = {output["name"]: output["data"] for output in answer.json()["outputs"]}
    assert_close(np.reshape(outputs["prediction"], (M, C)), np.array(one_shot(client)["prediction"]), "probabilities")


@pytest.mark.parametrize("more", [{"interval": 0.9}, {"quantiles": [0.5]}])
def test_probabilities_have_no_intervals(client: InProcess, more: dict[str, object]) -> None:
    body = {"model": "classifier", "context": rows(slice(N)), "query": QUERY, **more}
    refused = refusal(client.predict(body), 422, "unsupported_by_model")
    assert refused.startswith(f"{next(iter(more))}: is nothing that model classifier 2.0.0 gives")
    context = make(client, model="classifier", observations=rows(slice(N)))
    refusal(post(client, context, "predictions", {"query": QUERY, **more}), 422, "unsupported_by_model")


@pytest.mark.parametrize(
    ("part", "reason"),
    [
        ("implicit_weights", "has no implicit weights: it is not linear in x. Leave them out."),
        *(
            (
                part,
                f"has no {part} in version 2.0.0: its predictions are not weighted sums of features. Leave them out.",
            )
            for part in ("contributions", "effects", "pairs", "blocks")
        ),
    ],
)
def test_probabilities_have_no_explanation(client: InProcess, part: str, reason: str) -> None:
    body = {"model": "classifier", "context": rows(slice(N)), "query": QUERY, "explain": [part]}
    assert refusal(client.predict(body), 422, "unsupported_by_model") == f"explain: model classifier {reason}"
    refusal(client.predict({**body, "explain": True}), 422, "unsupported_by_model")
    context = make(client, model="classifier", observations=rows(slice(N)))
    assert client.get(f"/v1/contexts/{context['id']}").json()["implicit_weights"] is None
    refusal(post(client, context, "predictions", {"query": QUERY, "explain": [part]}), 422, "unsupported_by_model")


def test_predictions_have_the_notes_of_classifications(client: InProcess) -> None:
    assert notes(client, slice(N)) == []
    assert notes(client, slice(1)) == [{"code": "one_observation"}]
    assert notes(client, slice(N), np.eye(C)[np.zeros(N, int)]) == [{"code": "constant_y"}]
    far = [[0.0, 0.0, 0.0], [1e3, 0.0, 0.0]]
    assert notes(client, slice(N), query=far) == [{"code": "beyond_observations", "queries": [1]}]
    constant = {"x": np.where(np.arange(D) == 1, 5.0, X).tolist(), "y": Y.tolist()}
    assert one_shot(client, context=constant)["notes"] == [{"code": "constant_columns", "columns": [1]}]


def test_missing_cells_are_accepted(client: InProcess) -> None:
    gaps = X.tolist()
    gaps[3][1] = gaps[7][0] = None
    query = [[None, 0.1, 0.2], [None, None, None]]
    found = one_shot(client, context={"x": gaps, "y": Y.tolist()}, query=query)["prediction"]
    assert_close(np.sum(found, 1), np.ones(2), "sums of the probabilities")
