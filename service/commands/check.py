"""`gdssm check`: whether the configuration of this environment is sound."""

from collections.abc import Iterator

import click

from service.commands.configuration_checks import CheckResult, check_configuration
from service.commands.options import example, json_option, print_json
from service.visible import visible


@click.command("check", epilog=example("gdssm check --json"))
@json_option
def command(as_json: bool) -> None:
    """Check settings, database, migrations, models, keys and memory, without changing anything.

    One line for each check: ok, warning, failed (with the remedy) or skipped. Exit status: 0 if none has failed, 1 if
    one has.
    """
    checks = check_configuration()
    is_sound = all(check.status != "failed" for check in checks)
    if as_json:
        print_json({"sound": is_sound, "checks": [check._asdict() for check in checks]})
    else:
        for line in _lines(checks):
            click.echo(line)
    if not is_sound:
        raise click.exceptions.Exit(1)


def _lines(checks: list[CheckResult]) -> Iterator[str]:
    return (visible(f"{check.status:8} {check.name:11} {check.found} {check.remedy}".rstrip()) for check in checks)
