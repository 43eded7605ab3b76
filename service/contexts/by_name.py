"""A context by its name: created if there is none."""

from contextlib import suppress
from dataclasses import replace

from service.column_names import NO_NAMES
from service.contexts.records import Amendment, ContextRecord
from service.contexts.requests import ANY_CONTEXT, ContextSpec
from service.contexts.service import ContextService
from service.errors import Conflict, NameTaken, UnknownContext

ATTEMPTS = 10
"""Times that a context may be deleted, and another one of its name created, before this is reported."""


def create_or_return(
    contexts: ContextService, owner: str, name: str, spec: ContextSpec = ANY_CONTEXT
) -> tuple[ContextRecord, bool]:
    """Return the context of a name, and whether it was created; of several callers at once one creates it.

    An existing context takes the ttl and the labels, and must have the model, version, decay and names of columns that
    are given. The other fields of the spec are used only when it is created.

    Raises:
        Conflict: There is a context of that name with another model, version, decay or other names of columns.
        UnknownModel, UnknownContext, UnsupportedByModel, InvalidInput, QuotaExceeded: As for `ContextService.create`.
    """
    columns = None if spec.columns == NO_NAMES else spec.columns
    fixed: dict[str, object] = {
        "model": spec.model,
        "model_version": spec.version,
        "decay": spec.decay,
        "columns": columns,
    }
    for _ in range(ATTEMPTS):
        found = contexts.find_named(owner, name)
        if found is None:
            with suppress(NameTaken):
                return contexts.create(owner, replace(spec, name=name)), True
            continue
        _check_same(found, fixed)
        with suppress(UnknownContext):  # deleted meanwhile
            return contexts.amend(owner, found.id, Amendment(labels=spec.labels, ttl=spec.ttl)), False
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
