"""The bytes of a table: a path, a pipe or a body, opened from the start as often as needed, without compression."""

import bz2
import gzip
import io
import lzma
import shutil
import sys
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Event, Thread
from typing import IO, BinaryIO, cast

from service.errors import InvalidInput, Problem
from service.tables.extra import zstd_stream

BLOCK = 2**20
"""Bytes read at a time."""
SPOOL_WINDOW = 2**25
"""Bytes of a pipe among which there must be an end of line, and something else: a pipe may be endless."""
WRITER_TIMEOUT = 30.0
"""Seconds in which the writer of a named pipe must open it."""
HEAD = 2**14
"""Bytes by which a format is recognised."""

Source = Path | str | bytes | BinaryIO

ZIP, GZIP, ZSTD, BZIP2, XZ = b"PK\x03\x04", b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"BZh", b"\xfd7zXZ\x00"


def refuse(name: str, message: str, place: str = "") -> InvalidInput:
    """Make the error for a table, or for a place in it."""
    return InvalidInput(Problem(f"{name}, {place}" if place else name, message))


class Content:
    """The bytes of a table, which can be read several times.

    Args:
        name: In messages.
        start: Opens the bytes at their beginning.
        size: In bytes.
        remote: Whether each reading of some bytes takes the time of a request.
    """

    def __init__(self, name: str, start: Callable[[], BinaryIO], size: int, *, remote: bool = False) -> None:
        self.name, self.start, self.size, self.remote = name, start, size, remote
        with self.open_packed() as file:
            packed = file.read(HEAD)
        self._unpack = _unpacking(packed, self)
        self.head = packed
        """The first bytes, without compression."""
        if self._unpack:
            with self.open() as file:
                self.head = file.read(HEAD)

    @property
    def compressed(self) -> bool:
        """Whether the bytes are compressed as a whole."""
        return self._unpack is not None

    @contextmanager
    def open_packed(self) -> Iterator[BinaryIO]:
        """Open the bytes with their compression.

        Raises:
            InvalidInput: They cannot be read.
        """
        with in_words(self.name), self.start() as file:
            yield file

    @contextmanager
    def open(self) -> Iterator["Reading"]:
        """Open the bytes without compression.

        Raises:
            InvalidInput: They cannot be read.
        """
        with self.open_packed() as packed:
            yield Reading(self._unpack(packed) if self._unpack else packed, packed, self)


class Reading:
    """One reading of a table from its beginning."""

    def __init__(self, file: IO[bytes], packed: BinaryIO, content: Content) -> None:
        self._file, self._packed, self._content = file, packed, content

    @property
    def progress(self) -> float:
        """The part that is read, from 0 to 1."""
        return min(1.0, self._packed.tell() / max(1, self._content.size))  # words: allow

    def read(self, size: int = BLOCK) -> bytes:
        """Read at most some bytes; none at the end.

        Raises:
            InvalidInput: They cannot be read.
        """
        with in_words(self._content.name):
            return self._file.read(size)


@contextmanager
def open_content(source: Source, name: str) -> Iterator[Content]:
    """Open the bytes of a table; those of a pipe are copied to a temporary file.

    Args:
        source: A path, `-` for the standard input, bytes, or a binary file that is read from where it is.
        name: In messages.

    Raises:
        InvalidInput: It cannot be read.
    """
    if isinstance(source, bytes):
        yield Content(name, lambda: io.BytesIO(source), len(source))
        return
    if not isinstance(source, str | Path) or str(source) == "-":
        file = sys.stdin.buffer if isinstance(source, str | Path) else source
        with _spooled(file, name) as content:
            yield content
        return
    path = Path(source)
    with in_words(name):
        if path.is_dir():
            raise refuse(name, "is a directory. Name a file.")
        size, pipe = path.stat().st_size, None if path.is_file() else _open_pipe(path, name)
    if pipe is None:
        yield Content(name, lambda: path.open("rb"), size)
        return
    with pipe, _spooled(pipe, name) as content:
        yield content


def _open_pipe(path: Path, name: str) -> BinaryIO:
    """Open a pipe or a device; the system would wait for the writer of a named pipe for any time.

    Raises:
        InvalidInput: No writer has opened it in time.
        OSError: It cannot be opened.
    """
    opened: SimpleQueue[BinaryIO | OSError] = SimpleQueue()
    too_late = Event()

    def open_() -> None:
        try:
            pipe = path.open("rb")
        except OSError as error:
            opened.put(error)
            return
        if too_late.is_set():
            pipe.close()
        else:
            opened.put(pipe)

    Thread(target=open_, daemon=True).start()
    try:
        pipe = opened.get(timeout=WRITER_TIMEOUT)
    except Empty as error:
        too_late.set()
        text = f"is a pipe that no program has opened for writing within {WRITER_TIMEOUT:g} seconds"
        raise refuse(name, f"{text}. Start its writer first, or name a file.") from error
    if isinstance(pipe, OSError):
        raise pipe
    return pipe


@contextmanager
def _spooled(pipe: BinaryIO, name: str) -> Iterator[Content]:
    with ExitStack() as stack:
        with in_words(name):
            file = stack.enter_context(tempfile.NamedTemporaryFile(prefix="gdssm-"))
            size = _copy(pipe, file.write, name)
            file.flush()
        path = Path(file.name)
        yield Content(name, lambda: path.open("rb"), size)


def _copy(pipe: BinaryIO, write: Callable[[bytes], object], name: str) -> int:
    """Copy a pipe, and return its number of bytes.

    Raises:
        InvalidInput: It has no rows, or takes more than half of the free space for temporary files: it may be endless.
    """
    size, directory = 0, tempfile.gettempdir()
    limit = shutil.disk_usage(directory).free // 2
    while block := b"".join(_window(pipe)):
        if len(block) == SPOOL_WINDOW and not (set(b"\r\n") & set(block) and block.strip(b"\r\n")):
            raise refuse(name, f"has {SPOOL_WINDOW >> 20} MiB without rows. Send a table.")
        size += len(block)
        if size > limit:
            text = f"has more than {limit >> 20} MiB, half of the free space of {directory}"
            raise refuse(name, f"{text}. Name a file that is no pipe or device, or set TMPDIR to a larger disk.")
        write(block)
    return size


def _window(pipe: BinaryIO) -> Iterator[bytes]:
    left = SPOOL_WINDOW
    while left and (block := pipe.read(min(left, BLOCK))):
        left -= len(block)
        yield block


def _unpacking(head: bytes, content: Content) -> Callable[[BinaryIO], IO[bytes]] | None:
    """Return what removes the compression, by the first bytes; None if there is none."""
    if head.startswith(GZIP):
        return lambda file: cast("IO[bytes]", gzip.GzipFile(fileobj=file))
    if head.startswith(ZSTD):
        return zstd_stream
    if head.startswith(BZIP2):
        return bz2.BZ2File
    if head.startswith(XZ):
        return lzma.LZMAFile
    return _of_zip(content) if head.startswith(ZIP) else None


def _of_zip(content: Content) -> Callable[[BinaryIO], IO[bytes]] | None:
    """Return what opens the only file in a zip; None if it is a spreadsheet."""
    with content.open_packed() as file:
        names = [item.filename for item in zipfile.ZipFile(file).infolist() if not item.is_dir()]
    if {"[Content_Types].xml", "mimetype"} & set(names):
        return None
    names = [name for name in names if not name.startswith("__MACOSX/")]
    if len(names) != 1:
        listed = ", ".join(names[:5]) + (" …" if len(names) > 5 else "")
        raise refuse(content.name, f"is a zip of {len(names)} files ({listed}). Unpack it, and name one of them.")
    return lambda file: zipfile.ZipFile(file).open(names[0])


@contextmanager
def in_words(name: str) -> Iterator[None]:
    """Convert errors of reading bytes."""
    try:
        yield
    except (EOFError, zlib.error, lzma.LZMAError, gzip.BadGzipFile, zipfile.BadZipFile, RuntimeError) as error:
        raise refuse(name, f"cannot be unpacked ({error}). Is it complete?") from error
    except OSError as error:
        raise refuse(name, f"cannot be read ({error.strerror or error}).") from error
