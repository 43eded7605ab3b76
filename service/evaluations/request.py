"""A request for an evaluation, with limits on its size."""

from collections.abc import Callable, Sized
from typing import TYPE_CHECKING, Annotated, Literal, Self

import numpy as np
from pydantic import BeforeValidator, Field, model_validator

from service import numbers
from service.errors import InvalidInput, Problem
from service.inference.artifact import Record
from service.schemas.fields import validator_of

if TYPE_CHECKING:
    from gdssm.evaluation.evaluate import EvaluationConfig
    from gdssm.evaluation.suites import Suite

SuiteName = Literal["paper", "practical", "tables", "data"]
"""Suites of `gdssm.evaluation`, and `data` for rows of the caller's own."""
SUITE_INPUTS = {"paper": 10, "practical": 10, "tables": 12}
"""Inputs of a suite's widest distribution."""
NUMBERS_LIMIT = 20_000_000
"""In the tasks of one distribution, over all lengths of context: 160 MB."""

ROWS_LIMIT = 100_000
COLUMNS_LIMIT = 512
MODELS_LIMIT = LENGTHS_LIMIT = 20


def _before(check: Callable[[Sized, str], object], rule: str) -> BeforeValidator:
    """Check a list before pydantic, which would report each of a million wrong entries.

    Args:
        check: Takes the list and the prefix of positions in messages; raises InvalidInput.
        rule: See `validator_of`.
    """

    def checked(value: object, name: str) -> object:
        if isinstance(value, (list, np.ndarray)) and len(value):
            check(value, name)
        return value

    return BeforeValidator(validator_of(checked, rule))


def _at_most(entries: int) -> BeforeValidator:
    def check(value: Sized, name: str) -> None:
        if len(value) > entries:
            raise InvalidInput(Problem(name, f"has {len(value)} entries. Send at most {entries}."))

    return _before(check, f"must have at most {entries} entries")


def _check_table(value: Sized, name: str) -> None:
    columns = numbers.matrix(value, name).shape[1]
    if columns > COLUMNS_LIMIT:
        raise InvalidInput(Problem(name, f"has {columns} columns. Send at most {COLUMNS_LIMIT}."))


Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]
Row = Annotated[tuple[Number, ...], Field(min_length=1, max_length=COLUMNS_LIMIT)]
ModelName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]*$", max_length=100)]
Length = Annotated[int, Field(strict=True, ge=1, le=10_000)]


class UploadedTable(Record, use_attribute_docstrings=True):
    """The caller's own rows, from which tasks are drawn as random splits.

    pydantic runs the last of several validators first: the lengths of lists are checked before their entries.
    """

    x: Annotated[
        tuple[Row, ...], _before(_check_table, "must be rows of one width, of finite numbers"), _at_most(ROWS_LIMIT)
    ] = Field(min_length=2, max_length=ROWS_LIMIT, examples=[[[1.0], [2.0], [3.0]]])
    """R rows of D inputs."""
    y: Annotated[tuple[Number, ...], _before(numbers.vector, "must be finite numbers"), _at_most(ROWS_LIMIT)] = Field(
        min_length=2, max_length=ROWS_LIMIT, examples=[[2.0, 4.0, 6.0]]
    )
    """R outputs."""

    @model_validator(mode="after")
    def _rows_fit(self) -> Self:
        if len(self.x) != len(self.y) or len({len(row) for row in self.x}) != 1:
            raise ValueError("x needs rows of one width, and y one number for each of them")
        return self


class EvaluationRequest(Record, use_attribute_docstrings=True):
    """A request; the same request gives the same numbers."""

    suite: SuiteName = "paper"
    """The paper's tasks, practical ones, tables of measurements that ship, or tasks drawn from `data`; `paper` if left
    out."""
    data: UploadedTable | None = None
    """With the suite `data` only."""
    models: Annotated[tuple[ModelName, ...], _at_most(MODELS_LIMIT)] = Field(
        min_length=1, max_length=MODELS_LIMIT, examples=[["linear", "gd-1"]]
    )
    """Names of models; a model that does not fit a distribution is refused there, with the reason."""
    seed: int = Field(0, strict=True, ge=0, le=2**32 - 1)
    """Of all random numbers; 0 if left out."""
    tasks: int = Field(200, strict=True, ge=2, le=5_000)
    """Tasks of each distribution; 200 if left out."""
    queries: int = Field(4, strict=True, ge=1, le=100)
    """Queries of each task; 4 if left out."""
    observations: Length = 10
    """Length of the context at which every metric is measured; 10 if left out."""
    curve: Annotated[tuple[Length, ...], _at_most(LENGTHS_LIMIT)] = Field(
        (1, 2, 5, 10, 20, 50), max_length=LENGTHS_LIMIT
    )
    """Lengths of the context on the learning curve; 1, 2, 5, 10, 20 and 50 if left out."""

    @model_validator(mode="after")
    def _is_bounded(self) -> Self:
        if (self.suite == "data") != (self.data is not None):
            raise ValueError("data belongs to the suite 'data', and only to it")
        inputs = len(self.data.x[0]) if self.data else SUITE_INPUTS[self.suite]
        rows = sum(length + self.queries for length in (self.observations, *self.curve))
        if self.tasks * rows * (inputs + 1) > NUMBERS_LIMIT:
            raise ValueError(f"the tasks hold more than {NUMBERS_LIMIT} numbers; ask for fewer, or shorter ones")
        if self.data and max(self.observations, *self.curve, 0) + self.queries > len(self.data.x):
            raise ValueError(f"a task needs more rows than the {len(self.data.x)} of the table; ask for shorter ones")
        return self

    def plan(self) -> "EvaluationConfig":
        """Return the sizes as `gdssm.evaluation` takes them."""
        from gdssm.evaluation.evaluate import EvaluationConfig  # noqa: PLC0415  (a service starts without the learners)

        return EvaluationConfig(self.seed, self.tasks, self.queries, self.observations, self.curve)

    def distributions(self) -> "Suite":
        """Name the distributions."""
        from gdssm.evaluation.suites import suite  # noqa: PLC0415  (as in `plan`)
        from gdssm.evaluation.tasks.tables import TableSplits  # noqa: PLC0415

        if self.data is None:
            return suite(self.suite)
        return (("data", TableSplits(np.array(self.data.x), np.array(self.data.y)[:, None])),)
