"""The parameters of a request: those of the model, and those of other servers of the protocol."""

from collections.abc import Iterator

from service import numbers
from service.api.routes.v2.schemas import InferRequest
from service.errors import InvalidInput, Problem
from service.inference.artifact import Manifest
from service.levels import Levels

INTERVAL = "interval"
LEVELS = "levels"
UNSUPPORTED = {
    "sequence_": "is of a sequence, which is not supported: a request stores nothing. Send next.* of the response as "
    "state.* of the next request, or use /v1/contexts.",
    "shared_memory_": "is of shared memory, which is not supported. Send the tensors in the body.",
}
"""By the beginning of their names: parameters that change the meaning of a request, and so cannot be ignored."""


def numbers_for(request: InferRequest, manifest: Manifest) -> dict[str, float]:
    """Read the parameters of the model; their ranges are checked later.

    Raises:
        InvalidInput: A parameter is unknown, not supported, or not a number.
    """
    sent = {name: value for name, value in request.extra_parameters.items() if name != LEVELS}
    known = [parameter.name for parameter in manifest.parameters] + ([INTERVAL] if manifest.gives_scale else [])
    problems = [*_unknown(sent.keys() - {*known, INTERVAL}, known, manifest)]
    found: dict[str, float] = {}
    for name in sent.keys() & {*known, INTERVAL}:
        try:
            found[name] = numbers.number(sent[name], f"parameters.{name}")
        except InvalidInput as error:
            problems += error.problems
    if problems:
        raise InvalidInput(*problems)
    return found


def levels_of(request: InferRequest) -> Levels:
    """Read the columns of x that are levels of categories.

    Raises:
        InvalidInput: They are not a list of numbers of columns.
    """
    sent = request.extra_parameters.get(LEVELS, [])
    if not isinstance(sent, list) or not all(type(column) is int for column in sent):
        text = f"must be a list of the numbers of columns, from 0; this is {numbers.describe(sent)}."
        raise InvalidInput(Problem(f"parameters.{LEVELS}", text))
    return tuple(sent)


def _unknown(names: set[str], known: list[str], manifest: Manifest) -> Iterator[Problem]:
    takes = f"it takes {', '.join(known)}" if known else "it takes none"
    for name in sorted(names):
        reason = next((why for start, why in UNSUPPORTED.items() if name.startswith(start)), None)
        yield Problem(
            f"parameters.{name[:60]}", reason or f"is not a parameter of model {manifest.name}; {takes}. Leave it out."
        )
