"""The type of every answer, for the type checker alone: mypy --strict checks this file in `make check`, and in a test
with the installed client.
"""

from collections.abc import AsyncIterator, Iterator
from typing import Any, assert_type

from gdssm_client import AsyncClient, Client
from gdssm_client.answers import Page, PredictionResult, TablePredictionResult
from gdssm_client.async_contexts import AsyncContext
from gdssm_client.async_evaluations import AsyncEvaluation
from gdssm_client.async_streams import AsyncStream
from gdssm_client.batch_body import BatchPrediction
from gdssm_client.contexts import Context
from gdssm_client.evaluations import Evaluation
from gdssm_client.learning.sizes import Array
from gdssm_client.schemas import (
    ContextView,
    EvaluationView,
    Manifest,
    ModelList,
    ObservationResults,
    ScoreView,
    StreamAnswer,
)
from gdssm_client.streams import Stream


def answers(client: Client) -> None:
    assert_type(client.predict([[1]], [1], [[1]], interval=0.9), PredictionResult)
    assert_type(client.predict_table([{"a": 1, "y": 2}], target="y"), TablePredictionResult)
    assert_type(client.observe_many([[1]], [1], names=["a"]), ObservationResults)
    assert_type(client.predict_many([[1]], names=["a"]), BatchPrediction)
    assert_type(client.infer("linear", {}), dict[str, Array])
    assert_type(client.models(), ModelList)
    assert_type(client.models().models[0].parameters[0].default, float)
    assert_type(client.model("linear"), Manifest)
    assert_type(client.model("linear").gives_scale, bool)


def answers_of_contexts(client: Client, context: Context) -> None:
    assert_type(client.contexts.create(), Context)
    assert_type(client.contexts.by_name("a"), Context)
    assert_type(client.contexts.find("a"), Context)
    assert_type(client.contexts.get("a"), Context)
    assert_type(client.contexts.load(b""), Context)
    assert_type(client.contexts.list(), Page[Context])
    assert_type(context.record, ContextView)
    assert_type(context.record.n_observations, int)
    assert_type(context.observe([[1]], [1]), ContextView)
    assert_type(context.predict([[1]]), PredictionResult)
    assert_type(context.merge("a"), ContextView)
    assert_type(context.amend(name="b"), ContextView)
    assert_type(context.refresh(), ContextView)
    assert_type(context.export(), bytes)
    assert_type(context.stream(), Stream)
    with context.stream() as stream:
        assert_type(stream.send({}), StreamAnswer)
    context.delete()


def answers_of_evaluations(client: Client, evaluation: Evaluation) -> None:
    assert_type(client.evaluations.submit(["linear"]), Evaluation)
    assert_type(client.evaluations.ask(["linear"]), Evaluation)
    assert_type(client.evaluations.get("a"), Evaluation)
    assert_type(client.evaluations.list(), Page[Evaluation])
    assert_type(evaluation.refresh(), EvaluationView)
    assert_type(evaluation.cancel(), EvaluationView)
    assert_type(evaluation.results(), Iterator[ScoreView])
    assert_type(evaluation.wait(), EvaluationView)
    client.close()


async def answers_of_awaited_calls(client: AsyncClient) -> None:
    assert_type(await client.predict([[1]], [1], [[1]]), PredictionResult)
    assert_type(await client.predict_table([{"a": 1, "y": 2}], target="y"), TablePredictionResult)
    assert_type(await client.observe_many([[1]], [1], names=["a"]), ObservationResults)
    assert_type(await client.predict_many([[1]], names=["a"]), BatchPrediction)
    assert_type(await client.infer("linear", {}), dict[str, Array])
    assert_type(await client.models(), ModelList)
    assert_type(await client.model("linear"), Manifest)
    assert_type(await client.contexts.list(), Page[AsyncContext])
    assert_type((await client.contexts.create()).record, ContextView)


async def answers_of_awaited_handles(context: AsyncContext, evaluation: AsyncEvaluation) -> None:
    assert_type(await context.observe([[1]], [1]), ContextView)
    assert_type(await context.predict([[1]]), PredictionResult)
    async with context.stream() as stream:
        assert_type(stream, AsyncStream)
        assert_type(await stream.send({}), StreamAnswer)
    assert_type(evaluation.results(), AsyncIterator[ScoreView])
    assert_type(await evaluation.wait(), EvaluationView)


def parts_of_the_kind_of_the_query(prediction: PredictionResult) -> None:
    assert_type(prediction.prediction, Any)
