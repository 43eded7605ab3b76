"""Options that several commands have, and their progress bar."""

import sys
from collections.abc import Callable
from typing import Any, NamedTuple

import click
from pydantic_core import to_json

from service.errors import InvalidInput, Problem
from service.settings import API_KEY_VARIABLE, ENV_PREFIX, URL_VARIABLE, Settings
from service.states.forgetting import AUTO, RULE, Decay

Decorated = Callable[..., Any]


def by_setting(name: str) -> str:
    """Return the help of an option that overrides a setting."""
    field = Settings.model_fields[name]
    return f"{field.description} [{ENV_PREFIX}{name.upper()}, default {field.default}]"


json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of lines.")
"""The option --json of a command that prints."""


def print_json(value: object) -> None:
    """Print a value as one line of JSON in ASCII, whose escapes no terminal interprets."""
    click.echo(to_json(value, ensure_ascii=True, inf_nan_mode="null"))


def service_options(command: Decorated) -> Decorated:
    """Add the options --url and --api-key."""
    key = click.option(
        "--api-key", envvar=API_KEY_VARIABLE, metavar="KEY", help=f"If the service requires one. [{API_KEY_VARIABLE}]"
    )
    url = click.option(
        "--url",
        envvar=URL_VARIABLE,
        metavar="URL",
        help=f"URL of a running service; a service in this process if left out. [{URL_VARIABLE}]",
    )
    return url(key(command))


class WorkerOptions(NamedTuple):
    """What runs the parts of a command: how many processes, or a Ray cluster."""

    processes: int | None = None
    ray: str | None = None
    """The address of the cluster."""


def worker_options(command: Decorated) -> Decorated:
    """Add the options --processes and --ray."""
    processes = click.option(
        "--processes",
        type=click.IntRange(min=1),
        metavar="N",
        help="Processes for many files.  [default: 1; with --ray the processors of the cluster]",
    )
    ray = click.option("--ray", metavar="HOST:PORT", help="Run on this Ray cluster; auto on one of its nodes.")
    return processes(ray(command))


def example(text: str) -> str:
    """Format an example below the options."""
    return f"\b\nExample:\n  {text}\n"


def numbers_by_name(values: tuple[str, ...]) -> dict[str, float]:
    """Parse values of `--parameter NAME=NUMBER`.

    Raises:
        InvalidInput: One is not of this form.
    """
    return dict(map(_number_by_name, values))


def new_context_options(command: Decorated) -> Decorated:
    """Add the options --model, --version, --decay and --ttl of contexts that are created."""
    decay = "Of new contexts: the factor on the weight of every row after one more, or auto; none if left out."
    ttl = "Of new contexts; GDSSM_CONTEXT_TTL if left out."
    for option in (
        click.option("--ttl", type=click.IntRange(1), metavar="SECONDS", help=ttl),
        click.option("--decay", callback=_decay, metavar="NUMBER", help=decay),
        click.option("--version", metavar="VERSION", help="Of the model; the highest if left out."),
        click.option("--model", metavar="NAME", help=f"Of new contexts: {by_setting('default_model')}"),
    ):
        command = option(command)
    return command


def progress(length: int, label: str) -> Any:  # noqa: ANN401  (click has no public name for it)
    """Make a progress bar on the standard error, if it is a terminal."""
    return click.progressbar(length=length, label=label, file=sys.stderr, hidden=not sys.stderr.isatty())


def _decay(_context: click.Context, _option: click.Parameter, value: str | None) -> Decay:
    if value is None or value == AUTO:
        return AUTO if value else None
    try:
        return float(value)
    except ValueError as error:
        raise click.BadParameter(f"{RULE}; this is {value!r}.") from error


def _number_by_name(text: str) -> tuple[str, float]:
    name, _, number = text.partition("=")
    try:
        return name, float(number)
    except ValueError as error:
        problem = Problem("--parameter", f"must be NAME=NUMBER, such as learning_rate=0.1; this is {text!r}.")
        raise InvalidInput(problem) from error
