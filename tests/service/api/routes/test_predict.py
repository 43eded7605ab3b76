import asyncio
import threading
from collections.abc import Callable
from dataclasses import replace

import httpx
import numpy as np
import pytest

from service.api.executor import INLINE_LIMIT
from service.app import create_app
from service.inference.predictor import Observations, Prediction, Predictor
from service.settings import Settings
from tests.service.in_process import InProcess

N, M, D, K = 7, 4, 5, 3
GENERATOR = np.random.default_rng(3)
X, Y, QUERY = GENERATOR.normal(size=(N, D)), GENERATOR.normal(size=(N, K)), GENERATOR.normal(size=(M, D))


@pytest.mark.parametrize(
    ("version", "query", "prediction", "shrinkage"),
    [("1.0.0", [[4], [5]], [8, 10], 1e-6), (None, [[9], [10]], [18, 20], 2e-5)],
)
def test_a_line_is_continued(
    client: InProcess, version: str | None, query: list[list[int]], prediction: list[int], shrinkage: float
) -> None:
    """The prior of version 2 reduces the slope a little, and limits extrapolation."""
    n = query[0][0] - 1
    context = {"x": [[i] for i in range(1, n + 1)], "y": [2 * i for i in range(1, n + 1)]}
    answer = client.predict({"model": "linear", "version": version, "context": context, "query": query})
    used = version or "2.0.0"
    assert answer.status_code == 200
    assert answer.json() == {
        "prediction": pytest.approx(prediction, rel=shrinkage),
        "model": {
            "name": "linear",
            "version": used,
            "sha256": client.get(f"/v1/models/linear/versions/{used}").json()["sha256"],
        },
        "n_observations": n,
    }


def test_beyond_the_reach_of_three_observations_a_line_is_not_continued_and_a_note_says_so(client: InProcess) -> None:
    body = {"context": {"x": [[1], [2], [3]], "y": [2, 4, 6]}, "query": [[2], [4], [5]]}
    answer = client.predict(body).json()
    assert answer["prediction"][0] == pytest.approx(4)
    assert 6 < answer["prediction"][1] == answer["prediction"][2] < 8
    assert answer["notes"] == [{"code": "beyond_observations", "queries": [1, 2]}]


@pytest.mark.parametrize("model", [None, "gd-1", "gd-8", "linear", "nonlinear"])
@pytest.mark.parametrize("y", [Y, Y[:, 0], Y[:, :1]], ids=["rows", "numbers", "rows of one"])
def test_http_changes_no_digit_and_no_shape(client: InProcess, predictor: Predictor, model: str, y: np.ndarray) -> None:
    expected = predictor.predict(model or "nonlinear", Observations(X, y), QUERY)
    body = {"model": model, "context": {"x": X.tolist(), "y": y.tolist()}, "query": QUERY.tolist()}
    answer = client.predict(body).json()
    assert answer["prediction"] == expected.prediction.tolist()
    assert answer["model"]["name"] == expected.model.name


def test_weights_and_parameters_are_used(client: InProcess, predictor: Predictor) -> None:
    weight, rate = np.arange(N) / 10, {"learning_rate": 0.01}
    expected = predictor.predict("gd-8", Observations(X, Y, weight), QUERY, rate)
    context = {"x": X.tolist(), "y": Y.tolist(), "weight": weight.tolist()}
    answer = client.predict({"model": "gd-8", "context": context, "query": QUERY.tolist(), "parameters": rate})
    assert answer.json()["prediction"] == expected.prediction.tolist()


def test_optional_fields_may_be_null(client: InProcess) -> None:
    body = {
        "model": None,
        "context": {"x": [[1], [2]], "y": [2, 4], "weight": None},
        "query": [[3]],
        "parameters": None,
    }
    assert client.predict(body).status_code == 200


def test_cost_models_depend_on_the_number_of_columns(client: InProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    kinds = []

    async def run(work: Callable[[], object], size: int, kind: object) -> object:
        assert size > 0
        kinds.append(kind)
        return work()

    monkeypatch.setattr(client.state.executor, "run", run)
    for columns in (2, 2, 300):
        row = [[1.0] * columns]
        assert client.predict({"context": {"x": row, "y": [1]}, "query": row}).status_code == 200
    assert kinds[0] == kinds[1] != kinds[2]


def test_one_observation_answers_with_its_y(client: InProcess) -> None:
    answer = client.predict({"context": {"x": [[1, 2, 3]], "y": [42]}, "query": [[4, 5, 6], [0, 0, 0]]})
    assert answer.json()["prediction"] == [42.0, 42.0]


@pytest.mark.slow
def test_long_prediction_does_not_block_others() -> None:
    finish = threading.Event()

    class Slow(Predictor):
        def answer(self, *_: object, **__: object) -> Prediction:
            finish.wait(60)
            raise RuntimeError

    app = create_app(Settings(database_url="sqlite://"))
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)

    async def ask_both() -> None:
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(transport=transport, base_url="http://localhost") as client,
        ):
            predictor = app.state.service.predictor
            slow = Slow(predictor.repository, "linear", predictor.limits)
            app.state.service = replace(app.state.service, predictor=slow)
            body = {
                "context": {"x": [[1]] * INLINE_LIMIT, "y": [1] * INLINE_LIMIT},
                "query": [[1]],
            }  # short work runs at once
            predicting = asyncio.create_task(client.post("/v1/predict", json=body))
            await asyncio.sleep(0.1)
            assert (await client.get("/health/live")).status_code == 200
            assert not predicting.done()
            finish.set()
            assert (await predicting).status_code == 500

    asyncio.run(ask_both())
