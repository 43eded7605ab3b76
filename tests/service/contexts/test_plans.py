"""The statements of contexts find their rows by an index, in its order: no scan of the table, no temporary sort."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import event, insert, select

from service.contexts.records import Change
from service.contexts.requests import ContextSpec
from service.contexts.service import ContextService
from service.store.database import Database
from service.store.tables import CONTEXT_LABELS, CONTEXTS, IDEMPOTENCY_KEYS
from tests.nonempty import nonempty
from tests.service.kept import OWNER, Clock, draw

ROWS = 20_000
"""So many that PostgreSQL prefers an index."""
LISTS: dict[str, dict[str, Any]] = {
    "first page": {},
    "later page": {"after": "f" * 32},
    "label": {"labels": [("site", "s1")]},
    "labels": {"labels": [("site", "s1"), ("kind", "k2")]},
    "later page of labels": {"labels": [("site", "s1"), ("kind", "k2")], "after": "0" * 32},
}


@pytest.fixture
def filled(contexts: ContextService, database: Database) -> ContextService:
    """Many contexts of one owner, each with two labels."""
    record = contexts.create(OWNER, ContextSpec(ttl=10**6), draw(1))
    with database.transaction() as connection:
        row = dict(zip(CONTEXTS.c.keys(), connection.execute(select(CONTEXTS)).one(), strict=True))
        ids = [f"{number:032x}" for number in range(ROWS)]
        rows = [{**row, "id": name, "name": f"n{name}", "expires": row["expires"] + i} for i, name in enumerate(ids)]
        connection.execute(insert(CONTEXTS), rows)
        labels = [(f"site:s{i % 3}", f"kind:k{i % 7}") for i in range(ROWS)]
        connection.execute(
            insert(CONTEXT_LABELS),
            [{"owner": OWNER, "context_id": name, "label": text} for i, name in enumerate(ids) for text in labels[i]],
        )
        key = {"owner": OWNER, "fingerprint": "", "answer": "null", "expires": 0.0}
        connection.execute(insert(IDEMPOTENCY_KEYS), [{**key, "idempotency_key": name} for name in ids])
    assert contexts.get(OWNER, record.id).id == record.id
    if not database.shown.startswith("sqlite"):
        with database.transaction() as connection:
            connection.exec_driver_sql("ANALYZE")
    return contexts


def plans_of(database: Database, call: Callable[[], object]) -> dict[str, str]:
    """Run a call; returns the plans of its statements."""
    statements: list[tuple[str, Any]] = []

    def note(*arguments: Any) -> None:  # noqa: ANN401  (of SQLAlchemy)
        statements.append((arguments[2], arguments[3]))

    event.listen(database._engine, "before_cursor_execute", note)
    try:
        call()
    finally:
        event.remove(database._engine, "before_cursor_execute", note)
    explain = "EXPLAIN QUERY PLAN " if database.shown.startswith("sqlite") else "EXPLAIN "
    plans = {}
    for statement, parameters in nonempty(statements):
        if statement.split()[0] in {"SELECT", "INSERT", "UPDATE", "DELETE"}:
            first = parameters[0] if isinstance(parameters, list) else parameters
            with database.reading() as connection:
                rows = connection.exec_driver_sql(explain + statement, first).all()
                plans[statement] = "\n".join(str(row[-1]) for row in rows)
    return plans


def check(plans: dict[str, str]) -> None:
    """Look for scans and sorts."""
    for statement, plan in nonempty(plans.items()):
        words = ("TEMP B-TREE", "SCAN contexts", "SCAN receipts", "Seq Scan on contexts", "Seq Scan on receipts")
        assert [word for word in words if word in plan] == [], f"{statement}\n{plan}"
        if "ORDER BY" in statement:
            assert "Sort" not in plan, f"{statement}\n{plan}"


@pytest.mark.slow
@pytest.mark.parametrize("name", LISTS)
def test_a_list_is_read_in_the_order_of_an_index(filled: ContextService, database: Database, name: str) -> None:
    arguments = LISTS[name]
    check(plans_of(database, lambda: filled.list(OWNER, 10, **arguments)))


@pytest.mark.slow
def test_the_parts_of_a_list_that_have_expired_are_passed_in_the_index(
    filled: ContextService, database: Database
) -> None:
    plans = plans_of(database, lambda: filled.list(OWNER, 10))
    assert "ix_contexts_owner_id_expires" in "".join(plans.values()), plans


@pytest.mark.slow
def test_further_labels_are_looked_up_for_each_row_of_the_first(filled: ContextService, database: Database) -> None:
    # Also in a prepared plan, which is made without knowing which label is rare.
    plans = plans_of(database, lambda: filled.list(OWNER, 10, labels=[("site", "s1"), ("kind", "k2")]))
    assert "SubPlan" in (plan := "".join(plans.values())) or "CORRELATED SCALAR SUBQUERY" in plan, plan


CALLS: dict[str, Callable[[ContextService, str], object]] = {
    "create": lambda contexts, _: contexts.create(OWNER, ContextSpec(name="a", labels={"a": "b"}), change=Change("k")),
    "observe": lambda contexts, found: contexts.observe(OWNER, found, draw(2), Change("k")),
    "predict": lambda contexts, found: contexts.predict(OWNER, found, draw(2).x),
    "find by name": lambda contexts, _: contexts.get_named(OWNER, f"n{77:032x}"),
    "delete": lambda contexts, found: contexts.delete(OWNER, found),
    "sweep": lambda contexts, _: contexts.sweep(),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", CALLS)
def test_a_call_finds_its_rows_by_an_index(filled: ContextService, database: Database, clock: Clock, name: str) -> None:
    found = f"{9:032x}"
    clock.now += 10**6 + 5 if name == "sweep" else 0
    check(plans_of(database, lambda: CALLS[name](filled, found)))
