"""A context by its name: created if there is none."""

from contextlib import suppress

from service.column_names import NO_NAMES, ColumnNames
from service.contexts.forgetting import Decay
from service.contexts.labels import Labels
from service.contexts.records import Amendment, ContextRecord
from service.contexts.service import ContextService
from service.contexts.state import FeatureScale
from service.errors import Conflict, NameTaken, UnknownContext
from service.tables.schema import TableSchema

ATTEMPTS = 10
"""Times that a context may be deleted, and another one of its name created, before this is reported."""


def create_or_return(
    contexts: ContextService,
    owner: str,
    name: str,
    *,
    model: str | None = None,
    version: str | None = None,
    decay: Decay = None,
    ttl: int | None = None,
    scale: FeatureScale | None = None,
    like: str | None = None,
    columns: ColumnNames = NO_NAMES,
    schema: TableSchema | None = None,
    labels: Labels | None = None,
) -> tuple[ContextRecord, bool]:
    """Return the context of a name, and whether it was created; of several callers at once one creates it.

    An existing context takes the ttl and the labels, and must have the model, version, decay and names of columns that
    are given. Scale, `like` and schema are used only when it is created. For the arguments see
    `ContextService.create`.

    Raises:
        Conflict: There is a context of that name with another model, version, decay or other names of columns.
        UnknownModel, UnknownContext, UnsupportedByModel, InvalidInput, QuotaExceeded: As for `ContextService.create`.
    """
    fixed = {"model": model, "model_version": version, "decay": decay}
    for _ in range(ATTEMPTS):
        found = contexts.find_named(owner, name)
        if found is None:
            with suppress(NameTaken):
                record = contexts.create(
                    owner,
                    model,
                    version=version,
                    decay=decay,
                    ttl=ttl,
                    scale=scale,
                    like=like,
                    columns=columns,
                    schema=schema,
                    name=name,
                    labels=labels or {},
                )
                return record, True
            continue
        _check_same(found, {**fixed, "columns": None if columns == NO_NAMES else columns})
        with suppress(UnknownContext):  # deleted meanwhile
            return contexts.amend(owner, found.id, Amendment(labels=labels, ttl=ttl)), False
    raise NameTaken(name)


def _check_same(record: ContextRecord, given: dict[str, object]) -> None:
    different = {field: value for field, value in given.items() if value not in (None, getattr(record, field))}
    if different:
        texts = [
            f"{field.replace('_', ' ')} {getattr(record, field)}, not {value}" for field, value in different.items()
        ]
        raise Conflict(
            f"The context named {record.name!r} ({record.id}) has {' and '.join(texts)}. Leave this out, choose "
            "another name, or delete that context first."
        )
