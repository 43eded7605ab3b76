"""Contexts that observations change in several rows at the same time; their states are joined whenever they are read.

The first row of such a context keeps its first observations, by which columns and scale are known. Each further row, a
shard, is a row of contexts too, whose owner is the name of the context: a transaction learns into one that no other
transaction has. So the version and the number of observations of the context are the sums over its rows, and every row
has its state after whole transactions. The first row changes no more, but for its name, labels and times; so rows that
are read one after another are a state of the context nonetheless.
"""

import hashlib
import secrets
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from sqlalchemy import Connection, bindparam, delete, func, insert, select

from service.column_names import NO_NAMES
from service.contexts.records import ContextRecord, LoadedContext, columns_of
from service.contexts.requests import ObserveRequest
from service.contexts.serialization import store
from service.contexts.tables import TableRows
from service.errors import Conflict, InvalidInput, Problem, UnsupportedByModel
from service.inference.artifact import Manifest
from service.inference.checks import Limits
from service.states.context_state import ContextState, scale_of
from service.states.learning import learn
from service.states.merge import check_merges
from service.states.tensors import is_buffered
from service.store.tables import CONTEXTS

FOREVER = 1e11
"""When shards expire, in seconds since 1970: they are deleted with their context."""
PREFERRED = secrets.token_hex(16)
"""This process takes the first free shard from here on, mostly the same one, whose state it has in memory."""

C = CONTEXTS.c
OF_CONTEXT = C.owner == bindparam("shards")
ONE = select(*C).where(OF_CONTEXT).order_by((C.id < PREFERRED), C.id).limit(1)
FREE, NEXT = ONE.with_for_update(skip_locked=True), ONE.with_for_update()
ALL = select(*C).where(OF_CONTEXT).order_by(C.id)


class Totals(NamedTuple):
    """Sums over shards."""

    versions: int = 0
    n_observations: int = 0


def owner_of(context_id: str) -> str:
    """Return the owner of the shards of a context, which is no key's id."""
    return f"shards:{context_id}"


def check_can_shard(manifest: Manifest, state: ContextState, shards: int) -> None:
    """Check that a new context can have so many shards; any can have none.

    Raises:
        InvalidInput: It has no first observations, or no scale yet, or the order of its observations counts.
        UnsupportedByModel: States of its model do not merge.
    """
    if shards == 0:
        return
    check_merges(manifest)
    problem = ""
    if state.decay is not None:
        problem = "cannot be combined with decay: shards learn at the same time, in no order. Leave one of them out."
    elif state.table_schema is not None or state.levels:
        problem = "cannot be combined with rows of tables or levels: shards have one set of columns. Send x and y."
    elif state.is_empty or state.tensors is None:
        problem = "needs first observations, which fix the columns. Send some as `observations`."
    elif is_buffered(state.tensors) or (
        manifest.features is not None and manifest.features.makes_features and scale_of(state.tensors) is None
    ):
        problem = "needs one scale of the features. Send `scale`, `like`, or more than 32 first observations."
    if problem:
        raise InvalidInput(Problem("shards", problem))


def check_whole(record: ContextRecord, *, if_version: int | None) -> None:
    """Refuse a precondition on the version of a context with shards.

    Raises:
        InvalidInput: There is one.
    """
    if record.shards and if_version is not None:
        text = "cannot be checked for a context with shards, which change at the same time. Leave it out."
        raise InvalidInput(Problem("header.if-match", text))


def refuse_shards(record: ContextRecord) -> None:
    """Refuse a change that needs the whole state.

    Raises:
        Conflict: The context has shards.
    """
    if record.shards:
        raise Conflict(
            "The context has shards, so it takes observations only, by requests of x and y. To merge it or to stream "
            "into it, export it and import the copy."
        )


def learn_shard(loaded: LoadedContext, limits: Limits, request: ObserveRequest) -> ContextState:
    """Learn observations into a shard, if they could be learnt after all others as well.

    Raises:
        InvalidInput, PrecisionLoss, UnsupportedByModel, NumericOverflow: As for `learn`, of the whole context.
        UnsupportedByModel: They take something out, or have columns that the context does not name.
    """
    new, rest = request.new, loaded.rest
    check_whole(loaded.record, if_version=request.change.if_version)
    problem = ""
    if isinstance(new, TableRows) or rest is None:
        raise Conflict("The context has shards, and has observed arrays. Send x and y.")
    if new.weight is not None and (new.weight < 0).any():
        problem = "must not be negative: a context with shards takes nothing out. Export it and import the copy."
    elif new.levels:
        problem = "cannot be learnt by a context with shards. Leave levels out."
    elif new.columns not in {None, NO_NAMES} and rest.columns == NO_NAMES:
        problem = "are for a context with names; this one has shards and none. Leave columns out."
    if problem:
        raise UnsupportedByModel(Problem("weight" if new.weight is not None else "columns", problem))
    allow = request.allow_precision_loss
    learn(loaded.runtime, limits, rest, new, allow_precision_loss=allow)
    return learn(loaded.runtime, limits, loaded.state, new, allow_precision_loss=allow)


def insert_shards(connection: Connection, record: ContextRecord, state: ContextState) -> None:
    """Insert the empty shards of a new context."""
    empty = ContextState(
        inputs=state.inputs,
        outputs=state.outputs,
        columns=state.columns,
        scale=state.scale or scale_of(state.tensors),
    )
    shard = replace(record, version=0, n_observations=0, shards=0, expires=FOREVER, name=None, labels={})
    written, owner = store(empty), owner_of(record.id)
    rows = [
        {"owner": owner, "state": written, **columns_of({**vars(shard), "id": _id(owner, number)})}
        for number in range(record.shards)
    ]
    connection.execute(insert(CONTEXTS), rows)


def find_free(connection: Connection, context_id: str) -> Any | None:  # noqa: ANN401  (a row)
    """Lock the row of a shard that no other transaction has, or wait for one; None if the context was deleted."""
    owner = {"shards": owner_of(context_id)}
    return connection.execute(FREE, owner).first() or connection.execute(NEXT, owner).first()


def all_of(connection: Connection, context_id: str) -> Sequence[Any]:
    """Read the rows of all shards, in the order of their ids."""
    return connection.execute(ALL, {"shards": owner_of(context_id)}).all()


def totals_of(
    connection: Connection, context_ids: Collection[str], *, without: str = ""
) -> Iterator[tuple[str, Totals]]:
    """Add up the shards of contexts, without one of them."""
    statement = (
        select(C.owner, func.sum(C.version), func.sum(C.n_observations))
        .where(C.owner.in_([owner_of(context_id) for context_id in context_ids]), C.id != without)
        .group_by(C.owner)
    )
    for owner, versions, n_observations in connection.execute(statement):
        yield owner.partition(":")[2], Totals(int(versions), int(n_observations))


def with_totals(connection: Connection, records: Sequence[ContextRecord]) -> list[ContextRecord]:
    """Add the versions and the observations of shards to the records of contexts."""
    sharded = [record.id for record in records if record.shards]
    found = dict(totals_of(connection, sharded)) if sharded else {}
    return [plus(record, found[record.id]) if record.id in found else record for record in records]


def plus(record: ContextRecord, totals: Totals) -> ContextRecord:
    """Add sums over shards to the record of a first row."""
    versions, n_observations = totals
    return replace(record, version=record.version + versions, n_observations=record.n_observations + n_observations)


def delete_shards(connection: Connection, context_ids: Collection[str]) -> None:
    """Delete the shards of contexts."""
    owners = [owner_of(context_id) for context_id in context_ids]
    if owners:
        connection.execute(delete(CONTEXTS).where(C.owner.in_(owners)))


def _id(owner: str, number: int) -> str:
    return hashlib.sha256(f"{owner} {number}".encode()).hexdigest()[:32]
