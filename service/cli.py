"""The command line: loads commands, and reports user errors on one line."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module

# OpenBLAS would use every core for the readout of a wide context; GDSSM_THREADS limits onnxruntime only.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import click

from service.errors import ServiceError
from service.visible import visible

COMMANDS = ("serve", "predict", "contexts", "ingest", "inspect", "models", "eval", "bench", "keys", "check")
EXTRAS = {
    "httpx": "client",
    "narwhals": "client",
    "pyarrow": "tables",
    "matplotlib": "plot",
    "ray": "ray",
    "redis": "ingest",
}
"""The extra that installs a library, by module."""

EXAMPLES = """\b
Examples:
  gdssm serve --port 8000
  gdssm predict houses.csv --target price
  gdssm contexts build houses/ --target price --out context.safetensors
  gdssm inspect houses.csv --target price
  gdssm models --url http://127.0.0.1:8000
  gdssm eval --url http://127.0.0.1:8000 --suite paper --model linear --out results
  gdssm bench --url http://127.0.0.1:8000
  gdssm keys create alice
  gdssm check --json
  gdssm ingest redis://127.0.0.1:6379/0 --stream readings --by device --target power
"""


class UserError(click.ClickException):
    """An error that the user can fix: one line on stderr, and exit code 2."""

    exit_code = 2

    def format_message(self) -> str:
        """Escape line ends and control characters, which names of files and messages of a service may have."""
        return visible(super().format_message())


class Commands(click.Group):
    """Loads a command when it is run, and reports user errors on one line."""

    def list_commands(self, _: click.Context) -> list[str]:
        """List the names of the commands."""
        return list(COMMANDS)

    def get_command(self, _: click.Context, cmd_name: str) -> click.Command | None:
        """Load a command; None for an unknown name."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = import_module(f"service.commands.{cmd_name}").command
        return command

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the options before the command."""
        with _user_errors():
            return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> object:
        """Run the command."""
        with _user_errors():
            return super().invoke(ctx)


@contextmanager
def _user_errors() -> Iterator[None]:
    try:
        yield
    except _user_error_types() as error:
        raise UserError(str(error)) from error
    except click.exceptions.NoArgsIsHelpError:
        raise
    except click.UsageError as error:
        command = error.ctx.command_path if error.ctx else "gdssm"
        raise UserError(f"{error.format_message()} See `{command} --help`.") from error
    except ModuleNotFoundError as error:
        extra = EXTRAS.get((error.name or "").partition(".")[0])
        if extra is None:
            raise
        raise UserError(f"This needs {error.name}. Install it with: pip install 'gdssm[{extra}]'") from error


def _user_error_types() -> tuple[type[Exception], ...]:
    """Return the roots of the errors; the client's only if the command has imported it."""
    client = sys.modules.get("gdssm_client.errors")
    return (ServiceError,) if client is None else (ServiceError, client.ClientError)


@click.group(cls=Commands, epilog=EXAMPLES, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="gdssm", message="gdssm %(version)s")
def main() -> None:
    """In-context regression: observations and queries in, predictions out, nothing to train."""
