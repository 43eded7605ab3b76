"""Messages of a live stream, one JSON object each."""

import re
from typing import Annotated

from pydantic import Field
from pydantic.json_schema import SkipJsonSchema

from service.errors import InvalidInput, Problem
from service.numbers import describe
from service.schemas.contexts import ColumnsRequest
from service.schemas.errors import ErrorBody
from service.schemas.fields import IDEMPOTENCY_KEY, Number, NumberOrNumbers, Row, reading
from service.schemas.predictions import DistributionRequest, NoteAnswer
from service.schemas.schema import Schema
from service.schemas.tables import FindingAnswer

ID_LENGTH_LIMIT = 200
ID_NUMBER_LIMIT = 2**53


def message_id(value: object, field: str) -> str | int:
    """Read the id that the sender gave a message.

    Raises:
        InvalidInput: It is neither a short text nor an integer that every JSON parser keeps exact.
    """
    if isinstance(value, str) and len(value) <= ID_LENGTH_LIMIT:
        return value
    if type(value) is int and abs(value) <= ID_NUMBER_LIMIT:
        return value
    rule = f"must be a text of at most {ID_LENGTH_LIMIT} characters, or a whole number of at most {ID_NUMBER_LIMIT}"
    raise InvalidInput(Problem(field, f"{rule}; this is {describe(value)}."))


def message_key(value: object, field: str) -> str:
    """Read the idempotency key of a message.

    Raises:
        InvalidInput: It is not a valid value of the header Idempotency-Key.
    """
    if isinstance(value, str) and re.fullmatch(IDEMPOTENCY_KEY, value):
        return value
    raise InvalidInput(Problem(field, f"must be 1 to 200 printable ASCII characters; this is {describe(value)}."))


class OneObservation(Schema):
    """One pair (x, y)."""

    x: Row
    """D numbers; null where one is missing, for models that take missing cells."""
    y: NumberOrNumbers
    """A number, or K numbers."""
    weight: Number | None = None
    """How much it counts; 1 if left out. −w removes it again."""
    allow_precision_loss: bool = Field(False, strict=True)
    """Whether to learn it even if earlier observations lose their significant digits by it."""


class StreamMessage(DistributionRequest):
    """An observation, a query, or both."""

    id: Annotated[str | int, reading(message_id, str | int)] | None = None
    """Returned with the answer."""
    idempotency_key: Annotated[str, reading(message_key, str)] | None = None
    """1 to 200 printable ASCII characters, different for every observation. A message that is repeated with the same
    key is learnt once, and gets the first answer again."""
    columns: ColumnsRequest | None = None
    """Names of the columns of x and y of the observation and of the query, as for `POST …/observations`."""
    observation: OneObservation | None = None
    """Learnt after the prediction is made."""
    row: dict[str, object] | None = None
    """A row of a table, by column, instead of observation and query: predicted, then learnt if it has a target."""
    query: Row | None = None
    """D numbers, or null: the input to predict for; the x of the observation if left out."""


One = float | None | list[float | None]


class StreamInterval(Schema):
    """The interval of the prediction; null where there is none, after a single observation."""

    lower: One
    upper: One


class StreamAnswer(Schema):
    """The prediction before learning, and the context after it."""

    id: str | int | None
    prediction: float | list[float] | None
    """At the query, else at the x of the observation, before that is learnt; null without observations."""
    error: float | list[float] | None
    """y − the prediction at the x of the observation, before that is learnt."""
    interval: StreamInterval | SkipJsonSchema[None] = None
    """The requested `interval` of the prediction."""
    quantiles: list[One] | SkipJsonSchema[None] = None
    """The requested `quantiles`: for each probability, in the shape of the prediction."""
    notes: list[NoteAnswer] | SkipJsonSchema[None] = None
    """Notes on the prediction; left out if there are none."""
    class_: str | SkipJsonSchema[None] = Field(None, alias="class")
    """The most probable class of a row; left out for numbers."""
    findings: list[FindingAnswer] | SkipJsonSchema[None] = None
    """Cells of a row that are not as the schema has them; left out if there are none."""
    n_observations: int
    version: int


class StreamError(ErrorBody):
    """The one error body, with the id of the message that it answers."""

    id: str | int | None
