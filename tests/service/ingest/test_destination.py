"""Contexts found or created by name, and observations that they refuse."""

import numpy as np
import pytest

from service.column_names import ColumnNames
from service.contexts.records import ContextRecord
from service.contexts.requests import ContextSpec
from service.contexts.service import ContextService
from service.contexts.tables import TableRows, parsed
from service.errors import UnknownModel
from service.inference.predictor import Observations
from service.ingest.columns import EntryColumns
from service.states.forgetting import AUTO
from service.tables.cells import Table
from service.tables.memory import table_of_records
from service.tables.predicting import infer_schema
from service.tables.requested import Requested
from tests.closeness import assert_close
from tests.service.ingest.conftest import Start
from tests.service.ingest.streams import MemorySource, Row, by_name, counts, counts_of, drain, readings
from tests.service.kept import OWNER

QUERY: list[Row] = [{"temp": 21.0, "humidity": 48.0}, {"temp": 18.0, "humidity": 55.5}]


def table(rows: list[Row], *without: str) -> Table:
    return table_of_records([{name: row[name] for name in row if name not in without} for row in rows], "rows")


def predicted(contexts: ContextService, record: ContextRecord, rows: list[Row] = QUERY) -> np.ndarray:
    found = contexts.predict_rows(OWNER, record.id, table(rows))
    return np.concatenate([part.prediction.prediction for part in found.rows])


def create(contexts: ContextService, name: str, rows: list[Row], **options: object) -> ContextRecord:
    """Create a context of rows of a table by its first rows, whose columns are inferred."""
    found = table(rows, "device")
    schema = infer_schema(found, Requested("power"))
    return contexts.create(OWNER, ContextSpec("linear", schema=schema, name=name, **options), TableRows(found, ""))  # type: ignore[arg-type]


@pytest.mark.parametrize("batch", [1, 7, 100])
def test_predictions_are_those_of_the_same_rows_observed_at_once(
    batch: int, start: Start, contexts: ContextService
) -> None:
    rows = readings(0, 40, devices=1)
    drain(start(MemorySource(rows), batch=batch))
    expected = create(contexts, "expected", rows)
    assert_close(predicted(contexts, by_name(contexts)["d0"]), predicted(contexts, expected), "prediction", rtol=1e-9)


def test_new_contexts_have_the_declared_settings(start: Start, contexts: ContextService) -> None:
    new = ContextSpec("linear", decay=0.9, ttl=77)
    drain(start(MemorySource(readings(0, 9)), new=new))
    record = by_name(contexts)["d1"]
    assert (record.model, record.decay, record.ttl) == ("linear", 0.9, 77)


def test_new_contexts_take_arrays_with_names(start: Start, contexts: ContextService) -> None:
    rows = readings(0, 30, devices=1)
    drain(start(MemorySource(rows)))
    record = by_name(contexts)["d0"]
    swapped = np.array([[row["temp"], row["humidity"]] for row in QUERY], float)
    found, *_ = contexts.predict(OWNER, record.id, swapped, columns=ColumnNames(("temp", "humidity")))
    assert_close(found.prediction, predicted(contexts, record), "prediction", rtol=1e-12)


@pytest.mark.parametrize("name", ["x" * 201, "a" * 1999])
def test_columns_may_have_names_that_arrays_cannot_have(name: str, start: Start, contexts: ContextService) -> None:
    rows = [{**row, name: i % 7} for i, row in enumerate(readings(0, 30, devices=1))]
    assert drain(start(MemorySource(rows))).learnt == 30
    query: list[Row] = [{**row, name: 3} for row in QUERY]
    assert np.isfinite(predicted(contexts, by_name(contexts)["d0"], query)).all()


def test_existing_contexts_keep_their_settings(start: Start, contexts: ContextService) -> None:
    before = create(contexts, "d0", readings(1, 20), decay=AUTO)
    drain(start(MemorySource(readings(0, 10, devices=1))))
    record = by_name(contexts)["d0"]
    assert (record.id, record.decay, record.n_observations, record.version) == (before.id, AUTO, 30, 2)


def test_a_context_of_tables_with_other_columns_reads_them_by_name(start: Start, contexts: ContextService) -> None:
    """The schema of the context has another order of columns, and a further one."""
    rows = [{"z": 1.5 * i, **row} for i, row in enumerate(readings(0, 40, devices=1))]
    existing, expected = (create(contexts, name, rows[:20]) for name in ("d0", "expected"))
    contexts.observe(OWNER, expected.id, TableRows(table(rows[20:], "device"), ""))
    drain(start(MemorySource(rows[20:])))
    query = [{"z": 3.0, **row} for row in QUERY]
    assert_close(predicted(contexts, existing, query), predicted(contexts, expected, query), "prediction", rtol=1e-9)


def test_a_context_of_arrays_reads_columns_by_their_names(start: Start, contexts: ContextService) -> None:
    rows = readings(0, 30, devices=1)
    names = ColumnNames(("temp", "humidity"), ("power",))
    existing = contexts.create(OWNER, ContextSpec("linear", columns=names, name="d0"))
    drain(start(MemorySource(rows)))
    x = np.array([[float(str(row["temp"])), float(str(row["humidity"]))] for row in rows])
    expected = contexts.create(
        OWNER, ContextSpec("linear"), Observations(x, np.array([float(str(row["power"])) for row in rows]))
    )
    query = np.array([[21.0, 48.0]])
    found = [contexts.predict(OWNER, record.id, query)[0].prediction for record in (existing, expected)]
    assert_close(found[0], found[1], "prediction", rtol=1e-9)


def test_a_context_of_arrays_without_names_is_refused(start: Start, contexts: ContextService) -> None:
    x = np.arange(14.0).reshape(7, 2)
    contexts.create(OWNER, ContextSpec("linear", name="d0"), Observations(x, x.sum(1)))
    rows = readings(0, 30)
    progress = drain(start(MemorySource(rows)))
    assert progress.refused == counts_of(rows)["d0"]
    assert counts(contexts) == {**counts_of(rows), "d0": 7}


def test_a_refused_row_leaves_the_others_of_its_batch(start: Start, contexts: ContextService) -> None:
    rows = readings(0, 60, devices=2)
    far = {**rows[0], "temp": "1e12"}
    progress = drain(start(MemorySource([*rows[:50], far, *rows[50:]]), batch=25))
    assert (progress.refused, progress.learnt) == (1, 60)
    assert counts(contexts) == counts_of(rows)


def test_precision_loss_may_be_allowed(start: Start) -> None:
    rows = readings(0, 60, devices=1)
    far = {**rows[0], "temp": "1e12"}
    assert drain(start(MemorySource([*rows, far]), allow_precision_loss=True)).refused == 0


def test_weights_are_those_of_their_column(start: Start, contexts: ContextService) -> None:
    rows = [{**row, "w": 1 + i % 3} for i, row in enumerate(readings(0, 20, devices=1))]
    drain(start(MemorySource(rows), columns=EntryColumns("device", "power", weight="w")))
    repeated = [row for i, row in enumerate(readings(0, 20, devices=1)) for _ in range(1 + i % 3)]
    expected = create(contexts, "expected", repeated)
    assert_close(predicted(contexts, by_name(contexts)["d0"]), predicted(contexts, expected), "prediction", rtol=1e-9)


def test_categories_get_later_levels_in_their_context(start: Start, contexts: ContextService) -> None:
    rows = [{**row, "site": site} for row, site in zip(readings(0, 40, devices=2), "abab" * 10, strict=True)]
    later = [{**row, "site": "later"} for row in readings(1, 10, devices=1)]
    columns = EntryColumns("device", "power", kinds={"site": "category"})
    source = MemorySource([*rows, *later])
    drain(start(source, columns=columns, new=ContextSpec("nonlinear"), batch=40))
    levels = {name: parsed(record.table_schema or "").later for name, record in by_view(contexts).items()}
    assert levels == {"d0": (("site", "later"),), "d1": ()}
    assert counts(contexts) == counts_of([*rows, *later])


def by_view(contexts: ContextService) -> dict[str, ContextRecord]:
    """Contexts with their schemas, which a list leaves out."""
    return {name: contexts.get(OWNER, record.id) for name, record in by_name(contexts).items()}


def test_gaps_are_refused_by_models_that_take_none(start: Start) -> None:
    rows = readings(0, 10, devices=1)
    progress = drain(start(MemorySource([*rows, {**rows[0], "temp": ""}]), new=ContextSpec("gd-1")))
    assert (progress.learnt, progress.refused) == (10, 1)


def test_an_unknown_model_ends_the_run(start: Start) -> None:
    with pytest.raises(UnknownModel):
        drain(start(MemorySource(readings(0, 3)), new=ContextSpec("no such")))
