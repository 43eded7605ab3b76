"""Run the checks of a client and report on them; for an interpreter without this project's packages."""

import json
import sys
import traceback
from collections.abc import Callable


def report(checks: list[Callable[[], None]]) -> None:
    """Run every check; write which failed, and how, to standard output."""
    found: dict[str, str | None] = {}
    for check in checks:
        try:
            check()
            found[check.__name__] = None
        except Exception:  # noqa: BLE001  (whatever it is, it is the answer)
            found[check.__name__] = traceback.format_exc()
    json.dump(found, sys.stdout)
