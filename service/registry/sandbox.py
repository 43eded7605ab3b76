"""A model file is opened for the first time in a process of its own: it may crash, flood or hang that one.

onnxruntime is no sandbox: a graph can ask for any amount of memory and time, and malformed ones have crashed it. The
trial does all that loading does, golden answer included, under limits. What passes may still misbehave on other
inputs, so whoever may write to a directory of models is trusted as far as that.

`python -m service.registry.sandbox` reads a file from its standard input and writes why it is refused, if it is.
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
"""A model here loads in a tenth of one."""
BASE_MEMORY = 2**30
"""Bytes of address space beside a few times the file's own size; a model here needs a sixth of it, libraries
included."""
FILE_SIZE_FACTOR = 8
"""How often a file may lie in memory while it is opened: read, parsed, optimised."""


def load_in_sandbox(content: bytes) -> None:
    """Load a file elsewhere.

    Raises:
        BrokenArtifact: It is refused there, or does not come back in time and one piece.
    """
    Runtime.check_hash(content)  # what was damaged or is not yet all there needs no trial
    try:
        done = subprocess.run(
            [sys.executable, "-P", "-m", "service.registry.sandbox"],
            input=content,
            capture_output=True,
            timeout=LOAD_TIMEOUT,
            cwd=PACKAGE,  # a graph that refers to other files by relative paths finds none that are ours to keep
            env=environment(),
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


def environment() -> dict[str, str]:
    """Ours without the secrets in it, and with the way to this package."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith("GDSSM_")}
    return {**ours, "PYTHONPATH": str(PACKAGE.parent)}


def main() -> None:
    """Load what comes in, under limits."""
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
