"""The command line: finds the commands, and tells every mistake in one line."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module

# numpy's linear algebra would take every core for the readout of a wide context; GDSSM_THREADS is of onnxruntime alone.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import click

from service.client.errors import ClientError
from service.errors import ServiceError
from service.visible import visible

COMMANDS = ("serve", "predict", "models", "eval", "bench", "keys")
EXTRAS = {
    "httpx": "client",
    "httpx_retries": "client",
    "narwhals": "client",
    "pyarrow": "parquet",
    "matplotlib": "plot",
}
"""Which extra brings a library that the base install is without."""

EXAMPLES = """\b
Examples:
  gdssm serve --port 8000
  gdssm predict observed.csv wanted.csv --target price
  gdssm models --url http://127.0.0.1:8000
  gdssm eval --url http://127.0.0.1:8000 --suite paper --model linear --out results
  gdssm bench --url http://127.0.0.1:8000
  gdssm keys create alice
"""


class Mistake(click.ClickException):
    """What the user can mend: one line on stderr, and exit code 2."""

    exit_code = 2

    def format_message(self) -> str:
        """Write it on one line; names of files and texts of a service may hold line ends and worse."""
        return visible(super().format_message())


class Commands(click.Group):
    """Loads a command when it is asked for, and tells every mistake in one line, whoever finds it."""

    def list_commands(self, _: click.Context) -> list[str]:
        """Name every command."""
        return list(COMMANDS)

    def get_command(self, _: click.Context, cmd_name: str) -> click.Command | None:
        """Load a command; a mistyped one is none."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = import_module(f"service.commands.{cmd_name}").command
        return command

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
    except (ServiceError, ClientError) as error:
        raise Mistake(str(error)) from error
    except click.exceptions.NoArgsIsHelpError:
        raise
    except click.UsageError as error:
        command = error.ctx.command_path if error.ctx else "gdssm"
        raise Mistake(f"{error.format_message()} See `{command} --help`.") from error
    except ModuleNotFoundError as error:
        extra = EXTRAS.get((error.name or "").partition(".")[0])
        if extra is None:
            raise
        raise Mistake(f"This needs {error.name}. Install it with: pip install 'gdssm[{extra}]'") from error


@click.group(cls=Commands, epilog=EXAMPLES, context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """In-context regression: observations and queries in, predictions out, nothing to train."""
