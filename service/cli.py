"""The command line: `serve`, and `predict` from CSV files without a server."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from service import serving
from service.csv_task import CsvTask, write_predictions
from service.errors import InvalidInput, Problem, ServiceError
from service.key_commands import keys
from service.predictor import Limits, Predictor
from service.repository import Repository
from service.settings import PREFIX, Settings

EXAMPLES = """\b
Examples:
  python -m service serve --port 8000
  python -m service predict observed.csv wanted.csv --target price
"""


class Mistake(click.ClickException):
    """What the user can mend: one line on stderr, and exit code 2."""

    exit_code = 2


class Commands(click.Group):
    """Tells every mistake in one line, whether click or the service finds it."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read what stands before the command."""
        with _in_one_line():
            return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> object:
        """Run the command that was asked for."""
        with _in_one_line():
            return super().invoke(ctx)


@contextmanager
def _in_one_line() -> Iterator[None]:
    try:
        yield
    except ServiceError as error:
        raise Mistake(str(error)) from error
    except click.exceptions.NoArgsIsHelpError:
        raise
    except click.UsageError as error:
        command = error.ctx.command_path if error.ctx else "gdssm"
        raise Mistake(f"{error.format_message()} See `{command} --help`.") from error


@click.group(cls=Commands, epilog=EXAMPLES, context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """In-context regression: observations and queries in, predictions out, nothing to train."""


main.add_command(keys)


def _setting(name: str) -> str:
    """Describe an option by the setting that it overrides."""
    field = Settings.model_fields[name]
    return f"{field.description} [{PREFIX}{name.upper()}, default {field.default}]"


@main.command(epilog="\b\nExample:\n  python -m service serve --port 8000\n")
@click.option("--host", help=_setting("host"))
@click.option("--port", type=click.IntRange(0, 65535), help=_setting("port"))
def serve(host: str | None, port: int | None) -> None:
    """Answer over HTTP until it is told to stop. Every other setting comes from the environment."""
    given = {"host": host, "port": port}
    settings = Settings.from_environment(**{name: value for name, value in given.items() if value is not None})
    serving.run(settings)


@main.command(
    epilog="\b\nExample:\n  python -m service predict observed.csv wanted.csv --target price --out predicted.csv\n"
)
@click.argument("context", type=click.Path(path_type=Path))
@click.argument("query", type=click.Path(path_type=Path))
@click.option("--target", required=True, metavar="COLUMN", help="The column of CONTEXT to predict.")
@click.option("--weight", metavar="COLUMN", help="The column of CONTEXT that says how much each observation counts.")
@click.option("--model", metavar="NAME", help=_setting("default_model"))
@click.option(
    "--parameter", "parameters", multiple=True, metavar="NAME=NUMBER", help="As learning_rate=0.1; repeatable."
)
@click.option("--out", type=click.Path(path_type=Path), help="File for the predictions; stdout if left out.")
def predict(
    *,
    context: Path,
    query: Path,
    target: str,
    weight: str | None,
    model: str | None,
    parameters: tuple[str, ...],
    out: Path | None,
) -> None:
    """Predict a column of QUERY from the observations in CONTEXT, both CSV files with a header."""
    settings = Settings.from_environment()
    numbers = dict(map(_parameter, parameters))
    task = CsvTask.read(context, query, target, weight)
    limits = Limits(settings.max_columns, settings.max_predictions, settings.max_observations)
    predictor = Predictor(Repository.load(settings.directories, settings.threads), settings.default_model, limits)
    answer = predictor.predict(model, task.context, task.query, numbers)
    text = io.StringIO()
    write_predictions(target, answer.prediction.tolist(), text)
    _print(text.getvalue(), out)


def _parameter(given: str) -> tuple[str, float]:
    name, _, number = given.partition("=")
    try:
        return name, float(number)
    except ValueError as error:
        problem = Problem("--parameter", f"must be NAME=NUMBER, as learning_rate=0.1; this is {given!r}.")
        raise InvalidInput(problem) from error


def _print(text: str, out: Path | None) -> None:
    if out is None:
        click.echo(text, nl=False)
        return
    try:
        out.write_text(text, encoding="utf-8", newline="")
    except OSError as error:
        raise InvalidInput(Problem(str(out), f"cannot be written ({error.strerror}).")) from error
