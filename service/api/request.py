"""Parts of a request: its headers, the state of the app, its caller, and the FastAPI dependencies that return them."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Concatenate, ParamSpec, TypeVar

from fastapi import Depends
from starlette.requests import HTTPConnection
from starlette.types import Scope

from service.access.keys import Caller
from service.api.combining import ObservationCombiner
from service.api.executor import Executor
from service.api.state import AppState
from service.contexts.records import Change, ContextRecord
from service.contexts.requests import ObserveRequest
from service.contexts.service import ContextService
from service.contexts.tables import TableRows
from service.errors import Forbidden, NotReady
from service.evaluations.jobs import EvaluationQueue
from service.inference.predictor import Observations, Predictor

Args = ParamSpec("Args")
Result = TypeVar("Result")

HEADERS_KEY = "gdssm.headers"
STATE_KEY = "gdssm.state"
"""Keys of the scope of a request whose headers have been indexed, and whose state has been looked up."""


def headers_of(scope: Scope) -> dict[bytes, bytes]:
    """Return values by lower-case name; of a repeated header the first value, as in Starlette."""
    found: dict[bytes, bytes] | None = scope.get(HEADERS_KEY)
    if found is None:
        found = scope[HEADERS_KEY] = dict(reversed(scope["headers"]))
    return found


def header(scope: Scope, name: bytes) -> str:
    """Return the value of one header as text; empty if it was not sent."""
    return headers_of(scope).get(name, b"").decode("latin-1")


def state_of(scope: Scope) -> AppState:
    """Return the state of the app that handles a request.

    Raises:
        NotReady: The service is still starting.
    """
    state: AppState | None = scope.get(STATE_KEY)
    if state is None:  # a request asks three times; `app.state` takes ten times as long as a dictionary
        try:
            state = scope[STATE_KEY] = scope["app"].state["service"]
        except KeyError:
            raise NotReady("The service is starting. Try again in a moment.") from None
    return state


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

    contexts: ContextService
    combiner: ObservationCombiner

    async def observe(
        self,
        context_id: str,
        new: Observations | TableRows,
        change: Change,
        size: int,
        *,
        allow_precision_loss: bool = False,
    ) -> ContextRecord:
        """Learn observations of `size` numbers, together with others that wait for the context."""
        request = ObserveRequest(self.owner, context_id, new, change, allow_precision_loss)
        record: ContextRecord = await self.combiner.observe(request, size)
        return record


@dataclass(frozen=True)
class CallerEvaluations(CallerResources):
    """The evaluations of one caller."""

    evaluations: EvaluationQueue


def caller_of(request: HTTPConnection) -> Caller:
    """Return the caller, which `api.middleware.access` stored in the scope."""
    caller: Caller = request.scope["state"]["caller"]
    return caller


def contexts_of(request: HTTPConnection) -> CallerContexts:
    """Return the caller's contexts."""
    state = state_of(request.scope)
    return CallerContexts(caller_of(request).key_id, state.executor, state.contexts, state.combiner)


# Coroutine functions, because FastAPI runs other dependencies in a thread.
async def _state(request: HTTPConnection) -> AppState:
    return state_of(request.scope)


async def _predictor(request: HTTPConnection) -> Predictor:
    return state_of(request.scope).predictor


async def _executor(request: HTTPConnection) -> Executor:
    return state_of(request.scope).executor


async def _administrator(request: HTTPConnection) -> Caller:
    caller = caller_of(request)
    if not caller.admin:
        raise Forbidden("This needs a key with admin scope: python -m service keys create NAME --admin")
    return caller


async def _contexts(request: HTTPConnection) -> CallerContexts:
    return contexts_of(request)


async def _evaluations(request: HTTPConnection) -> CallerEvaluations:
    state = state_of(request.scope)
    return CallerEvaluations(caller_of(request).key_id, state.executor, state.evaluations)


StateDep = Annotated[AppState, Depends(_state)]
PredictorDep = Annotated[Predictor, Depends(_predictor)]
ExecutorDep = Annotated[Executor, Depends(_executor)]
AdminDep = Annotated[Caller, Depends(_administrator)]
"""The caller; 403 unless the key has admin scope."""
ContextsDep = Annotated[CallerContexts, Depends(_contexts)]
EvaluationsDep = Annotated[CallerEvaluations, Depends(_evaluations)]
