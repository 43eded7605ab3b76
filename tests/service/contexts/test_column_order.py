"""Columns that come with names are found by them, however the context was made or found again."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from alembic import command
from pydantic import ValidationError
from sqlalchemy import select

from service.column_names import COLUMN_NAME_LENGTH_LIMIT, NAMES_SIZE_LIMIT, NO_NAMES, ColumnNames, read_names
from service.contexts import serialization
from service.contexts.records import Change
from service.contexts.requests import ANY_CONTEXT, ContextSpec
from service.contexts.service import ContextService
from service.errors import Conflict, InvalidInput
from service.inference.predictor import Observations
from service.lru_cache import LruCache
from service.registry.repository import Repository
from service.store.database import Database
from service.store.migrate import configuration
from service.store.tables import CONTEXTS
from tests.closeness import assert_close
from tests.service.kept import OTHER_OWNER, OWNER, Clock, draw, keep, part, step_of
from tests.service.states.test_context_state import manifest

X, Y = tuple("abcde"), tuple("uvw")
NAMES = ColumnNames(X, Y)
TURNED, Y_TURNED = [4, 2, 0, 1, 3], [2, 0, 1]
QUERY = draw(9).x


def turned(context: Observations) -> Observations:
    """The same observations, their columns in another order."""
    names = ColumnNames(tuple(X[i] for i in TURNED), tuple(Y[i] for i in Y_TURNED))
    return Observations(context.x[:, TURNED], context.y[:, Y_TURNED], context.weight, columns=names)


def ask(contexts: ContextService, owner: str, name: str) -> np.ndarray:
    prediction = contexts.predict(owner, name, QUERY[:, TURNED], columns=turned(draw(1)).columns)[0].prediction
    assert_close(contexts.predict(owner, name, QUERY)[0].prediction, prediction, "prediction", rtol=1e-12)
    return prediction


def found_again(contexts: ContextService, name: str) -> str:
    """As another process finds it."""
    contexts.repository._cache = LruCache()
    return name


MADE: dict[str, Callable[[ContextService, str], str]] = {
    "the same": lambda _, name: name,
    "found by another process": found_again,
    "exported and imported": lambda contexts, name: contexts.load(OWNER, contexts.export(OWNER, name)[0]).id,
    "merged into an empty one": lambda contexts, name: contexts.merge(OWNER, contexts.create(OWNER).id, name).id,
}


@pytest.mark.parametrize("again", MADE.values(), ids=MADE)
@pytest.mark.parametrize("named", ["when it was made", "by its first observations", "by later observations"])
def test_columns_in_another_order_are_found_by_their_names(
    contexts: ContextService, again: Callable[[ContextService, str], str], named: str
) -> None:
    if named == "when it was made":
        record = contexts.create(OWNER, ContextSpec(columns=NAMES), draw(1))
    elif named == "by its first observations":
        record = contexts.create(OWNER, ANY_CONTEXT, draw(1)._replace(columns=NAMES))
    else:
        record = contexts.create(OWNER, ANY_CONTEXT, part(draw(1), slice(3)))
        record = contexts.observe(OWNER, record.id, part(draw(1), slice(3, None))._replace(columns=NAMES))
    assert record.columns == NAMES
    name = again(contexts, record.id)
    assert contexts.get(OWNER, name).columns == NAMES
    after = contexts.observe(OWNER, name, turned(draw(2)))
    assert (after.columns, contexts.get(OWNER, name).columns) == (NAMES, NAMES)
    plain = contexts.create(OTHER_OWNER, ANY_CONTEXT, draw(1))
    contexts.observe(OTHER_OWNER, plain.id, draw(2))
    expected = contexts.predict(OTHER_OWNER, plain.id, QUERY)[0].prediction
    assert_close(ask(contexts, OWNER, name), expected, "prediction", rtol=1e-9)


def test_a_step_finds_its_columns_by_name(contexts: ContextService) -> None:
    named, plain = (
        contexts.create(OWNER, ContextSpec(columns=NAMES), draw(1)),
        contexts.create(OWNER, ANY_CONTEXT, draw(1)),
    )
    new, query = Observations(draw(2).x[:1], draw(2).y[:1]), QUERY[:1]
    expected = step_of(contexts, OWNER, plain.id, new, query)
    found = step_of(contexts, OWNER, named.id, turned(new), query[:, TURNED])
    assert found.prediction is not None
    assert expected.prediction is not None
    assert_close(found.prediction.prediction, expected.prediction.prediction, "prediction", rtol=1e-12)
    assert found.error is not None
    assert expected.error is not None
    assert_close(found.error, expected.error, "error", rtol=1e-12)
    alone = step_of(contexts, OWNER, named.id, None, query[:, TURNED], columns=turned(new).columns)
    expected = step_of(contexts, OWNER, plain.id, None, query)
    assert alone.prediction is not None
    assert expected.prediction is not None
    assert_close(alone.prediction.prediction, expected.prediction.prediction, "prediction", rtol=1e-12)


WRONG: list[tuple[ColumnNames, str]] = [
    (
        ColumnNames(("a", "b", "c", "d", "f")),
        r"^columns.x: has no 'e' and has 'f' in addition; the columns .* 'a', 'b'",
    ),
    (ColumnNames(tuple("abcdef")), r"^columns.x: has 6 names; there are 5 columns"),
    (ColumnNames(tuple("abcd")), r"^columns.x: has 4 names; there are 5 columns"),
    (ColumnNames(None, ("u", "v", "x")), r"^columns.y: has no 'w' and has 'x' in addition"),
    (ColumnNames(X, ("u",)), r"^columns.y: has 1 names; there are 3 columns"),
]


@pytest.mark.parametrize(("names", "message"), WRONG)
def test_other_columns_are_refused_by_name(contexts: ContextService, names: ColumnNames, message: str) -> None:
    record = contexts.create(OWNER, ContextSpec(columns=NAMES), draw(1))
    with pytest.raises(InvalidInput, match=message):
        contexts.observe(OWNER, record.id, draw(2)._replace(columns=names))
    with pytest.raises(InvalidInput, match=message):
        step_of(contexts, OWNER, record.id, Observations(draw(2).x[:1], draw(2).y[:1], columns=names), None)
    if names.x is not None and names.x != X:
        with pytest.raises(InvalidInput, match=message):
            contexts.predict(OWNER, record.id, QUERY, columns=names)
    assert contexts.get(OWNER, record.id) == record


def test_a_missing_and_an_additional_column_are_named_before_their_number(contexts: ContextService) -> None:
    record = contexts.create(OWNER, ContextSpec(columns=NAMES), draw(1))
    for inputs, names, message in ((4, "abce", "has no 'd'"), (6, "abcdef", "has 'f' in addition")):
        columns = ColumnNames(tuple(names))
        with pytest.raises(InvalidInput, match=message):
            contexts.observe(OWNER, record.id, draw(2, inputs=inputs)._replace(columns=columns))
        with pytest.raises(InvalidInput, match=message):
            contexts.predict(OWNER, record.id, draw(9, inputs=inputs).x, columns=columns)


def test_an_empty_context_with_names_takes_no_other_number_of_columns(contexts: ContextService) -> None:
    record = contexts.create(OWNER, ContextSpec(columns=NAMES))
    assert (record.inputs, record.outputs) == (5, 3)
    with pytest.raises(InvalidInput, match=r"^x: has 4 columns; this context takes 5. Send 5.$"):
        contexts.observe(OWNER, record.id, draw(1, inputs=4))
    with pytest.raises(InvalidInput, match=r"^y: has 2 columns; this context takes 3. Send 3.$"):
        contexts.observe(OWNER, record.id, draw(1, outputs=2))
    for names in (ColumnNames(("a",)), ColumnNames(None, ("u", "v"))):
        with pytest.raises(InvalidInput, match=r"^columns.[xy]: has . names; this context is for 10? columns"):
            contexts.create(OWNER, ContextSpec("linear-trained", columns=names))
    with pytest.raises(InvalidInput, match="at most 30"):
        contexts.create(OWNER, ContextSpec(columns=ColumnNames(tuple(map(str, range(31))))))


def test_only_contexts_of_the_same_columns_are_merged(contexts: ContextService) -> None:
    named = contexts.create(OWNER, ContextSpec(columns=NAMES), draw(1))
    plain = contexts.create(OWNER, ANY_CONTEXT, draw(2))
    for other in (turned(draw(2)).columns, ColumnNames(("a", "b", "c", "d", "f")), ColumnNames(None, ("u", "v", "x"))):
        there = contexts.create(OWNER, ContextSpec(columns=other or NO_NAMES), draw(2))
        for first, second in ((named, there), (there, named)):
            with pytest.raises(InvalidInput, match=r"^context: does not fit: the columns of [xy] are named '.', '.'"):
                contexts.merge(OWNER, first.id, second.id)
    assert contexts.merge(OWNER, plain.id, named.id).columns == NAMES
    half = contexts.create(OWNER, ContextSpec(columns=ColumnNames(None, Y)), draw(2))
    assert contexts.merge(OWNER, named.id, half.id).columns == NAMES
    assert contexts.merge(OWNER, half.id, named.id).columns == NAMES


def test_an_empty_context_of_other_columns_is_not_merged(contexts: ContextService) -> None:
    empty = contexts.create(OWNER, ContextSpec(columns=ColumnNames(("a", "b"))))
    full = contexts.create(OWNER, ANY_CONTEXT, draw(1))
    for first, second in ((empty, full), (full, empty)):
        with pytest.raises(InvalidInput, match="has 2 names; this context is for 5 columns"):
            contexts.merge(OWNER, first.id, second.id)


def test_a_change_sent_again_is_answered_with_its_names(contexts: ContextService) -> None:
    record = contexts.create(OWNER, ANY_CONTEXT, draw(1))
    new = draw(2)._replace(columns=NAMES)
    first, again = (contexts.observe(OWNER, record.id, new, Change("k")) for _ in range(2))
    assert again == first
    assert again.columns == NAMES
    with pytest.raises(Conflict):
        contexts.observe(OWNER, record.id, turned(draw(2)), Change("k"))


def test_a_list_leaves_names_out(contexts: ContextService) -> None:
    record = contexts.create(OWNER, ContextSpec(columns=NAMES))
    assert contexts.list(OWNER, 10).contexts == (replace(record, columns=NO_NAMES),)


def test_without_names_a_row_and_an_archive_are_those_of_before(contexts: ContextService) -> None:
    record = contexts.create(OWNER, ANY_CONTEXT, draw(1))
    with contexts._database.reading() as connection:
        assert connection.scalar(select(CONTEXTS.c.column_names).where(CONTEXTS.c.id == record.id)) is None
    assert b"columns" not in contexts.export(OWNER, record.id)[0]


def test_an_archive_names_as_many_columns_as_there_are(contexts: ContextService) -> None:
    memory = contexts.repository.load(OWNER, contexts.create(OWNER, ANY_CONTEXT, draw(1)).id).state
    wrong = replace(memory, columns=ColumnNames(("a",)))
    with pytest.raises(InvalidInput, match="columns of x"):
        contexts.load(OWNER, serialization.export(manifest("linear"), wrong))


def test_a_context_of_an_earlier_version_has_no_names_and_takes_some(
    contexts: ContextService, database_url: str, repository: Repository, clock: Clock
) -> None:
    record = contexts.create(OWNER, ANY_CONTEXT, draw(1))
    with contexts._database.transaction() as connection:
        command.downgrade(configuration(connection), "0002")
    database = Database.open(database_url)
    later = keep(database, repository, clock)
    assert later.get(OWNER, record.id).columns == NO_NAMES
    assert later.observe(OWNER, record.id, draw(2)._replace(columns=NAMES)).columns == NAMES
    database.close()


INVALID_NAMES: list[tuple[object, str]] = [
    (None, "must be a list of names, one for each column; this is null"),
    ("ab", "must be a list of names, one for each column; this is the text 'ab'"),
    ([], "must be a list of names"),
    (["a", 1], "must be a list of names"),
    (["a", None], "must be a list of names"),
    (["a", "b", "a"], "has the name 'a' twice"),
    (["a", ""], "has a name of 0 characters"),
    (["a" * (COLUMN_NAME_LENGTH_LIMIT + 1)], f"has a name of {COLUMN_NAME_LENGTH_LIMIT + 1} characters"),
    (["\ud800"], "not valid Unicode"),
    ([f"{i:0200}" for i in range(NAMES_SIZE_LIMIT // 200 + 1)], "bytes together"),
]


@pytest.mark.parametrize(("value", "message"), INVALID_NAMES)
def test_what_is_no_list_of_names_is_refused(value: object, message: str) -> None:
    with pytest.raises(InvalidInput, match=message) as refused:
        read_names(value, "columns.x")
    assert refused.value.problems[0].field == "columns.x"
    assert len(str(refused.value)) < 300
    if isinstance(value, list):
        with pytest.raises(ValidationError):
            ColumnNames(value)  # type: ignore[arg-type]


def test_the_longest_names_are_names() -> None:
    assert read_names(["a" * COLUMN_NAME_LENGTH_LIMIT], "x") == ("a" * COLUMN_NAME_LENGTH_LIMIT,)
    names = [f"{i:0256}"[-128:] for i in range(NAMES_SIZE_LIMIT // 128)]
    assert read_names(names, "x") == tuple(names)


def test_levels_that_come_with_names_are_checked_as_they_are_without(contexts: ContextService) -> None:
    record = contexts.create(OWNER, ContextSpec(columns=NAMES), draw(1))
    with pytest.raises(InvalidInput, match=r"levels: are \[0\]; this context has \[\]\. Send these\."):
        contexts.observe(OWNER, record.id, draw(2)._replace(columns=NAMES, levels=(0,)))
