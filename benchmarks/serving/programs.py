"""Programs that are no Python: used where they are, fetched from the distribution where they are not."""

import shutil
import subprocess


def fetched(program: str) -> bool:
    """See that a program is here, and get the package of its name if not."""
    if not shutil.which(program) and shutil.which("apt-get"):
        for command in (["apt-get", "update"], ["apt-get", "install", "--yes", program]):
            subprocess.run(command, check=False, capture_output=True)  # noqa: S603
    return shutil.which(program) is not None
