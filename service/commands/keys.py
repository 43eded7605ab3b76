"""`gdssm keys`: create, list, revoke, usage."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime

import click

from service.access.keys import Key, Keys, id_of
from service.access.usage import SECONDS_A_DAY, KeyUsage, UsageStore, today
from service.commands.options import json_option, print_json
from service.settings import Settings
from service.store.database import Database

EXAMPLES = """\b
Examples:
  gdssm keys create alice
  gdssm keys create deploy --admin --rate-limit 600
  gdssm keys list
  gdssm keys revoke 0123456789abcdef
  gdssm keys usage --days 7
"""
OTHER_DATABASE = (
    "A running service reads its keys from another database: set GDSSM_DATABASE_URL to it, or run this in the folder "
    "of the service."
)
NOT_COUNTED = "No use is stored: requests are counted by key while the service runs with GDSSM_KEY_USAGE=true."
ROW_FORMAT = "{:16}  {:7}  {:5}  {:>10}  {:20}  {}"
USAGE_FORMAT = "{:16}  {:>9}  {:>9}  {:>12}  {:>12}  {:>10}  {:10}  {}"


@click.group("keys", epilog=EXAMPLES)
def command() -> None:
    """Manage API keys. Their hashes are stored in the database of GDSSM_DATABASE_URL."""


@command.command(epilog="\b\nExample:\n  gdssm keys create alice --rate-limit 600\n")
@click.argument("name")
@click.option("--admin", is_flag=True, help="Allow loading and unloading models.")
@click.option(
    "--rate-limit",
    type=click.IntRange(min=0),
    metavar="N",
    help="Requests a minute to each process; 0 is no limit. [default: GDSSM_RATE_LIMIT]",
)
@json_option
def create(name: str, admin: bool, rate_limit: int | None, as_json: bool) -> None:
    """Create a key and print it; only its hash is stored."""
    with _database() as database:
        key = Keys(database).create(name, admin=admin, rate_limit=rate_limit)
        click.echo(f"Written to {database.shown}.", err=True)
        _warn_if_new(database)
    if as_json:
        print_json({"id": id_of(key), "name": name, "admin": admin, "rate_limit": rate_limit, "key": key})
    else:
        click.echo(key)
    click.echo("Store it: it is not shown again. Send it as Authorization: Bearer <key>.", err=True)


@command.command("list", epilog="\b\nExample:\n  gdssm keys list\n")
@json_option
def list_(as_json: bool) -> None:
    """List every key, revoked ones too, oldest first."""
    with _database() as database:
        found = Keys(database).list()
        _warn_if_new(database)
    if as_json:
        print_json({"keys": list(map(_fields, found))})
        return
    click.echo(ROW_FORMAT.format("id", "state", "admin", "rate limit", "created", "name"))
    for key in found:
        click.echo(_line(key))


@command.command(epilog="\b\nExample:\n  gdssm keys revoke 0123456789abcdef\n")
@click.argument("key_id", metavar="ID")
@json_option
def revoke(key_id: str, as_json: bool) -> None:
    """Revoke a key for good; running services notice within seconds."""
    with _database() as database:
        Keys(database).revoke(key_id)
    if as_json:
        print_json({"revoked": key_id})
    click.echo(f"Revoked {key_id}.", err=True)


@command.command(epilog="\b\nExample:\n  gdssm keys usage --days 7\n")
@click.option("--days", type=click.IntRange(1), default=30, show_default=True, help="Until today, in UTC.")
@json_option
def usage(days: int, as_json: bool) -> None:
    """Show the use of each key: requests, errors, rows learnt and predicted, and seconds of work.

    Services with GDSSM_KEY_USAGE count them, and write them to the database every 10 seconds.
    """
    with _database() as database:
        keys, used = Keys(database).list(), UsageStore(database).since(today() - days + 1)
    rows = [(key, used.get(key.id, KeyUsage())) for key in keys if key.id in used or key.revoked is None]
    rows.sort(key=lambda row: -row[1].requests)
    if not used:
        click.echo(NOT_COUNTED, err=True)
    if as_json:
        print_json({"days": days, "keys": [_usage_fields(*row) for row in rows]})
        return
    click.echo(
        USAGE_FORMAT.format("id", "requests", "refused", "observations", "queries", "compute s", "last day", "name")
    )
    for key, one in rows:
        cells = _usage_fields(key, one)
        seconds, last_day = f"{one.compute_seconds:.1f}", cells["last_day"] or "never"
        counts = one.requests, one.refused, one.observations, one.queries
        click.echo(USAGE_FORMAT.format(key.id, *counts, seconds, last_day, key.name))


@contextmanager
def _database() -> Iterator[Database]:
    database = Database.open(Settings.from_environment().database_url)
    try:
        yield database
    finally:
        database.close()


def _warn_if_new(database: Database) -> None:
    if database.is_new:
        click.echo(f"Warning: {database.shown} was empty and has been initialised. {OTHER_DATABASE}", err=True)


def _line(key: Key) -> str:
    return ROW_FORMAT.format(
        key.id,
        "valid" if key.revoked is None else "revoked",
        "yes" if key.admin else "no",
        "default" if key.rate_limit is None else key.rate_limit,
        _time(key.created),
        key.name,
    )


def _fields(key: Key) -> dict[str, object]:
    return {
        "id": key.id,
        "name": key.name,
        "admin": key.admin,
        "rate_limit": key.rate_limit,
        "created": _time(key.created),
        "revoked": None if key.revoked is None else _time(key.revoked),
    }


def _usage_fields(key: Key, used: KeyUsage) -> Mapping[str, object]:
    last_day = _time(used.last_day * SECONDS_A_DAY)[:10] if used.last_day else None
    return {"id": key.id, "name": key.name, **asdict(used), "last_day": last_day}


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
