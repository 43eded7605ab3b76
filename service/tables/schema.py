"""What becomes of each column of a table: stored with a context, so that later rows are read alike."""

from collections.abc import Collection, Sequence
from functools import cached_property
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, FailFast, Field, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from service.errors import InvalidInput, Problem
from service.tables.text import DATE_FORMATS, Decimal

Kind = Literal["number", "yes_no", "category", "time", "left_out"]
KINDS: tuple[Kind, ...] = ("number", "yes_no", "category", "time", "left_out")
Reason = Literal["", "requested", "empty", "constant", "identifier", "free_text", "key"]
Task = Literal["regression", "classification"]
Part = Literal["elapsed", "time_of_day", "day_of_week", "day_of_year"]

LEVELS_LIMIT = 32
"""Levels of one category; rarer ones are one level, "other"."""
ALL_LEVELS_LIMIT = 256
"""Levels of all categories of a table."""
MISSING_LEVEL = "(missing)"
OTHER_LEVEL = "(other)"

TEXT_LENGTH_LIMIT = 2000
"""Characters of the name of a column, or of a level."""

Text = Annotated[str, Field(max_length=TEXT_LENGTH_LIMIT)]
Texts = Annotated[tuple[Text, ...], FailFast()]
config = ConfigDict(extra="forbid")


@dataclass(frozen=True, config=config)
class ColumnSchema:
    """What becomes of one column."""

    name: Text
    kind: Kind
    reason: Reason = ""
    """Why it is left out."""
    decimal: Decimal = "."
    """The decimal sign of numbers that are text."""
    levels: Texts = ()
    """Of a category, the most frequent first; of a target, its classes in order."""
    other: bool = False
    """Whether further levels are one level."""
    missing: bool = False
    """Whether a missing cell is a level."""
    date_format: Literal["", *DATE_FORMATS] = ""  # type: ignore[valid-type]  # its keys
    """How times that are text are written."""
    start: int = 0
    """The time from which elapsed time is counted, in microseconds since 1970."""
    parts: tuple[Part, ...] = ()
    """Of a time."""

    def columns(self) -> tuple[str, ...]:
        """Name the columns of x that it becomes."""
        if self.kind in {"number", "yes_no"}:
            return (self.name,)
        if self.kind == "category":
            return tuple(f"{self.name}={level}" for level in self.all_levels())
        if self.kind == "time":
            return tuple(f"{self.name}:{name}" for part in self.parts for name in PART_COLUMNS[part])
        return ()

    def all_levels(self) -> tuple[str, ...]:
        """The levels that are columns of x."""
        return (*self.levels, *[OTHER_LEVEL] * self.other, *[MISSING_LEVEL] * self.missing)


PART_COLUMNS: dict[Part, tuple[str, ...]] = {
    "elapsed": ("days",),
    "time_of_day": ("time_of_day_sin", "time_of_day_cos"),
    "day_of_week": ("day_of_week_sin", "day_of_week_cos"),
    "day_of_year": ("day_of_year_sin", "day_of_year_cos"),
}


@dataclass(frozen=True, config=config)
class TableSchema:
    """What becomes of each column of a table: columns of x, and the target y."""

    columns: Annotated[tuple[ColumnSchema, ...], FailFast()]
    """Without the target and the weight."""
    target: ColumnSchema
    """A number, or a category of classes."""
    later: Annotated[tuple[tuple[Text, Text], ...], FailFast()] = ()
    """Columns and levels that appeared after the first observations; they are the last columns of x."""

    @property
    def task(self) -> Task:
        """What a model has to do."""
        return "classification" if self.target.kind == "category" else "regression"

    @property
    def features(self) -> tuple[ColumnSchema, ...]:
        """The columns that are not left out."""
        return tuple(column for column in self.columns if column.kind != "left_out")

    @cached_property
    def x_columns(self) -> tuple[str, ...]:
        """Names of the columns of x (D)."""
        own = [name for column in self.features for name in column.columns()]
        return (*own, *(f"{name}={level}" for name, level in self.later))

    @cached_property
    def levels(self) -> tuple[int, ...]:
        """Which columns of x are levels of categories."""
        kinds = [column.kind for column in self.features for _ in column.columns()] + ["category"] * len(self.later)
        return tuple(place for place, kind in enumerate(kinds) if kind == "category")

    @property
    def feature_names(self) -> tuple[str, ...]:
        """Names of the columns that are not left out."""
        return tuple(column.name for column in self.features)

    @property
    def text_columns(self) -> set[str]:
        """The columns that are read as text: categories and classes."""
        return {column.name for column in (*self.features, self.target) if column.kind == "category"}

    def levels_for(self, column_kinds: Collection[str]) -> tuple[int, ...]:
        """Return the levels for a model with these kinds of columns; one that does not know levels has numbers."""
        return self.levels if "level" in column_kinds else ()

    @property
    def classes(self) -> tuple[str, ...]:
        """The classes of a classification; empty for numbers."""
        return self.target.levels

    def as_json(self) -> dict[str, Any]:
        """Return it as values of JSON, without fields that have their default."""
        found: dict[str, Any] = SCHEMA.dump_python(self, mode="json", exclude_defaults=True)
        return found

    def check(self, name: str = "schema") -> None:
        """See that a schema from elsewhere is one.

        Raises:
            InvalidInput: A column is there twice, or what it says is impossible.
        """
        names = [column.name for column in (*self.columns, self.target)]
        if len({*names}) < len(names):
            raise InvalidInput(Problem(name, "has two columns of one name."))
        if not self.features:
            raise InvalidInput(Problem(name, "has no column to predict from."))
        categories = {column.name: column for column in self.features if column.kind == "category"}
        if any(column not in categories or level in categories[column].levels for column, level in self.later):
            raise InvalidInput(
                Problem(f"{name}.later", "has levels of columns that are no categories, or that are there.")
            )
        for column in (*self.columns, self.target):
            if len({*column.levels}) < len(column.levels):
                raise InvalidInput(Problem(name, f"has a level of column {column.name!r} twice."))
            if column.kind == "time" and not column.parts:
                raise InvalidInput(Problem(name, f"has no parts for the time {column.name!r}."))
        if self.target.kind not in {"number", "category"} or len(self.x_columns) > 10 * ALL_LEVELS_LIMIT:
            raise InvalidInput(Problem(name, "has a target that is neither a number nor classes, or too many columns."))


SCHEMA = TypeAdapter(TableSchema)


def schema_from(value: object, name: str = "schema") -> TableSchema:
    """Read a schema that `TableSchema.as_json` made.

    Raises:
        InvalidInput: It is none.
    """
    try:
        found = SCHEMA.validate_python(value)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, (name, *first["loc"])))
        raise InvalidInput(Problem(where[:200], f"{first['msg']}.")) from None
    found.check(name)
    return found


WORDS_OF_KIND: dict[Kind, str] = {
    "number": "numbers",
    "yes_no": "yes or no",
    "category": "a category",
    "time": "times",
    "left_out": "nothing",
}


def listed(names: Sequence[str], limit: int = 20) -> str:
    """Join names for a message."""
    more = f" and {len(names) - limit} more" if len(names) > limit else ""
    return ", ".join(map(repr, names[:limit])) + more
