"""What several commands take, and how their progress is shown."""

import sys
from collections.abc import Callable
from typing import Any

import click

from service.errors import InvalidInput, Problem
from service.settings import API_KEY, PREFIX, Settings

Decorated = Callable[..., Any]


def by_setting(name: str) -> str:
    """Describe an option by the setting that it overrides."""
    field = Settings.model_fields[name]
    return f"{field.description} [{PREFIX}{name.upper()}, default {field.default}]"


def to_a_service(command: Decorated) -> Decorated:
    """Add the options that say which service is asked."""
    key = click.option("--api-key", envvar=API_KEY, metavar="KEY", help=f"If it asks for one. [{API_KEY}]")
    url = click.option("--url", metavar="URL", help="Of a running service; a service in this process if left out.")
    return url(key(command))


def example(text: str) -> str:
    """Write an example below the options."""
    return f"\b\nExample:\n  {text}\n"


def numbers_by_name(given: tuple[str, ...]) -> dict[str, float]:
    """Read `--parameter NAME=NUMBER`.

    Raises:
        InvalidInput: One of them is not that.
    """
    return dict(map(_number_by_name, given))


def progress(length: int, label: str) -> Any:  # noqa: ANN401  (click's own, of no public name)
    """Show how far a command is, on the standard error, if somebody is looking at it."""
    return click.progressbar(length=length, label=label, file=sys.stderr, hidden=not sys.stderr.isatty())


def _number_by_name(given: str) -> tuple[str, float]:
    name, _, number = given.partition("=")
    try:
        return name, float(number)
    except ValueError as error:
        problem = Problem("--parameter", f"must be NAME=NUMBER, as learning_rate=0.1; this is {given!r}.")
        raise InvalidInput(problem) from error
