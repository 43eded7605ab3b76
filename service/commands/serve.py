"""`gdssm serve`: run the service."""

import click

from service.commands.options import by_setting, example
from service.server import garbage_collection
from service.settings import Settings


@click.command("serve", epilog=example("gdssm serve --port 8000"))
@click.option("--host", help=by_setting("host"))
@click.option("--port", type=click.IntRange(0, 65535), help=by_setting("port"))
def command(host: str | None, port: int | None) -> None:
    """Serve HTTP until stopped by a signal. Other settings are read from the environment."""
    options = {"host": host, "port": port}
    settings = Settings.from_environment(**{name: value for name, value in options.items() if value is not None})
    garbage_collection.disable_during_startup()
    from service.server import serving  # noqa: PLC0415  (slow, and not needed to report an error)

    serving.run(settings)
