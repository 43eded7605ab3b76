"""What each method returns, for the type checker alone: mypy --strict checks this file in `make check`."""

from typing import assert_type

from gdssm_client import AsyncClient, Client
from gdssm_client.answers import Page, PredictionResult, TablePredictionResult
from gdssm_client.batch_body import BatchPrediction
from gdssm_client.contexts import Context
from gdssm_client.evaluations import Evaluation
from gdssm_client.schemas import ContextView, EvaluationView, Manifest, ModelList, ObservationResults


def answers(client: Client) -> None:
    assert_type(client.predict([[1]], [1], [[1]], interval=0.9), PredictionResult)
    assert_type(client.predict_table([{"a": 1, "y": 2}], target="y"), TablePredictionResult)
    assert_type(client.observe_many([[1]], [1], names=["a"]), ObservationResults)
    assert_type(client.predict_many([[1]], names=["a"]), BatchPrediction)
    assert_type(client.models(), ModelList)
    assert_type(client.models().models[0].parameters[0].default, float)
    assert_type(client.model("linear"), Manifest)
    assert_type(client.contexts.create(), Context)
    assert_type(client.contexts.list(), Page[Context])
    assert_type(client.contexts.create().record, ContextView)
    assert_type(client.contexts.create().record.n_observations, int)
    assert_type(client.contexts.create().observe([[1]], [1]), ContextView)
    assert_type(client.evaluations.submit(["linear"]), Evaluation)
    assert_type(client.evaluations.submit(["linear"]).wait(), EvaluationView)


async def answers_of_awaited_calls(client: AsyncClient) -> None:
    assert_type(await client.predict([[1]], [1], [[1]]), PredictionResult)
    assert_type((await client.contexts.create()).record, ContextView)
