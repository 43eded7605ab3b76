"""Reads files of a model directory safely: no pipes, no links out of the directory, and a limited size."""

import os
import stat
from pathlib import Path
from typing import NamedTuple

from service.errors import BrokenArtifact

MODEL_SUFFIX = ".onnx"
FILE_SIZE_LIMIT = 256 * 2**20
"""Bytes: thousands of times the size of a model, and a fraction of the memory of a small machine."""


class FileStamp(NamedTuple):
    """Attributes of a file that change with its content."""

    modified: int
    changed: int
    size: int
    inode: int


def list_files(directory: Path) -> list[Path]:
    """List the files with the suffix of a model, without hidden and temporary ones (`.x.onnx`, `x.onnx.part`).

    Raises:
        OSError: The directory cannot be read.
    """
    with os.scandir(directory) as entries:
        return sorted(
            Path(entry.path)
            for entry in entries
            if entry.name.endswith(MODEL_SUFFIX) and not entry.name.startswith(".")
        )


def stamp_of(path: Path) -> FileStamp:
    """Return the stamp of a file; of a broken link, that of the link.

    Raises:
        OSError: It does not exist.
    """
    try:
        found = path.stat()
    except OSError:
        found = path.lstat()
    return FileStamp(found.st_mtime_ns, found.st_ctime_ns, found.st_size, found.st_ino)


def read(path: Path, limit: int = FILE_SIZE_LIMIT) -> bytes:
    """Read a file.

    Raises:
        BrokenArtifact: It is not a regular file, is outside its directory, has more bytes than `limit`, or cannot be
            read.
    """
    try:
        return _read(_resolve(path), limit)
    except (OSError, RuntimeError) as error:  # RuntimeError: a loop of links, in Python 3.11 and 3.12
        reason = getattr(error, "strerror", None) or error
        raise BrokenArtifact(f"the file cannot be read ({reason}).") from error


def _resolve(path: Path) -> Path:
    """Follow links within the directory; mounted Kubernetes ConfigMaps have such links."""
    target = path.resolve(strict=True)
    if not target.is_relative_to(path.parent.resolve(strict=True)):
        raise BrokenArtifact("it is a link that leads out of the directory; put the file itself here.")
    return target


def _read(path: Path, limit: int) -> bytes:
    # Without O_NONBLOCK opening a named pipe would block until there is a writer.
    with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC), "rb") as file:  # noqa: PTH123
        found = os.fstat(file.fileno())
        if not stat.S_ISREG(found.st_mode):
            raise BrokenArtifact("it is not a regular file.")
        # The present size, not the limit, which `read` would allocate at once.
        content = file.read(found.st_size + 1) if found.st_size <= limit else b""
    if max(found.st_size, len(content)) > limit:
        raise BrokenArtifact(f"it has {found.st_size} bytes; a model file has at most {limit}.")
    return content


def printable_name(name: str) -> str:
    """Return a file name as valid Unicode: undecodable bytes become question marks."""
    return name.encode(errors="replace").decode()
