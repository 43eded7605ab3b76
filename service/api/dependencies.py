"""Parameters of endpoints that FastAPI resolves: parts of the running service, and the caller's resources."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Concatenate, ParamSpec, TypeVar

from fastapi import Depends
from starlette.requests import HTTPConnection

from service.access.keys import Caller
from service.api.executor import Executor
from service.api.state import AppState, state_of
from service.contexts.service import Contexts
from service.errors import Forbidden
from service.evaluations.jobs import EvaluationQueue
from service.inference.predictor import Predictor

Args = ParamSpec("Args")
Result = TypeVar("Result")


@dataclass(frozen=True)
class CallerResources:
    """Runs methods that take an owner first, for one caller, in the executor."""

    owner: str
    executor: Executor

    async def run(
        self, method: Callable[Concatenate[str, Args], Result], *args: Args.args, **kwargs: Args.kwargs
    ) -> Result:
        """Call a method that reads."""
        return await self.executor.run(partial(method, self.owner, *args, **kwargs))

    async def change(
        self, method: Callable[Concatenate[str, Args], Result], *args: Args.args, **kwargs: Args.kwargs
    ) -> Result:
        """Call a method that changes the database."""
        return await self.executor.run(partial(method, self.owner, *args, **kwargs), writes=True)


@dataclass(frozen=True)
class CallerContexts(CallerResources):
    """The contexts of one caller."""

    contexts: Contexts


@dataclass(frozen=True)
class CallerEvaluations(CallerResources):
    """The evaluations of one caller."""

    evaluations: EvaluationQueue


def caller_of(request: HTTPConnection) -> Caller:
    """Return the caller, which `api.middleware.authentication` stored in the scope."""
    caller: Caller = request.scope["state"]["caller"]
    return caller


def contexts_of(request: HTTPConnection) -> CallerContexts:
    """Return the caller's contexts."""
    state = state_of(request)
    return CallerContexts(caller_of(request).key_id, state.executor, state.contexts)


# Coroutine functions, because FastAPI runs other dependencies in a thread.
async def _state(request: HTTPConnection) -> AppState:
    return state_of(request)


async def _predictor(request: HTTPConnection) -> Predictor:
    return state_of(request).predictor


async def _executor(request: HTTPConnection) -> Executor:
    return state_of(request).executor


async def _administrator(request: HTTPConnection) -> Caller:
    caller = caller_of(request)
    if not caller.admin:
        raise Forbidden("This needs a key with admin scope: python -m service keys create NAME --admin")
    return caller


async def _contexts(request: HTTPConnection) -> CallerContexts:
    return contexts_of(request)


async def _evaluations(request: HTTPConnection) -> CallerEvaluations:
    state = state_of(request)
    return CallerEvaluations(caller_of(request).key_id, state.executor, state.evaluations)


StateDep = Annotated[AppState, Depends(_state)]
PredictorDep = Annotated[Predictor, Depends(_predictor)]
ExecutorDep = Annotated[Executor, Depends(_executor)]
AdminDep = Annotated[Caller, Depends(_administrator)]
"""The caller; 403 unless the key has admin scope."""
ContextsDep = Annotated[CallerContexts, Depends(_contexts)]
EvaluationsDep = Annotated[CallerEvaluations, Depends(_evaluations)]
