"""What is the caller's own, worked on where the event loop is not held up."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Concatenate, ParamSpec, TypeVar

from fastapi import Depends

from service.api.served import Calling, Evaluating, Kept, Working
from service.api.work import Pool
from service.contexts.contexts import Contexts
from service.evaluations.jobs import Evaluations

Given = ParamSpec("Given")
Result = TypeVar("Result")


@dataclass(frozen=True)
class Owned:
    """What belongs to one caller."""

    owner: str
    pool: Pool

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


@dataclass(frozen=True)
class OwnContexts(Owned):
    """The contexts of one caller."""

    contexts: Contexts


@dataclass(frozen=True)
class OwnEvaluations(Owned):
    """The evaluations of one caller."""

    evaluations: Evaluations


async def _contexts(contexts: Kept, caller: Calling, pool: Working) -> OwnContexts:
    return OwnContexts(caller.key_id, pool, contexts)


async def _evaluations(evaluations: Evaluating, caller: Calling, pool: Working) -> OwnEvaluations:
    return OwnEvaluations(caller.key_id, pool, evaluations)


Own = Annotated[OwnContexts, Depends(_contexts)]
"""The caller's contexts."""
Asked = Annotated[OwnEvaluations, Depends(_evaluations)]
"""The caller's evaluations."""
