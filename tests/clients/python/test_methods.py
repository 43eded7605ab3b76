"""The methods of both clients: plain functions with annotated parameters, the same in both."""

import inspect
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from pydantic import BaseModel

from gdssm_client import async_client, async_contexts, async_evaluations, client, contexts, evaluations
from service.evaluations.request import EvaluationRequest
from service.schemas.contexts import ContextChange, ContextQuery, CreateContext, MergeRequest, NamedContext
from service.schemas.predictions import ObservationsBody, PredictRequest
from tests.nonempty import nonempty
from tests.running import ROOT

PAIRS: list[tuple[type, type]] = [
    (client.Client, async_client.AsyncClient),
    (contexts.Contexts, async_contexts.AsyncContexts),
    (contexts.Context, async_contexts.AsyncContext),
    (evaluations.Evaluations, async_evaluations.AsyncEvaluations),
    (evaluations.Evaluation, async_evaluations.AsyncEvaluation),
]


def methods(kind: type) -> Iterator[tuple[str, Callable[..., Any]]]:
    return ((name, value) for name, value in vars(kind).items() if inspect.isfunction(value) and name[0] != "_")


def parameters(method: Callable[..., Any]) -> list[inspect.Parameter]:
    return [*inspect.signature(method).parameters.values()][1:]


def test_every_method_has_a_docstring_and_annotated_parameters() -> None:
    for kind in nonempty([kind for pair in PAIRS for kind in pair]):
        for name, method in nonempty(methods(kind)):
            assert inspect.getdoc(method), name
            assert inspect.signature(method).return_annotation is not inspect.Parameter.empty, name
            assert [p.name for p in parameters(method) if p.annotation is p.empty] == [], name
            assert not {p.kind for p in parameters(method)} & {
                inspect.Parameter.VAR_POSITIONAL,
                inspect.Parameter.VAR_KEYWORD,
            }, name


def test_both_clients_have_the_same_methods_with_the_same_parameters() -> None:
    for one, other in nonempty(PAIRS):
        here, there = dict(methods(one)), dict(methods(other))
        assert here.keys() == there.keys()
        for name in nonempty(here):
            assert parameters(here[name]) == parameters(there[name]), name
            if name != "stream":  # returns a context manager, which is entered by `async with`
                assert inspect.iscoroutinefunction(there[name]) or inspect.isasyncgenfunction(there[name]), name
            assert not inspect.iscoroutinefunction(here[name]), name


@pytest.mark.slow
def test_the_synchronous_client_is_generated_from_the_asynchronous_one() -> None:
    command = [sys.executable, ".ci/sync_client.py", "--check"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def names(method: Callable[..., Any]) -> set[str]:
    return {parameter.name for parameter in parameters(method)}


def fields(*schemas: type[BaseModel]) -> set[str]:
    return {name for schema in schemas for name in schema.model_fields}


def test_methods_take_every_field_of_the_request() -> None:
    context, headers = contexts.Context, {"if_version"}
    assert names(client.Client.predict) == fields(PredictRequest, ObservationsBody) - {"context"}
    assert names(contexts.Contexts.create) == fields(CreateContext)
    assert names(contexts.Contexts.by_name) == {"name", *fields(NamedContext)}
    assert names(context.amend) == {*fields(ContextChange), *headers}
    assert names(context.observe) == {*fields(ObservationsBody), *headers, "allow_precision_loss"}
    assert names(context.predict) == {*fields(ContextQuery), "max_age"} - {"columns"}  # those of the frame
    assert names(context.merge) == {"other", *headers, *fields(MergeRequest)} - {"context"}
    assert names(evaluations.Evaluations.submit) == fields(EvaluationRequest)


def test_ask_is_an_alias_of_submit() -> None:
    assert evaluations.Evaluations.ask is evaluations.Evaluations.submit


def test_type_of_every_answer_is_checked_and_known() -> None:
    text = (ROOT / "tests/clients/python/answer_types.py").read_text(encoding="utf-8")
    for kind, _ in nonempty(PAIRS):
        for name, method in nonempty(methods(kind)):
            assert f".{name}(" in text, f"{kind.__name__}.{name}"
            assert inspect.signature(method).return_annotation is not Any, name
