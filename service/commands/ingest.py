"""`gdssm ingest`: let contexts learn from a log, each entry exactly once."""

import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Event
from typing import Any

import click

from service.commands.options import example, json_option, new_context_options, print_json
from service.commands.table_options import kinds_by_name
from service.contexts.requests import ContextSpec
from service.ingest.bad_entries import BadEntries
from service.ingest.columns import EntryColumns
from service.ingest.ingester import BATCH, Progress
from service.ingest.opening import open_ingester, open_sources
from service.observability import logs
from service.settings import Settings
from service.tables.schema import KINDS

PROGRESS_INTERVAL = 10.0
"""Seconds between two lines of progress."""
BATCH_LIMIT = 20_000


@click.command(
    "ingest",
    epilog=example("gdssm ingest redis://127.0.0.1:6379/0 --stream readings --by device --target power"),
)
@click.argument("url", metavar="URL")
@click.option("--stream", "streams", multiple=True, metavar="KEY", help="The key of a stream in Redis; repeatable.")
@click.option("--by", required=True, metavar="COLUMN", help="The column whose value is the name of the context.")
@click.option("--target", required=True, metavar="COLUMN", help="The column to predict later.")
@click.option("--features", multiple=True, metavar="A,B,…", help="The columns to predict from; all others if left out.")
@click.option("--ignore", multiple=True, metavar="COLUMN", help="A column not to use; repeatable.")
@click.option("--weight", metavar="COLUMN", help="The column with the weights of rows.")
@click.option(
    "--kind",
    "kinds",
    multiple=True,
    metavar="COLUMN=KIND",
    help=f"The kind of a column that is no number: {', '.join(KINDS[1:-1])}; repeatable. Levels are those of the first "
    "entries, and later ones as far as the model allows.",
)
@click.option("--task", type=click.Choice(["regression", "classification"]), default="regression", show_default=True)
@click.option("--decimal", type=click.Choice([".", ","]), default=".", show_default=True, help="The decimal sign.")
@click.option("--payload", metavar="FIELD", help="A field of entries in Redis with a JSON object of further columns.")
@new_context_options
@click.option(
    "--consumer", default="gdssm", show_default=True, metavar="NAME", help="Under which the offsets are stored."
)
@click.option("--owner", default="", metavar="ID", help="The id of the key whose contexts learn, of `gdssm keys list`.")
@click.option(
    "--batch", type=click.IntRange(1, BATCH_LIMIT), default=BATCH, show_default=True, help="Entries in one transaction."
)
@click.option("--from-start", is_flag=True, help="Read a stream that was never read from its first entry.")
@click.option("--stop-at-end", is_flag=True, help="End where there are no further entries.")
@click.option(
    "--allow-precision-loss", is_flag=True, help="Learn values so far out that digits of earlier ones are lost."
)
@click.option(
    "--dead-letters", type=click.Path(path_type=Path), metavar="FILE", help="Append entries that are not learnt to it."
)
@json_option
def command(url: str, as_json: bool, **options: Any) -> None:  # noqa: ANN401  (of every type)
    """Read a log, and let the context that each row names learn it, exactly once.

    URL is a Redis server, redis://host:port/db, or a file of JSON lines. Contexts are found by name or created, in the
    database of GDSSM_DATABASE_URL; no service needs to run. How far each stream is read is stored in the transaction of
    the observations: the command may be killed and started again, and several may run at once. SIGTERM ends it after
    the present batch.
    """
    settings = Settings.from_environment()
    with ExitStack() as stack:
        sources = open_sources(url, options["streams"], options["payload"])
        for source in sources:
            stack.callback(source.close)
            source.end()  # a wrong address is reported at once
        bad = BadEntries(options["dead_letters"])
        ingester = stack.enter_context(
            open_ingester(
                settings,
                sources,
                _columns(options),
                ContextSpec(options["model"], options["version"], options["decay"], options["ttl"]),
                bad=bad,
                **{
                    name: options[name] for name in ("consumer", "owner", "batch", "from_start", "allow_precision_loss")
                },
            )
        )
        logs.configure(settings.log_level, settings.log_format)
        stop = stack.enter_context(_stopped_by_signals())
        progress = ingester.run(stop, stop_at_end=options["stop_at_end"], report=_ProgressLines())
    _say(progress)
    if as_json:
        print_json({"learnt": progress.learnt, "refused": progress.refused, "positions": progress.positions})


class _ProgressLines:
    """Prints a line of progress now and then."""

    def __init__(self) -> None:
        self._next, self._entries = time.monotonic() + PROGRESS_INTERVAL, 0

    def __call__(self, progress: Progress) -> None:
        if time.monotonic() >= self._next and progress.entries > self._entries:
            self._next, self._entries = time.monotonic() + PROGRESS_INTERVAL, progress.entries
            _say(progress)


def _say(progress: Progress) -> None:
    rate = progress.entries / max(progress.seconds, 1e-9)
    places = ", ".join(f"{stream} at {position}" for stream, position in progress.positions.items())
    text = f"learnt {progress.learnt} rows, refused {progress.refused}, {rate:,.0f} a second"
    click.echo(f"{text}; {places}" if places else text, err=True)


@contextmanager
def _stopped_by_signals() -> Iterator[Event]:
    """Return an event that SIGTERM and SIGINT set."""
    stop = Event()
    before = {number: signal.signal(number, lambda *_: stop.set()) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _columns(options: dict[str, Any]) -> EntryColumns:
    features = tuple(name.strip() for text in options["features"] for name in text.split(",") if name.strip())
    return EntryColumns(
        options["by"],
        options["target"],
        features or None,
        options["ignore"],
        options["weight"],
        kinds_by_name(options["kinds"]),
        options["task"],
        options["decimal"],
    )
