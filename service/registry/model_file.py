"""The files of a directory of models, read so that nothing that lies there can hang, flood or mislead the reader."""

import os
import stat
from pathlib import Path
from typing import NamedTuple

from service.errors import BrokenArtifact

SUFFIX = ".onnx"
FILE_SIZE_LIMIT = 256 * 2**20
"""Bytes: thousands of times what a model here needs, and what a small machine can still hold a few times over."""


class Stamp(NamedTuple):
    """What changes when a file does."""

    modified: int
    changed: int
    size: int
    inode: int


def listing(directory: Path) -> list[Path]:
    """Find what claims to be a model file, by name; hidden and temporary names (`.x.onnx`, `x.onnx.part`) do not.

    Raises:
        OSError: The directory cannot be read.
    """
    with os.scandir(directory) as entries:
        return sorted(
            Path(entry.path) for entry in entries if entry.name.endswith(SUFFIX) and not entry.name.startswith(".")
        )


def stamp(path: Path) -> Stamp:
    """Look at a file without opening it; a link that leads nowhere is looked at itself.

    Raises:
        OSError: It is gone.
    """
    try:
        found = path.stat()
    except OSError:
        found = path.lstat()
    return Stamp(found.st_mtime_ns, found.st_ctime_ns, found.st_size, found.st_ino)


def read(path: Path, largest: int = FILE_SIZE_LIMIT) -> bytes:
    """Read a whole file of its directory.

    Raises:
        BrokenArtifact: It is not a regular file, lies outside its directory, is too large, or cannot be read.
    """
    try:
        return _read(_inside(path), largest)
    except (OSError, RuntimeError) as error:  # RuntimeError: Python 3.11 and 3.12 so refuse a loop of links
        reason = getattr(error, "strerror", None) or error
        raise BrokenArtifact(f"the file cannot be read ({reason}).") from error


def _inside(path: Path) -> Path:
    """Follow links, as long as they stay (mounted Kubernetes ConfigMaps are made of such)."""
    target = path.resolve(strict=True)
    if not target.is_relative_to(path.parent.resolve(strict=True)):
        raise BrokenArtifact("it is a link that leads out of the directory; put the file itself here.")
    return target


def _read(path: Path, largest: int) -> bytes:
    # Without O_NONBLOCK a named pipe would wait for its writer for ever.
    with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC), "rb") as file:  # noqa: PTH123
        found = os.fstat(file.fileno())
        if not stat.S_ISREG(found.st_mode):
            raise BrokenArtifact("it is not a regular file.")
        # No more than it has now: a read of as much as it may have would take that much memory for a moment.
        content = file.read(found.st_size + 1) if found.st_size <= largest else b""
    if max(found.st_size, len(content)) > largest:
        raise BrokenArtifact(f"it has {found.st_size} bytes; a model file has at most {largest}.")
    return content


def printable(name: str) -> str:
    """Write a file's name as text that can be sent: bytes that are no text become question marks."""
    return name.encode(errors="replace").decode()
