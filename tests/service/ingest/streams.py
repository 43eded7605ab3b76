"""Entries in memory, and the contexts that have learnt them."""

from collections.abc import Iterable, Mapping, Sequence
from threading import Event

import numpy as np

from service.contexts.records import ContextRecord
from service.contexts.service import ContextService
from service.ingest.columns import EntryColumns
from service.ingest.ingester import Ingester, Progress
from service.ingest.source import LogEntry
from tests.service.kept import OWNER

COLUMNS = EntryColumns("device", "power")
Row = dict[str, object]


class MemorySource:
    """Rows of a list; positions are their numbers from 1."""

    def __init__(self, rows: Iterable[Mapping[str, object] | LogEntry] = (), name: str = "readings") -> None:
        self.name = name
        self.entries = list[LogEntry]()
        self.add(*rows)

    def add(self, *rows: Mapping[str, object] | LogEntry) -> None:
        for row in rows:
            position = str(len(self.entries) + 1)
            self.entries.append(row if isinstance(row, LogEntry) else LogEntry(position, row))

    def read(self, after: str | None, count: int) -> list[LogEntry]:
        start = int(after or 0)
        return self.entries[start : start + count]

    def end(self) -> str | None:
        return str(len(self.entries)) if self.entries else None

    def close(self) -> None:
        return


def readings(seed: int, rows: int, devices: int = 3) -> list[Row]:
    """Rows of some devices, as texts."""
    generator = np.random.default_rng(seed)
    temperature, humidity = generator.normal(20, 3, rows), generator.normal(50, 5, rows)
    power = 2 * temperature - humidity + generator.normal(0, 0.1, rows)
    names = [f"d{i}" for i in generator.integers(devices, size=rows)]
    values = zip(names, temperature.tolist(), humidity.tolist(), power.tolist(), strict=True)
    return [{"device": d, "temp": repr(t), "humidity": repr(h), "power": repr(p)} for d, t, h, p in values]


def drain(ingester: Ingester) -> Progress:
    """Read to the end."""
    return ingester.run(Event(), stop_at_end=True)


def by_name(contexts: ContextService) -> dict[str, ContextRecord]:
    """All contexts, by their names."""
    return {str(record.name): record for record in contexts.list(OWNER, 1000).contexts}


def counts(contexts: ContextService) -> dict[str, int]:
    """The rows that each context has learnt, by its name."""
    return {name: record.n_observations for name, record in by_name(contexts).items()}


def counts_of(rows: Sequence[Mapping[str, object]]) -> dict[str, int]:
    """The rows of each device."""
    names = [str(row["device"]) for row in rows]
    return {name: names.count(name) for name in names}
