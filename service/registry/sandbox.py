"""Loads a model file for the first time in a separate process with limits on memory and time.

onnxruntime does not limit a graph: it may use any amount of memory and time, and malformed ones have crashed it. The
sandbox loads a file completely, including the check of the golden output. A file that passes may still misbehave on
other inputs; users with write access to a model directory are trusted not to exploit that.

`python -m service.registry.sandbox` reads a file from standard input, and writes the reason if it is refused.
"""

import os
import resource
import subprocess
import sys
from pathlib import Path

from service.errors import BrokenArtifact
from service.inference.runtime import Runtime

PACKAGE = Path(__file__).parents[1]
LOAD_TIMEOUT = 10
"""Seconds; a model loads in a tenth of a second."""
BASE_MEMORY = 2**30
"""Bytes of address space for a file of size 0; a model uses a sixth of it, including the libraries."""
FILE_SIZE_FACTOR = 8
"""Further address space, as a multiple of the file's size: it is read, parsed and optimised."""


def load_in_sandbox(content: bytes) -> None:
    """Load a file in a separate process.

    Raises:
        BrokenArtifact: It is refused, takes too long, or ends the process.
    """
    Runtime.check_hash(content)  # damaged and incomplete files need no sandbox
    try:
        done = subprocess.run(
            [sys.executable, "-P", "-m", "service.registry.sandbox"],
            input=content,
            capture_output=True,
            timeout=LOAD_TIMEOUT,
            cwd=PACKAGE,  # a graph with relative paths of external data finds no private files here
            env=sandbox_environment(),
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise BrokenArtifact(f"it did not load within {LOAD_TIMEOUT} s on trial.") from error
    except OSError as error:
        raise BrokenArtifact(f"it could not be tried out ({error.strerror}).") from error
    if done.returncode != 0:
        raise BrokenArtifact(f"loading it ended the process that tried it out (exit code {done.returncode}).")
    if done.stdout:
        raise BrokenArtifact(done.stdout.decode(errors="replace"))


def sandbox_environment() -> dict[str, str]:
    """Return the environment without the settings, which contain secrets, and with the path of this package."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("GDSSM_")}
    return {**inherited, "PYTHONPATH": str(PACKAGE.parent)}


def main() -> None:
    """Load the file of standard input under limits."""
    content = sys.stdin.buffer.read()
    memory = BASE_MEMORY + FILE_SIZE_FACTOR * len(content)
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CPU, (LOAD_TIMEOUT, LOAD_TIMEOUT))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        Runtime.of_bytes(content)
    except BrokenArtifact as error:
        sys.stdout.buffer.write(str(error).encode(errors="replace"))


if __name__ == "__main__":
    main()
