"""Significant digits over HTTP: loss is refused unless allowed, and the view shows how many are left."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from service.inference.tensors import pack
from service.settings import Settings
from tests.service.api.routes.context_calls import make, observe, post, predict, refusal
from tests.service.in_process import InProcess, in_process

LINE: dict[str, Any] = {"x": [[0], [1], [2], [3]], "y": [5, 7, 9, 11]}
MISTAKE: dict[str, Any] = {"x": [[1e9]], "y": [0]}
SAFETENSORS = "application/vnd.safetensors"


@pytest.fixture(scope="module")
def client() -> Iterator[InProcess]:
    with in_process(Settings()) as client:
        yield client


def view(client: InProcess, context: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = client.get(f"/v1/contexts/{context['id']}").json()
    return found


def binary(client: InProcess, context: dict[str, Any], **texts: str) -> Any:  # noqa: ANN401
    body = pack({"x": np.array([[1e9]]), "y": np.array([0.0])}, texts)
    path = f"/v1/contexts/{context['id']}/observations"
    return client.request("POST", path, content=body, headers={"Content-Type": SAFETENSORS})


@pytest.mark.slow
def test_lossy_observation_is_refused_without_a_change(client: InProcess) -> None:
    context = make(client, observations=LINE)
    for mistake, field in (
        (MISTAKE, "x[0][0]"),
        ({"x": [[1.5]], "y": [1e20]}, "y[0]"),
        ({"x": [[1.5], [2]], "y": [9, 9.97e36]}, "y[1]"),
        ({"x": [[1.5]], "y": [8], "weight": [1e20]}, "weight[0]"),
    ):
        answer = post(client, context, "observations", mistake)
        assert "allow_precision_loss: true" in refusal(answer, 422, "precision_loss")
        assert [problem["field"] for problem in answer.json()["detail"]] == [field]
    assert view(client, context)["n_observations"] == 4
    assert predict(client, context, [[10]]) == pytest.approx([25], rel=1e-12)


def test_view_reports_remaining_digits(client: InProcess) -> None:
    context = make(client)
    assert view(client, context)["digits_left"] is None
    observe(client, context, LINE)
    assert view(client, context)["digits_left"] == 15
    observe(client, context, {"x": [[5e4]], "y": [0]})
    observe(client, context, {"x": [[5e4]], "y": [0], "weight": [-1]})
    assert view(client, context)["digits_left"] in range(6, 9)
    observe(client, context, MISTAKE | {"allow_precision_loss": True})
    assert view(client, context)["digits_left"] == 0


def test_allowed_precision_loss_is_applied(client: InProcess) -> None:
    context = make(client, observations=LINE)
    observe(client, context, MISTAKE | {"allow_precision_loss": True})
    taking_out = post(client, context, "observations", MISTAKE | {"weight": [-1], "allow_precision_loss": True})
    assert "x[0][0]: is 1e+09 and cannot be taken out exactly" in refusal(taking_out, 422, "precision_loss")


@pytest.mark.parametrize("allow", [1, "true", None])
def test_allow_precision_loss_must_be_a_boolean(client: InProcess, allow: object) -> None:
    answer = post(client, make(client), "observations", LINE | {"allow_precision_loss": allow})
    assert [problem["field"] for problem in answer.json()["detail"]] == ["allow_precision_loss"]


def test_safetensors_allow_precision_loss_in_the_metadata(client: InProcess) -> None:
    context = make(client, observations=LINE)
    refusal(binary(client, context), 422, "precision_loss")
    refusal(binary(client, context, allow_precision_loss="false"), 422, "precision_loss")
    assert "must be true or false" in refusal(binary(client, context, allow_precision_loss="yes"), 422, "invalid_input")
    assert binary(client, context, allow_precision_loss="true").json()["n_observations"] == 5


def test_idempotency_key_covers_allow_precision_loss(client: InProcess) -> None:
    context = make(client, observations=LINE)
    body = {"x": [[1.5]], "y": [8]}
    observe(client, context, body, idempotency_key="digits")
    other = post(client, context, "observations", body | {"allow_precision_loss": True}, idempotency_key="digits")
    refusal(other, 409, "conflict")


def test_lossy_merge_is_refused_unless_allowed(client: InProcess) -> None:
    small = make(client, observations=LINE)
    large = make(client, observations={"x": [[0], [1e9], [2e9]], "y": [5, 7, 9]})
    merge = {"context": large["id"]}
    assert "context: has seen so much larger" in refusal(post(client, small, "merge", merge), 422, "precision_loss")
    assert post(client, small, "merge", merge | {"allow_precision_loss": True}).json()["n_observations"] == 7


@pytest.mark.slow
def test_rows_that_were_not_observed_cannot_be_removed(client: InProcess) -> None:
    context = make(client, observations={"x": [[1], [2], [3], [9]], "y": [2, 4, 6, 18]})
    nine = {"x": [[9]], "y": [18], "weight": [-1]}
    observe(client, context, nine)
    taking_out = post(client, context, "observations", nine)
    assert "takes out observations that were never made" in refusal(taking_out, 422, "invalid_input")
    assert predict(client, context, [[4]]) == pytest.approx([8], rel=1e-9)


def test_first_observations_with_negative_weights_are_checked(client: InProcess) -> None:
    twice = {"x": [[1], [2], [3], [9], [9]], "y": [2, 4, 6, 18, 18], "weight": [1, 1, 1, 1, -2]}
    answer = client.request("POST", "/v1/contexts", json={"model": "linear", "observations": twice})
    assert "observations.weight[4]: takes out observations that were never made" in refusal(
        answer, 422, "invalid_input"
    )


@pytest.mark.parametrize("model", ["gd-1", "linear", "nonlinear"])
def test_one_shot_requests_with_negative_weights_are_checked(client: InProcess, model: str) -> None:
    def ask(context: dict[str, Any]) -> Any:  # noqa: ANN401
        return client.request("POST", "/v1/predict", json={"model": model, "context": context, "query": [[4]]})

    twice = {"x": [[1], [2], [3], [9], [9]], "y": [2, 4, 6, 18, 18], "weight": [1, 1, 1, 1, -2]}
    assert "context.weight[4]: takes out observations that were never made" in refusal(ask(twice), 422, "invalid_input")
    mistake = {"x": [[0], [1], [2], [1e9], [1e9]], "y": [5, 7, 9, 0, 0], "weight": [1, 1, 1, 1, -1]}
    assert "context.x[4][0]: is 1e+09" in refusal(ask(mistake), 422, "precision_loss")
    in_y = {"x": [[0], [1], [2], [2], [2]], "y": [5, 7, 9, 1e20, 1e20], "weight": [1, 1, 1, 1, -1]}
    assert "context.y[4]: is 1e+20" in refusal(ask(in_y), 422, "precision_loss")
    heavy = {"x": [[0], [1], [2], [2], [2]], "y": [5, 7, 9, 1, 1], "weight": [1, 1, 1, 1e12, -1e12]}
    assert "context.weight: adds up to rounding" in refusal(ask(heavy), 422, "precision_loss")
    fine = {"x": [[1], [2], [3], [9], [9]], "y": [2, 4, 6, 18, 18], "weight": [1, 1, 1, 1, -1]}
    three = {"x": [[1], [2], [3]], "y": [2, 4, 6]}
    assert ask(fine).json()["prediction"] == pytest.approx(ask(three).json()["prediction"], rel=1e-6)


@pytest.mark.parametrize("model", ["gd-1", "linear", "nonlinear"])
def test_one_shot_requests_without_negative_weights_lose_nothing(client: InProcess, model: str) -> None:
    context = {"x": [[0], [1], [2], [3], [1e9]], "y": [5, 7, 9, 11, 1e20], "weight": [1, 1, 1, 1, 1e-20]}
    answer = client.request("POST", "/v1/predict", json={"model": model, "context": context, "query": [[4]]})
    assert answer.status_code == 200, answer.text
