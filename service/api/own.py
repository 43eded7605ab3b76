"""The caller's own contexts, worked on where the event loop is not held up."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Concatenate, ParamSpec, TypeVar

from fastapi import Depends

from service.api.served import Calling, Kept, Working
from service.api.work import Pool
from service.contexts.contexts import Contexts

Given = ParamSpec("Given")
Result = TypeVar("Result")


@dataclass(frozen=True)
class OwnContexts:
    """The contexts of one caller."""

    contexts: Contexts
    owner: str
    pool: Pool

    async def run(
        self, method: Callable[Concatenate[str, Given], Result], *given: Given.args, **named: Given.kwargs
    ) -> Result:
        """Call a method of the contexts for this owner, in the pool.

        Args:
            method: Of `contexts`; takes the owner first.
            *given: What it takes after that.
            **named: Likewise.
        """
        return await self.pool.run(partial(method, self.owner, *given, **named))


async def _own(contexts: Kept, caller: Calling, pool: Working) -> OwnContexts:
    return OwnContexts(contexts, caller.key_id, pool)


Own = Annotated[OwnContexts, Depends(_own)]
"""The caller's contexts."""
