"""The use of the fields of entries: one names the context, one is the target, the others are features."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from service.errors import InvalidInput, Problem
from service.ingest.encoding import has_columns, readable
from service.ingest.source import LogEntry
from service.tables.inferring import decide
from service.tables.memory import table_of_records
from service.tables.requested import Requested
from service.tables.schema import TEXT_LENGTH_LIMIT, ColumnSchema, Kind, TableSchema, Task, listed
from service.tables.summary import summarize
from service.tables.text import Decimal


@dataclass(frozen=True)
class EntryColumns:
    """The fields of entries, as a caller names them."""

    by: str
    """Its value is the name of the context."""
    target: str
    features: tuple[str, ...] | None = None
    """If None all other fields of most of the first readable entries, in alphabetical order."""
    ignore: tuple[str, ...] = ()
    weight: str | None = None
    kinds: Mapping[str, Kind] = field(default_factory=dict)
    """Of features; numbers if left out."""
    task: Task = "regression"
    decimal: Decimal = "."

    def __post_init__(self) -> None:
        """Check the names.

        Raises:
            InvalidInput: A field has two uses, a name is too long, or a kind is of no feature.
        """
        used = [self.by, self.target, *([self.weight] if self.weight else []), *(self.features or ())]
        twice = [name for name in dict.fromkeys(used) if used.count(name) > 1]
        if twice:
            raise InvalidInput(Problem("columns", f"have two uses: {listed(twice)}. Give each field one."))
        long = [name[:40] for name in used if len(name) > TEXT_LENGTH_LIMIT]
        if long:
            raise InvalidInput(Problem("columns", f"have names over {TEXT_LENGTH_LIMIT} characters: {listed(long)}."))
        if self.features is not None:
            self._check_kinds(self.features)

    @property
    def required(self) -> tuple[str, ...]:
        """The fields that every entry has, in addition to features."""
        return (self.by, self.target, *([self.weight] if self.weight else []))

    def schema(self, entries: Sequence[LogEntry]) -> TableSchema | None:
        """Make the schema of rows: features are numbers unless declared; None where no entry has the required fields.

        Args:
            entries: The first ones: levels of categories, classes and formats of times come from them.

        Raises:
            InvalidInput: A declared column is not as declared, or there is no feature.
        """
        rows = [entry.fields for entry in entries if not entry.problem and has_columns(entry, self.required)]
        if not rows:
            return None
        found = self._features(rows)
        numbers = tuple(ColumnSchema(name, "number", decimal=self.decimal) for name in found)
        target = ColumnSchema(self.target, "number", decimal=self.decimal)
        plain = TableSchema(numbers, target)
        if self.task == "regression" and all(self.kinds.get(name, "number") == "number" for name in found):
            return plain
        return self._declared(plain, rows)

    def check(self, schema: TableSchema) -> None:
        """See that a schema that was made before is for the same columns.

        Raises:
            InvalidInput: It is not.
        """
        names = [column.name for column in schema.columns]
        same = schema.target.name == self.target and schema.task == self.task
        if not same or (self.features is not None and names != [*self.features]):
            text = (
                f"has read the features {listed(names)} and the target {schema.target.name!r} ({schema.task}) so far. "
                "Name these columns, or another consumer."
            )
            raise InvalidInput(Problem("--consumer", text))

    def _features(self, rows: Sequence[Mapping[str, object]]) -> tuple[str, ...]:
        """Return the features: as named, or the fields of most rows, because a single one may be odd."""
        (fields, _), *_ = Counter(map(frozenset, rows)).most_common(1)
        others = fields - {*self.required, *self.ignore}
        found = self.features or tuple(sorted(name for name in others if len(name) <= TEXT_LENGTH_LIMIT))
        if not found:
            raise InvalidInput(Problem("--features", "are missing: entries have no field besides the target. Add one."))
        self._check_kinds(found)
        return found

    def _check_kinds(self, features: Collection[str]) -> None:
        unknown = [name for name in self.kinds if name not in features]
        if unknown:
            raise InvalidInput(Problem("--kind", f"is for {listed(unknown)}, which is no feature. Name a feature."))

    def _declared(self, plain: TableSchema, rows: Sequence[Mapping[str, object]]) -> TableSchema | None:
        """Decide the columns that are no numbers by the first rows."""
        names, kinds = plain.feature_names, {name: self.kinds.get(name, "number") for name in plain.feature_names}
        numbers = [column for column in plain.columns if kinds[column.name] == "number"]
        if self.task == "regression":
            numbers.append(plain.target)
        rows = [row for row in rows if readable(row, numbers)]
        if not rows:
            return None
        table = table_of_records([{name: row.get(name) for name in (*names, self.target)} for row in rows], "entries")
        requested = Requested(self.target, names, kinds=kinds, task=self.task, decimal=self.decimal, keep_constant=True)
        summaries = summarize(table, [*names, self.target], requested.as_text(), known=self.target)
        found = decide(summaries, requested, table.place)
        by_name = {column.name: column for column in found.columns}
        empty = [name for name in names if kinds[name] != "number" and by_name[name].reason == "empty"]
        if empty:
            text = (
                f"is declared for {listed(empty)}, which no readable entry has so far. Begin with entries that have it."
            )
            raise InvalidInput(Problem("--kind", text))
        columns = tuple(one if kinds[one.name] == "number" else by_name[one.name] for one in plain.columns)
        return TableSchema(columns, found.target)
