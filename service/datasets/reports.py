"""The report of a split, as the beginning of the result of its task; reports add up."""

from dataclasses import dataclass, field

from pydantic import TypeAdapter

from service.datasets.pieces_table import Dataset, place_in
from service.tables.encoding import Finding, Findings

PLACE_LIMIT = 1_000_000
"""Rows up to which the line of a cell is found, by reading the file again."""


@dataclass
class SplitReport:
    """Rows that were read, and cells that are not as the schema has them."""

    rows: list[int] = field(default_factory=list)
    """Of each piece."""
    findings: list[Finding] = field(default_factory=list)
    """With rows counted from the beginning of the split."""

    def with_result(self, result: bytes = b"") -> bytes:
        """Write it before a result."""
        return REPORT.dump_json(self) + b"\n" + result


REPORT = TypeAdapter(SplitReport)


def report_and_result(both: bytes) -> tuple[SplitReport, bytes]:
    """Read the report before a result, and return both."""
    report, _, result = both.partition(b"\n")
    return REPORT.validate_json(report), result


@dataclass
class DatasetReport:
    """The reports of the first splits of a dataset."""

    dataset: Dataset
    rows: list[int] = field(default_factory=list)
    """Of each piece."""
    found: Findings = field(default_factory=Findings)

    def add(self, report: SplitReport) -> None:
        """Add the report of the next split."""
        start = sum(self.rows)
        for one in report.findings:
            key = (one.column, one.what)
            known = self.found.by_kind.get(key, one._replace(cells=0, row=start + one.row))
            self.found.by_kind[key] = known._replace(cells=known.cells + one.cells)
        self.rows += report.rows

    def place(self, row: int) -> str:
        """Say in which file a row is, and where: on which line, if finding it takes no time."""
        return place_in(self.dataset.pieces, self.rows, row, self.dataset.reading, limit=PLACE_LIMIT)
