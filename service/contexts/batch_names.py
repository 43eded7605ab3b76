"""Contexts of a batch by their names; those of unknown names are created together, if that is wanted."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import NamedTuple

from sqlalchemy import Connection

from service.contexts.labels import read_name
from service.contexts.repository import ContextRepository
from service.contexts.requests import ContextSpec
from service.contexts.state import ContextState
from service.errors import InvalidInput, NameTaken, QuotaExceeded, ServiceError, UnknownContext
from service.inference.runtime import Runtime
from service.store.database import Database

ATTEMPTS = 10
"""Times that another caller may create some of the contexts first."""


class EmptyContext(NamedTuple):
    """A context that can be added, under any name."""

    runtime: Runtime
    state: ContextState
    spec: ContextSpec


def ids_of(
    database: Database, repository: ContextRepository, owner: str, names: Collection[str], empty: EmptyContext | None
) -> Mapping[str, str | ServiceError]:
    """Find the ids of names, and create the contexts that are missing if there is an `empty` one.

    Raises:
        NameTaken: Others create and delete contexts of these names all the time.
    """
    refused = _refused(names)
    names = {*names} - refused.keys()
    with database.reading() as connection:
        found = refused | repository.ids_of_names(connection, owner, names)
    missing = sorted(names - found.keys())
    if empty is None or not missing:
        return found | {name: UnknownContext.named(name) for name in missing}
    for _ in range(ATTEMPTS):
        try:
            with database.transaction() as connection:
                return found | _create(connection, repository, owner, missing, empty)
        except NameTaken as error:  # by another transaction: the next attempt finds it
            taken = error
    raise taken


def _refused(names: Collection[str]) -> dict[str, str | ServiceError]:
    """Return the errors of texts that no context can have as its name."""
    refused: dict[str, str | ServiceError] = {}
    for name in names:
        try:
            read_name(name, "name")
        except InvalidInput as error:
            refused[name] = error
    return refused


def _create(
    connection: Connection, repository: ContextRepository, owner: str, names: Collection[str], empty: EmptyContext
) -> dict[str, str | ServiceError]:
    found: dict[str, str | ServiceError] = {**repository.ids_of_names(connection, owner, names)}
    for name in names:
        if name not in found:
            try:
                spec = replace(empty.spec, name=name)
                found[name] = repository.add(connection, owner, empty.runtime, empty.state, spec).id
            except QuotaExceeded as error:
                found[name] = error
    return found
