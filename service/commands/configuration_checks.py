"""Checks of a configuration: each looks at one thing, and changes nothing."""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal, NamedTuple

from service.access.keyring import keys_required
from service.access.sites import Sites
from service.errors import OperatorError, ServiceError
from service.registry.repository import Repository
from service.settings import ENV_PREFIX, Settings
from service.store.inspection import DatabaseState, inspect_database
from service.store.migrate import HEAD

MIB = 2**20
PROCESS_BYTES = 150 * MIB
"""Of one process with the models that ship (`python -m benchmarks start`), and the states of contexts in its cache."""
BODY_COPIES = 2
"""How often a byte of a body in flight counts: the body, and the numbers that are read from it."""
CGROUPS, OWN_CGROUPS = Path("/sys/fs/cgroup"), Path("/proc/self/cgroup")
NAMES = ("settings", "database", "migrations", "models", "keys", "memory")


class CheckResult(NamedTuple):
    """The result of one check."""

    name: str
    status: Literal["ok", "warning", "failed", "skipped"]
    found: str
    remedy: str = ""
    """Of a warning and of a failure; empty where `found` ends with it."""


def check_configuration() -> list[CheckResult]:
    """Check the environment: settings, database, migrations, models, keys and memory."""
    try:
        settings = Settings.from_environment()
        Sites(settings)  # refuses CORS for every origin without keys
    except OperatorError as error:
        others = [CheckResult(name, "skipped", "The settings are not valid.") for name in NAMES[1:]]
        return [CheckResult("settings", "failed", str(error), "Correct the variable, or remove it."), *others]
    known = sorted(name for name in os.environ if name.startswith(ENV_PREFIX))
    valid = CheckResult("settings", "ok", f"Valid; set are {', '.join(known)}." if known else "All are the defaults.")
    try:
        state = inspect_database(settings.database_url)
        stored = [_database(state), _migrations(state)]
        keys = _keys(settings, state.valid_keys)
    except OperatorError as error:
        unknown = "The database could not be read."
        stored = [CheckResult("database", "failed", str(error)), CheckResult("migrations", "skipped", unknown)]
        keys = _keys(settings, None)
    return [valid, *stored, _models(settings), keys, _memory(settings)]


def _database(state: DatabaseState) -> CheckResult:
    if not state.is_writable:
        remedy = "Give the user of the service write access, or name the primary server."
        return CheckResult("database", "failed", f"{state.shown} is read-only.", remedy)
    if state.encoding == "SQL_ASCII":
        remedy = "Create one with: CREATE DATABASE gdssm ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0"
        found = f"{state.shown} is in SQL_ASCII, which knows no characters beyond ASCII."
        return CheckResult("database", "failed", found, remedy)
    if not state.encoding:
        return CheckResult("database", "ok", f"{state.shown} does not exist yet; the service creates it.")
    return CheckResult("database", "ok", f"{state.shown} answers, in {state.encoding}.")


def _migrations(state: DatabaseState) -> CheckResult:
    if state.revision is None:
        return CheckResult("migrations", "ok", f"No tables yet; the service creates those of step {HEAD}.")
    if state.revision == HEAD:
        return CheckResult("migrations", "ok", f"At step {HEAD}, the last.")
    if state.revision < HEAD:
        found = f"At step {state.revision}; the service runs the steps up to {HEAD} at its start."
        return CheckResult("migrations", "warning", found, "Back up the database first.")
    found = f"At step {state.revision}; this version of the service knows the steps up to {HEAD}."
    return CheckResult("migrations", "failed", found, "Start the version that made it, or a later one.")


def _models(settings: Settings) -> CheckResult:
    with _silent():
        repository = Repository.load(settings.directories, settings.threads)
    refused = " ".join(repository.refused.values())
    try:
        repository.get(settings.default_model)
    except ServiceError as error:
        remedy = f"Correct GDSSM_DEFAULT_MODEL, or the files. {refused}"
        return CheckResult("models", "failed", f"The default model is not loaded. {error}", remedy)
    loaded = f"{len(repository.served())} loaded; the default is {settings.default_model}."
    if refused:
        return CheckResult("models", "failed", f"{loaded} Refused: {refused}", "Correct or remove these files.")
    return CheckResult("models", "ok", loaded)


@contextmanager
def _silent() -> Iterator[None]:
    """Write no log lines: a check reports the same."""
    before = logging.root.manager.disable
    logging.disable()
    try:
        yield
    finally:
        logging.disable(before)


def _keys(settings: Settings, valid_keys: int | None) -> CheckResult:
    """Check that callers can authenticate, where they must.

    Args:
        settings: Of the service.
        valid_keys: In the database; None if it could not be read.
    """
    if not keys_required(settings):
        if not keys_required(settings.model_copy(update={"auth": "auto"})):
            return CheckResult("keys", "ok", f"Not needed: the service listens on {settings.host} only.")
        found = f"GDSSM_AUTH is off, and the service listens on {settings.host}: every caller is an administrator."
        return CheckResult("keys", "warning", found, "Set GDSSM_AUTH=on, unless a proxy authenticates every request.")
    if valid_keys is None:
        return CheckResult("keys", "skipped", "The database could not be read.")
    if valid_keys == 0:
        return CheckResult("keys", "failed", "None exists, so every request gets 401.", "Run: gdssm keys create NAME")
    return CheckResult("keys", "ok", f"{valid_keys} valid.")


def _memory(settings: Settings) -> CheckResult:
    limit, needed = memory_limit(), needed_memory(settings)
    found = f"Full bodies in flight take {needed // MIB} MiB in all workers; the limit is {limit // MIB} MiB."
    if needed <= limit:
        return CheckResult("memory", "ok", found)
    bodies = (limit // settings.workers - PROCESS_BYTES) // BODY_COPIES
    remedy = "Set GDSSM_WORKERS lower, or raise the limit."
    if bodies >= settings.max_body_bytes:
        remedy = f"Set GDSSM_MAX_BYTES_IN_FLIGHT={bodies}, or raise the limit."
    return CheckResult("memory", "failed", found, remedy)


def needed_memory(settings: Settings) -> int:
    """Return the bytes that all workers need while as many bytes of bodies are in flight as the settings allow."""
    return settings.workers * (PROCESS_BYTES + BODY_COPIES * settings.max_bytes_in_flight)


def memory_limit(cgroups: Path = CGROUPS, own: Path = OWN_CGROUPS) -> int:
    """Return the bytes that this process may use: the memory of the machine, or less by a control group.

    Args:
        cgroups: Where control groups are mounted.
        own: The file that names those of this process.
    """
    limits = [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")]
    for line in own.read_text().splitlines() if own.exists() else ():
        _, controllers, path = line.split(":", 2)
        if controllers == "":
            limits += _limits(cgroups, path, "memory.max")
        elif "memory" in controllers.split(","):
            limits += _limits(cgroups / "memory", path, "memory.limit_in_bytes")
    return min(limits)


def _limits(root: Path, path: str, name: str) -> Iterator[int]:
    """Read the limits of a control group and of the groups around it; in a container the path may not exist."""
    group = root / path.lstrip("/")
    for directory in (group, *group.parents):
        file = directory / name
        if file.is_file() and (limit := file.read_text().strip()).isdecimal():
            yield int(limit)
        if directory == root:
            return
