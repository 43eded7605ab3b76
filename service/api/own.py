"""What is the caller's own, worked on where the event loop is not held up."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Concatenate, ParamSpec, TypeVar

from fastapi import Depends
from starlette.requests import HTTPConnection

from service.api.executor import Executor
from service.api.served import LookUp, caller_of, parts_of
from service.contexts.contexts import Contexts
from service.errors import NotReady
from service.evaluations.jobs import Evaluations

Given = ParamSpec("Given")
Result = TypeVar("Result")


@dataclass(frozen=True)
class Owned:
    """What belongs to one caller."""

    owner: str
    pool: Executor

    async def run(
        self, method: Callable[Concatenate[str, Given], Result], *given: Given.args, **named: Given.kwargs
    ) -> Result:
        """Call a method for this owner, in the pool.

        Args:
            method: Takes the owner first.
            *given: What it takes after that.
            **named: Likewise.
        """
        return await self.pool.run(partial(method, self.owner, *given, **named))

    async def change(
        self, method: Callable[Concatenate[str, Given], Result], *given: Given.args, **named: Given.kwargs
    ) -> Result:
        """Do what `run` does with a method that changes the database."""
        return await self.pool.run(partial(method, self.owner, *given, **named), writes=True)


@dataclass(frozen=True)
class OwnContexts(Owned):
    """The contexts of one caller."""

    contexts: Contexts


@dataclass(frozen=True)
class OwnEvaluations(Owned):
    """The evaluations of one caller."""

    evaluations: Evaluations


def _contexts(request: HTTPConnection) -> OwnContexts:
    parts = parts_of(request)
    return OwnContexts(caller_of(request).key_id, parts.pool, _open(parts.contexts))


def _evaluations(request: HTTPConnection) -> OwnEvaluations:
    parts = parts_of(request)
    return OwnEvaluations(caller_of(request).key_id, parts.pool, _open(parts.evaluations))


def _open(part: Result | None) -> Result:
    if part is None:
        raise NotReady("The database is not open yet. Try again in a moment.")
    return part


ContextsDep = Annotated[OwnContexts, Depends(LookUp(_contexts))]
"""The caller's contexts."""
EvaluationsDep = Annotated[OwnEvaluations, Depends(LookUp(_evaluations))]
"""The caller's evaluations."""
