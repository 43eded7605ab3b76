"""What a caller says of a table."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from service.errors import InvalidInput, Problem
from service.tables.schema import Kind, Task, listed
from service.tables.text import Decimal


class Requested(NamedTuple):
    """What a caller says of a table; everything else is inferred."""

    target: str | None = None
    """None to look at the columns only."""
    columns: tuple[str, ...] | None = None
    """The columns to predict from; all if left out."""
    ignore: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    """Columns that name the rows; they are no features."""
    weight: str | None = None
    kinds: Mapping[str, Kind] = {}
    """By column."""
    task: Task | None = None
    decimal: Decimal | None = None
    keep_constant: bool = False
    """Whether to use columns whose cells are all equal, because later rows may differ."""

    def features(self, columns: Sequence[str]) -> list[str]:
        """Return the columns to look at, in their order.

        Raises:
            InvalidInput: A column that is named does not exist.
        """
        named = [
            *([] if self.target is None else [self.target]),
            *(self.columns or ()),
            *self.ignore,
            *self.keys,
            *self.kinds,
            *([] if self.weight is None else [self.weight]),
        ]
        unknown = [name for name in dict.fromkeys(named) if name not in {*columns}]
        if unknown:
            raise InvalidInput(Problem("", f"There is no column {listed(unknown)}; the table has {listed(columns)}."))
        if self.target is not None and self.target == self.weight:
            raise InvalidInput(Problem("", f"The target and the weight are both {self.target!r}. Name two columns."))
        wanted = columns if self.columns is None else [name for name in columns if name in {*self.columns}]
        return [name for name in wanted if name not in {self.target, self.weight}]

    def as_text(self) -> set[str]:
        """Return the columns that are read as text."""
        text = {name for name, kind in self.kinds.items() if kind == "category"}
        classes = self.task == "classification" or self.kinds.get(self.target or "") == "yes_no"
        return text | {self.target} if classes and self.target is not None else text
